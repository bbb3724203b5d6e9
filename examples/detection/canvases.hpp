// SPDX-License-Identifier: MIT
/// Fashion-MNIST items pasted on canvases, with boxes that are exact because they are known.
#pragma once

#include "collage.hpp"
#include "scene.hpp"

namespace detection {

using canvas_options = demo::collage_options;

/// Canvas `index` of a seed: the same whenever, and in whatever order, it is made. A box is that of the whole item,
/// also where a later item covers a part of it.
scene canvas(const demo::image_set& items, std::uint64_t seed, std::size_t index, const canvas_options& options = {});

/// `train` canvases of the items `for_training` and `test` of the items `for_tests`.
scene_set canvases(const demo::image_set& for_training, const demo::image_set& for_tests, std::size_t train,
                   std::size_t test, std::uint64_t seed);

}  // namespace detection
