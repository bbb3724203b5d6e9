// SPDX-License-Identifier: MIT
/// Knowledge distillation: compares a student's logits with a teacher's.
#pragma once

#include <hone/distil/divergence.hpp>
#include <hone/distil/teacher_view.hpp>
#include <hone/loss/row/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// With s = softmax(z/T), t the teacher's softmax at T, and both logits minus their maxima:
///   value     T² KL(t ‖ s) = T² (Σ t (teacher - z)/T - log Σ exp(teacher/T) + log Σ exp(z/T))
///   gradient  T (s - t)
/// A class to which the teacher gives probability 0 contributes 0. If s and t are close, s - t is computed from their
/// logarithms (distil/divergence.hpp).
template <class View>
struct distillation_term : row_term_base {
  using statistics = row::list<row::tempered<row::logits>, row::tempered<row::teacher>,
                               row::total<1, row::difference<1, 0>>>;  // Σ exp(teacher/T) (teacher - z)
  using close_sweep = row::sweep<2, row::all, 1>;  // replaces the teacher's w by w (e^x - 1), x = log s/t

  View teacher;
  double temperature;

  distillation_term(View teacher_, double temperature_) : teacher(teacher_), temperature(temperature_) {}

  template <operand V>
  struct sums {
    V student, taught, log_ratio, rough;  // log_ratio: log(student/taught); rough: KL(t ‖ s) by differences
  };
  template <operand V>
  struct result {
    V loss, student, taught;
  };

  template <operand V>
  HONE_HD sums<V> start(row::exponentials<V> const& student, row::exponentials<V> const& taught, V gap) const {
    const V log_ratio = log(student.sum / taught.sum);
    return {student.sum, taught.sum, log_ratio, gap / (taught.sum * V(temperature)) + log_ratio};
  }
  template <operand V>
  HONE_HD auto is_close(sums<V> const& s) const {
    return s.rough < V(detail::close_rows);
  }
  template <operand V, class E>
  [[gnu::always_inline]] HONE_HD row::replaced<V, 2> close(sums<V> const& s, E const& e) const {
    const V apart = row::coordinate_of<0>(e) - max(row::coordinate_of<1>(e), V(-3e38));  // two -inf give no NaN
    const detail::divergence_part<V> part(row::weight<1>(e), row::weight<0>(e) * (s.taught / s.student),
                                          apart * V(1 / temperature) - s.log_ratio);
    return {{{part.excess, part.linear}}, part.rise};
  }
  template <operand V>
  HONE_HD result<V> finish(sums<V> const& s, bundle<V, 2> const& close) const {
    const V T(temperature), student = T / s.student, inverse = V(1) / s.taught, taught = T * inverse;
    const detail::divergence_of_sums<V> exact(close[0] * inverse, close[1] * inverse);
    const auto near = is_close(s);
    return {T * (T * select(near, exact.value, s.rough)), select(near, -exact.change * student, student),
            select(near, -taught, taught)};
  }
  template <operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const& e) const {
    return r.student * row::weight<0>(e) - r.taught * row::weight<1>(e);
  }
};

/// T²·KL(softmax(teacher/T) ‖ softmax(z/T)) (Hinton et al. 2015, arXiv 1503.02531). The teacher's logits are a view of
/// the prediction's shape, of any number type. Skips the rows that the targets of the same objective ignore. Throws
/// hone::invalid_argument if T is not finite and positive.
template <class View>
auto distillation(View teacher_logits, real temperature) {
  detail::require_positive("distillation", "temperature", temperature.value);
  return distillation_term(detail::teacher_view(teacher_logits), temperature.value);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
