// SPDX-License-Identifier: MIT
/// Knowledge distillation by the generalised Jensen-Shannon divergence, which is bounded and finite everywhere.
#pragma once

#include <hone/distil/divergence.hpp>
#include <hone/distil/teacher_view.hpp>
#include <hone/loss/row/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct jensen_shannon_options {
  real beta = 0.5;  ///< in (0, 1): the teacher's part of the mixture; near 0 the forward, near 1 the reverse divergence
};

/// With s = softmax(z/T), t the teacher's softmax at T, m = β t + (1-β) s and d = log t - log s:
///   value     T² (β KL(t ‖ m) + (1-β) KL(s ‖ m))
///   gradient  T (1-β) s (log s/m - KL(s ‖ m))
/// log m/s is log(1 + β (e^d - 1)), or d + log(1 + (1-β) (e^-d - 1)) if d > 0: both are exactly 0 at d = 0, and no
/// exponential has a positive argument. In the value, the parts of log m/s and log m/t that are linear in d cancel, so
/// if rows are close, both are summed together, class by class: with v = (t - s)/m
///   β t log t/m + (1-β) s log s/m - (β t + (1-β) s - m) = m Σ_{n≥2} vⁿ β (1-β) (βⁿ⁻¹ - (β-1)ⁿ⁻¹) / (n (n-1))
template <class View>
struct jensen_shannon_term : row_term_base {
  using statistics = row::list<row::tempered<row::logits>, row::tempered<row::teacher>>;
  using later_sweep = row::sweep<2>;  // Σ exp(z/T) log m/s, Σ exp(teacher/T) log m/t
  using close_sweep = row::sweep<2>;
  static constexpr bool gradient_reads_coordinates = true;

  View teacher;
  double temperature, beta;

  jensen_shannon_term(View teacher_, double temperature_, double beta_)
      : teacher(teacher_), temperature(temperature_), beta(beta_) {}

  template <operand V>
  struct sums {
    V student, taught, shift;  // shift: of log t - log s
  };
  template <operand V>
  struct result {
    V loss, rate, shift, mean;
  };
  template <operand V>
  struct mixed {
    V student, teacher;  // log m/s, log m/t
  };

  template <operand V>
  [[gnu::always_inline]] HONE_HD mixed<V> mixture(V d) const {
    const V part = select(d < V(0), V(beta), V(1 - beta)), other = log1p(part * expm1(-abs(d)));
    return {select(d < V(0), other, d + other), select(d < V(0), other - d, other)};
  }
  /// Returns Σ vⁿ⁻² β (1-β) (up - down) / (n (n-1)) for n >= N; up = βⁿ⁻¹, down = (β-1)ⁿ⁻¹.
  template <int N, operand V>
  [[gnu::always_inline]] HONE_HD V series(V v, V up, V down) const {
    const V of_this = V(beta * (1 - beta) / (N * (N - 1))) * (up - down);
    if constexpr (N == (detail::computes_in_float<V> ? 8 : 14)) {
      return of_this;
    } else {
      return of_this + v * series<N + 1>(v, up * V(beta), down * V(beta - 1));
    }
  }
  /// Returns log t - log s of an element.
  template <operand V, class E>
  [[gnu::always_inline]] HONE_HD V log_ratio(V shift, E const& e) const {
    const V apart = row::coordinate_of<1>(e) - max(row::coordinate_of<0>(e), V(-3e38));  // two -inf give no NaN
    return apart * V(1 / temperature) + shift;
  }

