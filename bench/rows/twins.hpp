// SPDX-License-Identifier: MIT
/// The twins of works on rows, of the arrays in logits.hpp.
#pragma once

#include "logits.hpp"
#include "twin_dense.hpp"
#include "twin_few_classes.hpp"

namespace bench {

/// Which classes are few enough for a row per lane.
inline constexpr int digits = 10, street_classes = 19;

template <class T, class Targets>
double twin_cross_entropy(logits<T> const& d, hone::cpu const& cpu, bool past, Targets targets, double divisor) {
  using number = twin_number<T>;
  const softmax_rows<number, Targets> rows{
      d.bits(d.z), d.bits(d.gradient), d.shape.columns, d.stride, targets, static_cast<float>(1 / divisor)};
  return run_pipeline(cpu, rows, d.shape.rows, past) / divisor;
}

template <class Targets>
double twin_distillation(logits<float> const& d, hone::cpu const& cpu, bool past, Targets targets, float cross_entropy,
                         float distillation, float z_loss) {
  const auto n = static_cast<float>(d.shape.rows);
  const distilled_rows<Targets> rows{
      d.z, d.teacher, d.gradient, d.shape.columns, d.stride, targets, {cross_entropy, distillation, z_loss, 1 / n}};
  return run_pipeline(cpu, rows, d.shape.rows, past) / n;
}

template <class T>
double twin_smoothed(logits<T> const& d, hone::cpu const& cpu, bool past) {
  const auto n = static_cast<float>(d.shape.rows);
  if constexpr (std::is_same_v<T, float>) {
    const few_classes_cross_entropy few{0.1f, 1 / n};
    if (d.shape.images != 0 && d.shape.columns == street_classes)
      return pixels<street_classes>(cpu, d.shape.images, d.shape.rows / d.shape.images, few, d.z, d.label, d.gradient,
                                    past) /
             n;
    if (d.shape.columns == digits && d.shape.padding == 0)
      return few_classes<digits>(cpu, d.shape.rows, few, d.z, d.label, d.gradient) / n;
  }
  return twin_cross_entropy(d, cpu, past, one_label<true>{d.label, 0.1f}, n);
}

}  // namespace bench
