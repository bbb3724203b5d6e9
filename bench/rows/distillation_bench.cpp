// SPDX-License-Identifier: MIT
// Sums of terms in one sweep: distillation at a temperature of 4, cross entropy, and a z-loss.
#include "twins.hpp"
#include "works.hpp"

namespace bench::rows {

void add_distillation(registry& r) {
  constexpr float label = 0.7f, teacher = 0.3f, z = 1e-4f;
  const logits_shape imagenet{8192, 1000};
  const auto distilled = [](auto const& d) { return teacher * hone::distillation(d.view(d.teacher), 4.0f); };
  for (const logits_shape s : {logits_shape{256, 1000}, imagenet, {1024, 32000}, {65536, digits}})
    add_rows<float>(
        r, "distillation/T:4", s, {.teacher = true},
        [=](auto const& d) { return label * hone::cross_entropy(d.classes()) + distilled(d); },
        [](auto const& d, hone::cpu const& cpu, bool past) {
          const auto n = static_cast<float>(d.shape.rows);
          if (d.shape.columns == digits)
            return few_classes<digits>(cpu, d.shape.rows, few_classes_distillation{{label, teacher, 0, 1 / n}}, d.z,
                                       d.teacher, d.label, d.gradient) /
                   n;
          return twin_distillation(d, cpu, past, one_label<false>{d.label}, label, teacher, 0);
        });
  add_rows<float>(
      r, "distillation/T:4/z_loss", imagenet, {.teacher = true},
      [=](auto const& d) { return label * hone::cross_entropy(d.classes()) + distilled(d) + hone::z_loss(z); },
      [](auto const& d, hone::cpu const& cpu, bool past) {
        return twin_distillation(d, cpu, past, one_label<false>{d.label}, label, teacher, z);
      });
  add_rows<float>(
      r, "distillation/T:4/z_loss/two_labels/smoothing:0.1", imagenet, {.teacher = true, .two_labels = true},
      [=](auto const& d) {
        const auto mixed = hone::mix(d.classes(), d.other_classes(), d.lambdas());
        return label * hone::cross_entropy(hone::smooth(mixed, 0.1f)) + distilled(d) + hone::z_loss(z);
      },
      [](auto const& d, hone::cpu const& cpu, bool past) {
        const two_labels<true> mixed{d.label, d.other_label, d.lambda, 0.1f};
        return twin_distillation(d, cpu, past, mixed, label, teacher, z);
      });
}

}  // namespace bench::rows