  template <operand V>
  HONE_HD sums<V> start(row::exponentials<V> const& student, row::exponentials<V> const& taught) const {
    return {student.sum, taught.sum, log(student.sum / taught.sum)};
  }
  template <operand V, class E>
  HONE_HD bundle<V, 2> later(sums<V> const& s, E const& e) const {
    const V none(0), student = row::weight<0>(e), taught = row::weight<1>(e);
    const mixed<V> m = mixture(log_ratio(s.shift, e));
    return {{student * select(student == none, none, m.student), taught * select(taught == none, none, m.teacher)}};
  }
  template <operand V>
  HONE_HD V plain(sums<V> const& s, bundle<V, 2> const& later) const {
    return V(0) - (V(beta) * (later[1] / s.taught) + V(1 - beta) * (later[0] / s.student));
  }
  /// log m/s and log m/t have rounding errors of d / 2^24: for d of at least 1/30, five digits are left.
  template <operand V>
  HONE_HD auto is_close(sums<V> const& s, bundle<V, 2> const& later) const {
    return plain(s, later) < V(1e-3 * beta * (1 - beta));
  }
  template <operand V, class E>
  [[gnu::always_inline]] HONE_HD bundle<V, 2> close(sums<V> const& s, E const& e) const {
    const V none(0), d = log_ratio(s.shift, e), student = row::weight<0>(e) / s.student;
    const V taught = row::weight<1>(e) / s.taught;
    const mixed<V> m = mixture(d);
    const V far = V(beta) * taught * select(taught == none, none, m.teacher) +
                  V(1 - beta) * student * select(student == none, none, m.student);
    const V minimum(-1.0 / 16), maximum(1.0 / 16), small = min(max(d, minimum), maximum);
    const V rise = small + detail::exponential_excess(small), to_mean = V(1) + V(beta) * rise, v = rise / to_mean;
    const V near = student * to_mean * (v * v) * series<2>(v, V(beta), V(beta - 1));
    return {{select(abs(d) < maximum, near, -far), student * select(student == none, none, d)}};
  }
  /// Returns the sum of close() minus β (1-β) δ²/2, the effect of the rounding error δ of the shift. If δ matters, -Σ s
  /// d = KL(s ‖ t) is sum / (β (1-β)), so δ is Σ s d + sum / (β (1-β)); a δ too large for rounding is ignored.
  template <operand V>
  HONE_HD V exact(bundle<V, 2> const& close) const {
    const V scale(beta * (1 - beta)), off = close[1] + close[0] / scale;
    const V limit(detail::computes_in_float<V> ? 2e-6 : 4e-15);
    return max(close[0] - select(abs(off) < limit, scale * (off * off) * V(0.5), V(0)), V(0));
  }
  template <operand V>
  HONE_HD result<V> finish(sums<V> const& s, bundle<V, 2> const& later, bundle<V, 2> const& close) const {
    const V T(temperature), inverse = V(1) / s.student,
                            value = select(is_close(s, later), exact(close), plain(s, later));
    return {T * (T * value), T * V(1 - beta) * inverse, s.shift, later[0] * inverse};
  }
  template <operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const& e) const {
    const V w = row::weight<0>(e), less = r.mean - mixture(log_ratio(r.shift, e)).student;
    return r.rate * w * select(w == V(0), V(0), less);
  }
};

/// T²·(β KL(t ‖ m) + (1-β) KL(s ‖ m)) with m = β t + (1-β) s (Agarwal et al. 2023, arXiv 2306.13649). Takes the
/// teacher's logits and T as distillation does. The value is below T² log 2 for β = 1/2. A logit of -inf, of student or
/// teacher, is a probability of 0. Throws hone::invalid_argument if T is not finite and positive or β is not in (0, 1).
template <class View>
auto jensen_shannon_distillation(View teacher_logits, real temperature, jensen_shannon_options options = {}) {
  const double beta = options.beta;
  detail::require_positive("jensen_shannon_distillation", "temperature", temperature.value);
  detail::require(beta > 0 && beta < 1, "jensen_shannon_distillation", "beta", beta,
                  "in (0, 1): 0 is distillation, 1 is reverse_distillation");
  return jensen_shannon_term(detail::teacher_view(teacher_logits), temperature.value, beta);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
