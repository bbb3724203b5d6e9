// SPDX-License-Identifier: MIT
// Cross entropy of labels, from ten classes to the vocabulary of a language model, and in other layouts and types.
#include "twins.hpp"
#include "works.hpp"

namespace bench::rows {

void add_cross_entropy(registry& r) {
  const auto objective = [](auto const& d) { return hone::cross_entropy(hone::smooth(d.classes(), 0.1f)); };
  const auto twin = [](auto const& d, hone::cpu const& cpu, bool past) { return twin_smoothed(d, cpu, past); };
  const std::string name = "cross_entropy/smoothing:0.1";
  const logits_shape imagenet{8192, 1000};
  for (const logits_shape s :
       {logits_shape{256, 1000}, imagenet, {1024, 32000}, {65536, digits}, {8192, 100}, {1024, 21841}, {512, 128256}})
    add_rows<float>(r, name, s, {}, objective, twin);
  add_rows<float, layout::images>(r, name, {.rows = 8 * 512 * 1024, .columns = street_classes, .images = 8}, {},
                                  objective, twin);
  add_rows<Eigen::bfloat16>(r, name + "/bfloat16", imagenet, {}, objective, twin);
  add_rows<float>(r, name + "/strided:1024", {.rows = 8192, .columns = 1000, .padding = 24}, {}, objective, twin);
  add_rows<float>(r, name + "/in_place", {.rows = 8192, .columns = 1000, .in_place = true}, {}, objective, twin);
}

}  // namespace bench::rows
