// SPDX-License-Identifier: MIT
// Cross entropy, from ten classes to the vocabulary of a language model.
#include "logits.hpp"
#include "twin_softmax.hpp"
#include "works.hpp"

namespace bench::rows {

void add_cross_entropy(registry& r) {
  const auto smoothed = [](auto const& d) { return hone::cross_entropy(hone::smooth(d.classes(), 0.1f)); };
  const auto twin = [](logits<float> const& d, hone::cpu const& cpu, bool past) {
    const auto n = static_cast<float>(d.shape.rows);
    const softmax_rows<float, one_label> rows{d.z, d.gradient, d.shape.columns, d.stride, {d.label, 0.1f}, 1 / n};
    return run_pipeline(cpu, rows, d.shape.rows, past) / n;
  };
  for (const logits_shape s :
       {logits_shape{256, 1000}, {8192, 1000}, {1024, 32000}, {65536, 10}, {8192, 100}, {1024, 21841}, {512, 128256}})
    add_rows<float>(r, "cross_entropy/smoothing:0.1", s, {}, smoothed, twin);
}

}  // namespace bench::rows
