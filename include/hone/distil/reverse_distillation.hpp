// SPDX-License-Identifier: MIT
/// Knowledge distillation by the reverse divergence: the student need not cover what the teacher does, but must not go
/// where the teacher does not.
#pragma once

#include <hone/core/view.hpp>
#include <hone/distil/divergence.hpp>
#include <hone/loss/row/term.hpp>

#include <cmath>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// With s = softmax(z/T), t the teacher's softmax at T, and m = Σ s (z - teacher), logits less their maxima:
///   value     T² KL(s ‖ t) = T m + T² (log Σ exp(teacher/T) - log Σ exp(z/T))
///   gradient  s (z - teacher - m)
/// A class whose teacher's logit is -inf is left out of both softmaxes.
template <class View>
struct reverse_distillation_term : row_term_base {
  static constexpr bool needs_softmax = false, has_teacher = true;
  static constexpr int sums = 3, kept = 2, fine = 2;

  View teacher;
  double temperature;

  reverse_distillation_term(View teacher_, double temperature_) : teacher(teacher_), temperature(temperature_) {}

  template <operand V>
  struct row {
    V loss, rate, mean;
  };

  template <operand V>
  HONE_HD void first(row_element<V>& e, V (&sums_)[3]) const {
    const V rate(1 / temperature);
    e.kept[0] = select(e.t == V(-HUGE_VAL), V(0), exp_of_nonpositive(e.z * rate));
    e.kept[1] = e.z - max(e.t, V(-3e38));  // of -inf twice no NaN, which would raise an exception
    sums_[0] = sums_[0] + e.kept[0];
    sums_[1] = sums_[1] + exp_of_nonpositive(e.t * rate);
    sums_[2] = sums_[2] + e.kept[0] * select(e.kept[0] == V(0), V(0), e.kept[1]);
  }
  template <operand V>
  HONE_HD void rebase(V (&sums_)[3], V rise, V teacher_rise) const {
    const V rate(1 / temperature), less = exp_of_nonpositive(-rise * rate);
    sums_[2] = select(sums_[0] * less == V(0), V(0), less * (sums_[2] + sums_[0] * (teacher_rise - rise)));
    sums_[0] = sums_[0] * less;
    sums_[1] = sums_[1] * exp_of_nonpositive(-teacher_rise * rate);
  }
  /// log Σ exp(teacher/T) - log Σ exp(z/T).
  template <operand V>
  HONE_HD V between(row_statistics<V> const& s) const {
    return log(s.sums[1] / s.sums[0]);
  }
  /// From the difference of logarithms.
  template <operand V>
  HONE_HD V rough(row_statistics<V> const& s) const {
    return s.sums[2] / (s.sums[0] * V(temperature)) + s.given;
  }
  template <operand V>
  HONE_HD auto refines(row_statistics<V> const& s) const {
    return rough(s) < V(detail::close_rows);
  }
  template <operand V>
  [[gnu::always_inline]] HONE_HD void refine(row_element<V>& e, row_statistics<V> const& s, V (&fine_)[2]) const {
    const V rate(1 / temperature);
    const detail::divergence_part<V> part(e.kept[0], exp_of_nonpositive(e.t * rate) * (s.sums[0] / s.sums[1]),
                                          -e.kept[1] * rate - s.given);
    fine_[0] = fine_[0] + part.excess;
    fine_[1] = fine_[1] + part.linear;
  }
  template <operand V>
  HONE_HD row<V> finish(row_statistics<V> const& s) const {
    const V T(temperature), rate = V(1) / s.sums[0];
    const detail::divergence_of_sums<V> exact(s.fine[0] * rate, s.fine[1] * rate);
    return {T * (T * select(refines(s), exact.value, rough(s))), rate, s.sums[2] * rate};
  }
  template <operand V>
  HONE_HD V gradient(row<V> const& r, row_element<V> const& e) const {
    return r.rate * e.kept[0] * select(e.kept[0] == V(0), V(0), e.kept[1] - r.mean);
  }
};

namespace detail {

template <class View>
reverse_distillation_term<View> distil_reverse(View teacher, double temperature) {
  require_positive("reverse_distillation", "temperature", temperature);
  return {teacher, temperature};
}

}  // namespace detail

/// T²·KL(softmax(z/T) ‖ softmax(teacher/T)) (Gu et al. 2023, arXiv 2306.08543; Agarwal et al. 2023, arXiv 2306.13649).
/// The teacher's logits and T as in distillation. A class whose teacher's logit is -inf has neither part in the
/// student's softmax nor a gradient.
template <class T>
auto reverse_distillation(matrix_view<T> teacher_logits, real temperature) {
  return detail::distil_reverse(matrix_view<const T>(teacher_logits), temperature.value);
}
template <class T>
auto reverse_distillation(image_view<T> teacher_logits, real temperature) {
  return detail::distil_reverse(image_view<const T>(teacher_logits), temperature.value);
}

static_assert(row_term<reverse_distillation_term<matrix_view<const float>>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
