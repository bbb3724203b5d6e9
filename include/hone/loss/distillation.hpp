// SPDX-License-Identifier: MIT
/// Knowledge distillation: a student's logits against a teacher's.
#pragma once

#include <hone/core/view.hpp>
#include <hone/loss/row_term.hpp>

namespace hone {

/// With s = softmax(z/T), t the teacher's softmax at T, and both logits less their maxima:
///   value     T² KL(t ‖ s) = T² (Σ t (teacher - z)/T - log Σ exp(teacher/T) + log Σ exp(z/T))
///   gradient  T (s - t)
/// A class that the teacher gives no probability contributes 0.
template <class View>
struct distillation_term : row_term_base {
  static constexpr bool needs_softmax = false, has_teacher = true;
  static constexpr int sums = 3, kept = 2, tempered = 0;

  View teacher;
  double temperature;

  distillation_term(View teacher_, double temperature_) : teacher(teacher_), temperature(temperature_) {}

  template <operand V>
  struct row {
    V loss, student, taught;
  };

  template <operand V>
  HONE_HD void first(row_element<V>& e, V (&sums_)[3]) const {
    const V rate(1 / temperature);
    e.kept[0] = exp_of_nonpositive(e.z * rate);
    e.kept[1] = exp_of_nonpositive(e.t * rate);
    sums_[0] = sums_[0] + e.kept[0];
    sums_[1] = sums_[1] + e.kept[1];
    sums_[2] = sums_[2] + select(e.kept[1] == V(0), V(0), e.kept[1] * (e.t - e.z));
  }
  template <operand V>
  HONE_HD void rebase(V (&sums_)[3], V rise, V teacher_rise) const {
    const V rate(1 / temperature), taught = exp_of_nonpositive(-teacher_rise * rate);
    sums_[0] = sums_[0] * exp_of_nonpositive(-rise * rate);
    sums_[2] = select(sums_[1] * taught == V(0), V(0), taught * (sums_[2] + sums_[1] * (rise - teacher_rise)));
    sums_[1] = sums_[1] * taught;
  }
  template <operand V>
  HONE_HD row<V> finish(row_statistics<V> const& s) const {
    const V T(temperature), cross = s.sums[2] / (s.sums[1] * T);
    return {T * T * (cross - log(s.sums[1]) + log(s.sums[0])), T / s.sums[0], T / s.sums[1]};
  }
  template <operand V>
  HONE_HD V gradient(row<V> const& r, row_element<V> const& e) const {
    return r.student * e.kept[0] - r.taught * e.kept[1];
  }
};

namespace detail {

template <class View>
distillation_term<View> distil(View teacher, double temperature) {
  require_positive("distillation", "temperature", temperature);
  return {teacher, temperature};
}

}  // namespace detail

/// T²·KL(softmax(teacher/T) ‖ softmax(z/T)) (Hinton et al. 2015, arXiv 1503.02531). The teacher's logits are a
/// view of the prediction's shape; its type may differ. T finite and positive. It skips the rows that the
/// targets of the same objective ignore.
template <class T>
auto distillation(matrix_view<T> teacher_logits, real temperature) {
  return detail::distil(matrix_view<const T>(teacher_logits), temperature.value);
}
template <class T>
auto distillation(image_view<T> teacher_logits, real temperature) {
  return detail::distil(image_view<const T>(teacher_logits), temperature.value);
}

static_assert(row_term<distillation_term<matrix_view<const float>>>);

}  // namespace hone
