// SPDX-License-Identifier: MIT
#include "canvases.hpp"

namespace detection {

static_assert(canvas_options{}.side == canvas_side);

scene canvas(const demo::image_set& items, std::uint64_t seed, std::size_t index, const canvas_options& options) {
  demo::collage made = demo::make_collage(items, seed, index, options);
  scene result{std::move(made.image), {}};
  for (const auto& [box, label] : made.items)
    result.truths.push_back({{double(box.x1), double(box.y1), double(box.x2), double(box.y2)}, label});
  return result;
}

scene_set canvases(const demo::image_set& for_training, const demo::image_set& for_tests, std::size_t train,
                   std::size_t test, std::uint64_t seed) {
  scene_set set{"canvases of Fashion-MNIST items", demo::item_names(), {}, {}};
  for (std::size_t i = 0; i < train; ++i) set.train.push_back(canvas(for_training, seed, i));
  for (std::size_t i = 0; i < test; ++i) set.test.push_back(canvas(for_tests, seed + 1, i));
  return set;
}

}  // namespace detection
