// SPDX-License-Identifier: MIT
/// Knowledge distillation by the reverse divergence: it does not penalise the student for classes that it leaves out,
/// only for classes to which the teacher gives a low probability.
#pragma once

#include <hone/distil/divergence.hpp>
#include <hone/distil/teacher_view.hpp>
#include <hone/loss/row/term.hpp>

#include <cmath>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// With s = softmax(z/T), t the teacher's softmax at T, and m = Σ s (z - teacher), logits minus their maxima:
///   value     T² KL(s ‖ t) = T m + T² (log Σ exp(teacher/T) - log Σ exp(z/T))
///   gradient  s (z - teacher - m)
/// A class whose teacher logit is -inf is left out of both softmaxes.
template <class View>
struct reverse_distillation_term : row_term_base {
  using statistics = row::list<row::tempered<row::logits, row::taught>, row::tempered<row::teacher>,
                               row::total<0, row::difference<0, 1>>>;  // Σ exp(z/T) (z - teacher)
  using close_sweep = row::sweep<2>;
  static constexpr bool gradient_reads_coordinates = true;

  View teacher;
  double temperature;

  reverse_distillation_term(View teacher_, double temperature_) : teacher(teacher_), temperature(temperature_) {}

  template <operand V>
  struct sums {
    V student, taught, gap, log_ratio, rough;  // as in distillation, but of KL(s ‖ t)
  };
  template <operand V>
  struct result {
    V loss, rate, mean;
  };

  /// Returns z - teacher of an element.
  template <operand V, class E>
  HONE_HD static V apart(E const& e) {
    return row::coordinate_of<0>(e) - max(row::coordinate_of<1>(e), V(-3e38));  // two -inf give no NaN
  }

  template <operand V>
  HONE_HD sums<V> start(row::exponentials<V> const& student, row::exponentials<V> const& taught, V gap) const {
    const V log_ratio = log(taught.sum / student.sum);
    return {student.sum, taught.sum, gap, log_ratio, gap / (student.sum * V(temperature)) + log_ratio};
  }
  template <operand V>
  HONE_HD auto is_close(sums<V> const& s) const {
    return s.rough < V(detail::close_rows);
  }
  template <operand V, class E>
  [[gnu::always_inline]] HONE_HD bundle<V, 2> close(sums<V> const& s, E const& e) const {
    const detail::divergence_part<V> part(row::weight<0>(e), row::weight<1>(e) * (s.student / s.taught),
                                          -apart<V>(e) * V(1 / temperature) - s.log_ratio);
    return {{part.excess, part.linear}};
  }
  template <operand V>
  HONE_HD result<V> finish(sums<V> const& s, bundle<V, 2> const& close) const {
    const V T(temperature), rate = V(1) / s.student;
    const detail::divergence_of_sums<V> exact(close[0] * rate, close[1] * rate);
    return {T * (T * select(is_close(s), exact.value, s.rough)), rate, s.gap * rate};
  }
  template <operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const& e) const {
    const V w = row::weight<0>(e);
    return r.rate * w * select(w == V(0), V(0), apart<V>(e) - r.mean);
  }
};

/// T²·KL(softmax(z/T) ‖ softmax(teacher/T)) (Gu et al. 2023, arXiv 2306.08543; Agarwal et al. 2023, arXiv 2306.13649).
/// Takes the teacher's logits and T as distillation does. A class whose teacher logit is -inf is left out of the
/// student's softmax and has gradient 0. Throws hone::invalid_argument if T is not finite and positive.
template <class View>
auto reverse_distillation(View teacher_logits, real temperature) {
  detail::require_positive("reverse_distillation", "temperature", temperature.value);
  return reverse_distillation_term(detail::teacher_view(teacher_logits), temperature.value);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
