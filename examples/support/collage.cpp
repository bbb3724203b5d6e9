// SPDX-License-Identifier: MIT
#include "collage.hpp"

#include "random.hpp"

namespace demo {
namespace {

constexpr int seen_from = 24;  // an item's darker pixels are not there

int below(int count, std::mt19937_64& random) { return static_cast<int>(random() % static_cast<std::uint64_t>(count)); }

struct item {
  grey_image image;
  int label;
};

item any_item(const image_set& items, const collage_options& o, std::mt19937_64& random) {
  const std::size_t which = random() % items.size();
  const int drawn = o.smallest + below(o.largest - o.smallest + 1, random), from = static_cast<int>(image_side);
  return {resized(items.pixels.data() + which * image_pixels, from, from, drawn, drawn), items.labels[which]};
}

/// The box around what is seen of an item whose corner is at (0, 0); x2 is not above x1 where nothing is.
pixel_box box_of(const grey_image& item) {
  pixel_box box{item.width, item.height, 0, 0};
  for (int y = 0; y < item.height; ++y)
    for (int x = 0; x < item.width; ++x)
      if (item.at(x, y) >= seen_from)
        box = {std::min(box.x1, x), std::min(box.y1, y), std::max(box.x2, x + 1), std::max(box.y2, y + 1)};
  return box;
}

/// The part of `a` that `b` covers.
double covered(const pixel_box& a, const pixel_box& b) {
  const double w = std::min(a.x2, b.x2) - std::max(a.x1, b.x1), h = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  return w > 0 && h > 0 ? w * h / ((a.x2 - a.x1) * (a.y2 - a.y1)) : 0;
}

class maker {
 public:
  maker(const image_set& items, const collage_options& options, std::mt19937_64& random)
      : items_(items), o_(options), random_(random) {
    const auto pixels = static_cast<std::size_t>(o_.side) * static_cast<std::size_t>(o_.side);
    made.image = {o_.side, o_.side, std::vector<std::uint8_t>(pixels)};
    made.owners.assign(pixels, collage::ground);
    add_ground();
  }

  collage made;

  void add_fragment() {
    const item whole = any_item(items_, o_, random_);
    const int side = std::max(4, whole.image.width / 3), room = whole.image.width - side + 1;
    const int x = below(room, random_), y = below(room, random_);
    grey_image piece{side, side, {}};
    for (int row = 0; row < side; ++row)
      for (int column = 0; column < side; ++column) piece.pixels.push_back(whole.image.at(x + column, y + row));
    const int left = below(o_.side - side, random_);
    paste(piece, left, below(o_.side - side, random_), collage::fragment);
  }

  /// Pastes an item where it covers no other too much; leaves it out where twenty places do not do.
  void add_item() {
    const item chosen = any_item(items_, o_, random_);
    const pixel_box at_origin = box_of(chosen.image);
    if (at_origin.x2 <= at_origin.x1) return;
    for (int attempt = 0; attempt < 20; ++attempt) {
      const int width = at_origin.x2 - at_origin.x1, height = at_origin.y2 - at_origin.y1;
      const int x = below(o_.side - width + 1, random_), y = below(o_.side - height + 1, random_);
      const pixel_box box{x, y, x + width, y + height};
      const bool fits = std::none_of(made.items.begin(), made.items.end(), [&](const pasted& p) {
        return covered(p.box, box) > o_.covered || covered(box, p.box) > o_.covered;
      });
      if (!fits) continue;
      paste(chosen.image, x - at_origin.x1, y - at_origin.y1, static_cast<int>(made.items.size()));
      made.items.push_back({box, chosen.label});
      return;
    }
  }

 private:
  std::size_t place(int x, int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(o_.side) + static_cast<std::size_t>(x);
  }

  /// A gradient of light from one edge to another, and noise.
  void add_ground() {
    const double level = 70 * uniform(random_), x_slope = 40 * uniform(random_), y_slope = 40 * uniform(random_);
    for (int y = 0; y < o_.side; ++y)
      for (int x = 0; x < o_.side; ++x)
        made.image.pixels[place(x, y)] =
            static_cast<std::uint8_t>(level + x_slope * x / o_.side + y_slope * y / o_.side + 30 * uniform(random_));
  }

  void paste(const grey_image& item, int left, int top, int owner) {
    for (int y = 0; y < item.height; ++y)
      for (int x = 0; x < item.width; ++x) {
        const int cx = left + x, cy = top + y;
        if (item.at(x, y) < seen_from || cx < 0 || cy < 0 || cx >= o_.side || cy >= o_.side) continue;
        made.image.pixels[place(cx, cy)] = item.at(x, y);
        made.owners[place(cx, cy)] = owner;
      }
  }

  const image_set& items_;
  const collage_options& o_;
  std::mt19937_64& random_;
};

}  // namespace

collage make_collage(const image_set& items, std::uint64_t seed, std::size_t index, const collage_options& options) {
  std::seed_seq mixed{seed & 0xffffffff, seed >> 32, std::uint64_t{index}};
  std::mt19937_64 random(mixed);
  maker maker(items, options, random);
  for (int i = 0; i < options.fragments; ++i) maker.add_fragment();
  const int count = below(options.most_items + 1, random);
  for (int i = 0; i < count; ++i) maker.add_item();
  return std::move(maker.made);
}

std::vector<std::string> item_names() {
  return {"T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"};
}

}  // namespace demo
