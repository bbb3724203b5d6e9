// SPDX-License-Identifier: MIT
// Cross entropy of other targets than one label.
#include "twins.hpp"
#include "works.hpp"

namespace bench::rows {

void add_targets(registry& r) {
  const logits_shape imagenet{8192, 1000};
  add_rows<float>(
      r, "cross_entropy/two_labels", imagenet, {.two_labels = true},
      [](auto const& d) { return hone::cross_entropy(hone::mix(d.classes(), d.other_classes(), d.lambdas())); },
      [](auto const& d, hone::cpu const& cpu, bool past) {
        return twin_cross_entropy(d, cpu, past, two_labels<false>{d.label, d.other_label, d.lambda},
                                  double(d.shape.rows));
      });
  add_rows<float>(
      r, "cross_entropy/class_weights", imagenet, {.class_weights = true},
      [](auto const& d) { return hone::cross_entropy(hone::weigh_classes(d.classes(), d.class_weights())); },
      [](auto const& d, hone::cpu const& cpu, bool past) {
        double divisor = 0;
        for (index i = 0; i < d.shape.rows; ++i) divisor += d.class_weight[d.label[i]];
        return twin_cross_entropy(d, cpu, past, weighted_label{d.label, d.class_weight}, divisor);
      });
  for (const logits_shape s : {imagenet, logits_shape{1024, 32000}})
    add_rows<float>(
        r, "cross_entropy/dense", s, {.targets = true},
        [](auto const& d) { return hone::cross_entropy(hone::probabilities(d.view(d.targets))); },
        [](auto const& d, hone::cpu const& cpu, bool) {
          const auto n = static_cast<float>(d.shape.rows);
          return twin_dense(cpu, d.z, d.targets, d.gradient, d.shape.rows, d.shape.columns, 1 / n) / n;
        });
}

}  // namespace bench::rows
