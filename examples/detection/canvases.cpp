// SPDX-License-Identifier: MIT
#include "canvases.hpp"

#include "random.hpp"

namespace detection {
namespace {

using demo::grey_image;
using demo::uniform;

constexpr int seen_from = 24;  // an item's darker pixels are not there

int below(int count, std::mt19937_64& random) { return static_cast<int>(random() % static_cast<std::uint64_t>(count)); }

std::size_t place(int x, int y) { return static_cast<std::size_t>(y * canvas_side + x); }

/// A gradient of light from one edge to another, and noise.
grey_image background(std::mt19937_64& random) {
  grey_image canvas{canvas_side, canvas_side, std::vector<std::uint8_t>(canvas_side * canvas_side)};
  const double level = 70 * uniform(random), x_slope = 40 * uniform(random), y_slope = 40 * uniform(random);
  for (int y = 0; y < canvas_side; ++y)
    for (int x = 0; x < canvas_side; ++x)
      canvas.pixels[place(x, y)] = static_cast<std::uint8_t>(level + x_slope * x / canvas_side +
                                                             y_slope * y / canvas_side + 30 * uniform(random));
  return canvas;
}

struct item {
  grey_image image;
  int label;
};

item any_item(const demo::image_set& items, int smallest, int largest, std::mt19937_64& random) {
  const std::size_t which = random() % items.size();
  const int drawn = smallest + below(largest - smallest + 1, random), from = static_cast<int>(demo::image_side);
  return {demo::resized(items.pixels.data() + which * demo::image_pixels, from, from, drawn, drawn),
          items.labels[which]};
}

/// The box around what is seen of an item whose corner is at (0, 0); empty where nothing is.
rectangle box_of(const grey_image& item) {
  rectangle box{1e9, 1e9, -1e9, -1e9};
  for (int y = 0; y < item.height; ++y)
    for (int x = 0; x < item.width; ++x)
      if (item.at(x, y) >= seen_from)
        box = {std::min(box.x1, double(x)), std::min(box.y1, double(y)), std::max(box.x2, x + 1.0),
               std::max(box.y2, y + 1.0)};
  return box;
}

void paste(grey_image& canvas, const grey_image& item, int left, int top) {
  for (int y = 0; y < item.height; ++y)
    for (int x = 0; x < item.width; ++x) {
      const int cx = left + x, cy = top + y;
      if (item.at(x, y) < seen_from || cx < 0 || cy < 0 || cx >= canvas_side || cy >= canvas_side) continue;
      canvas.pixels[place(cx, cy)] = item.at(x, y);
    }
}

/// The part of `a` that `b` covers.
double covered(const rectangle& a, const rectangle& b) {
  const double w = std::min(a.x2, b.x2) - std::max(a.x1, b.x1), h = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  return w > 0 && h > 0 ? w * h / ((a.x2 - a.x1) * (a.y2 - a.y1)) : 0;
}

void add_fragment(grey_image& canvas, const demo::image_set& items, const canvas_options& o, std::mt19937_64& random) {
  const item whole = any_item(items, o.smallest, o.largest, random);
  const int side = std::max(4, whole.image.width / 3), room = whole.image.width - side + 1;
  const int x = below(room, random), y = below(room, random);
  grey_image piece{side, side, {}};
  for (int row = 0; row < side; ++row)
    for (int column = 0; column < side; ++column) piece.pixels.push_back(whole.image.at(x + column, y + row));
  const int left = below(canvas_side - side, random);
  paste(canvas, piece, left, below(canvas_side - side, random));
}

/// Pastes an item where it covers no other too much; leaves it out where twenty places do not do.
void add_item(scene& to, const demo::image_set& items, const canvas_options& o, std::mt19937_64& random) {
  const item chosen = any_item(items, o.smallest, o.largest, random);
  const rectangle at_origin = box_of(chosen.image);
  if (at_origin.x2 <= at_origin.x1) return;
  for (int attempt = 0; attempt < 20; ++attempt) {
    const int width = static_cast<int>(at_origin.x2 - at_origin.x1),
              height = static_cast<int>(at_origin.y2 - at_origin.y1);
    const int x = below(canvas_side - width + 1, random), y = below(canvas_side - height + 1, random);
    const rectangle box{double(x), double(y), double(x + width), double(y + height)};
    const bool fits = std::none_of(to.truths.begin(), to.truths.end(), [&](const truth& t) {
      return covered(t.box, box) > o.covered || covered(box, t.box) > o.covered;
    });
    if (!fits) continue;
    paste(to.image, chosen.image, x - static_cast<int>(at_origin.x1), y - static_cast<int>(at_origin.y1));
    to.truths.push_back({box, chosen.label});
    return;
  }
}

}  // namespace

scene canvas(const demo::image_set& items, std::uint64_t seed, std::size_t index, const canvas_options& options) {
  std::seed_seq mixed{seed & 0xffffffff, seed >> 32, std::uint64_t{index}};
  std::mt19937_64 random(mixed);
  scene made{background(random), {}};
  for (int i = 0; i < options.fragments; ++i) add_fragment(made.image, items, options, random);
  const int count = below(options.most_items + 1, random);
  for (int i = 0; i < count; ++i) add_item(made, items, options, random);
  return made;
}

std::vector<std::string> item_names() {
  return {"T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"};
}

scene_set canvases(const demo::image_set& for_training, const demo::image_set& for_tests, std::size_t train,
                   std::size_t test, std::uint64_t seed) {
  scene_set set{"canvases of Fashion-MNIST items", item_names(), {}, {}};
  for (std::size_t i = 0; i < train; ++i) set.train.push_back(canvas(for_training, seed, i));
  for (std::size_t i = 0; i < test; ++i) set.test.push_back(canvas(for_tests, seed + 1, i));
  return set;
}

}  // namespace detection
