// SPDX-License-Identifier: MIT
#include "canvases.hpp"

namespace segmentation {

canvas labelled(demo::collage collage) {
  canvas made{std::move(collage.image), std::vector<std::uint8_t>(collage.owners.size(), background)};
  for (std::size_t i = 0; i < made.labels.size(); ++i) {
    const int owner = collage.owners[i];
    if (owner == demo::collage::ground) continue;
    const bool known = owner != demo::collage::fragment && made.image.pixels[i] >= opaque_from;
    const int label = known ? collage.items[static_cast<std::size_t>(owner)].label + 1 : ignored;
    made.labels[i] = static_cast<std::uint8_t>(label);
  }
  return made;
}

canvas_set canvases(const demo::image_set& for_training, const demo::image_set& for_tests, std::size_t train,
                    std::size_t test, std::uint64_t seed) {
  const demo::collage_options options{.side = canvas_side, .most_items = 5, .smallest = 20, .largest = 36};
  canvas_set set;
  for (std::size_t i = 0; i < train; ++i)
    set.train.push_back(labelled(demo::make_collage(for_training, seed, i, options)));
  for (std::size_t i = 0; i < test; ++i)
    set.test.push_back(labelled(demo::make_collage(for_tests, seed + 1, i, options)));
  return set;
}

std::vector<std::string> class_names() {
  std::vector<std::string> names = demo::item_names();
  names.insert(names.begin(), "background");
  return names;
}

}  // namespace segmentation
