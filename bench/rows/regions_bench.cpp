// SPDX-License-Identifier: MIT
// A loss of segmentation: 4 images of 512 x 512 pixels with the 21 classes of Pascal VOC. The sums of the regions must
// be known before the first gradient is computed, so the logits are read twice; the bytes and the limits count them
// once.
#include "logits.hpp"
#include "works.hpp"

namespace bench::rows {

void add_regions(registry& r) {
  const logits_shape voc{.rows = 4 * 512 * 512, .columns = 21, .images = 4};
  add_rows<float, layout::images>(
      r, "dice+cross_entropy", voc, {},
      [](auto const& d) { return hone::cross_entropy(d.classes()) + hone::dice_loss(d.classes()); }, nullptr);
}

}  // namespace bench::rows
