// SPDX-License-Identifier: MIT
/// Knowledge distillation: a student's logits against a teacher's.
#pragma once

#include <hone/core/view.hpp>
#include <hone/distil/divergence.hpp>
#include <hone/loss/row/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// With s = softmax(z/T), t the teacher's softmax at T, and both logits less their maxima:
///   value     T² KL(t ‖ s) = T² (Σ t (teacher - z)/T - log Σ exp(teacher/T) + log Σ exp(z/T))
///   gradient  T (s - t)
/// A class that the teacher gives no probability contributes 0. Where s and t are close, s - t is taken from their
/// logarithms (distil/divergence.hpp).
template <class View>
struct distillation_term : row_term_base {
  static constexpr bool needs_softmax = false, has_teacher = true;
  static constexpr int sums = 3, kept = 2, fine = 2, tempered = 0;

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
    const V difference = max(e.t, V(-3e38)) - e.z;  // of -inf twice no NaN, which would raise an exception
    sums_[2] = sums_[2] + e.kept[1] * select(e.kept[1] == V(0), V(0), difference);
  }
  template <operand V>
  HONE_HD void rebase(V (&sums_)[3], V rise, V teacher_rise) const {
    const V rate(1 / temperature), taught = exp_of_nonpositive(-teacher_rise * rate);
    sums_[0] = sums_[0] * exp_of_nonpositive(-rise * rate);
    sums_[2] = select(sums_[1] * taught == V(0), V(0), taught * (sums_[2] + sums_[1] * (rise - teacher_rise)));
    sums_[1] = sums_[1] * taught;
  }
  /// log Σ exp(z/T) - log Σ exp(teacher/T).
  template <operand V>
  HONE_HD V between(row_statistics<V> const& s) const {
    return log(s.sums[0] / s.sums[1]);
  }
  /// From the difference of logarithms.
  template <operand V>
  HONE_HD V rough(row_statistics<V> const& s) const {
    return s.sums[2] / (s.sums[1] * V(temperature)) + s.given;
  }
  template <operand V>
  HONE_HD auto refines(row_statistics<V> const& s) const {
    return rough(s) < V(detail::close_rows);
  }
  /// Then keeps w (e^x - 1), x = log s/t, in place of w.
  template <operand V>
  [[gnu::always_inline]] HONE_HD void refine(row_element<V>& e, row_statistics<V> const& s, V (&fine_)[2]) const {
    const detail::divergence_part<V> part(e.kept[1], e.kept[0] * (s.sums[1] / s.sums[0]),
                                          (e.z - max(e.t, V(-3e38))) * V(1 / temperature) - s.given);
    fine_[0] = fine_[0] + part.excess;
    fine_[1] = fine_[1] + part.linear;
    e.kept[1] = part.rise;
  }
  template <operand V>
  HONE_HD row<V> finish(row_statistics<V> const& s) const {
    const V T(temperature), student = T / s.sums[0], inverse = V(1) / s.sums[1], taught = T * inverse;
    const detail::divergence_of_sums<V> exact(s.fine[0] * inverse, s.fine[1] * inverse);
    const auto is_close = refines(s);
    return {T * (T * select(is_close, exact.value, rough(s))), select(is_close, -exact.change * student, student),
            select(is_close, -taught, taught)};
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

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
