// SPDX-License-Identifier: MIT
/// Knowledge distillation by the generalized Jensen-Shannon divergence, which is bounded and finite everywhere.
#pragma once

#include <hone/core/view.hpp>
#include <hone/distil/divergence.hpp>
#include <hone/loss/row/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct jensen_shannon_options {
  real beta = 0.5;  ///< the teacher's part of the mixture; towards 0 the forward, towards 1 the reverse divergence
};

/// With s = softmax(z/T), t the teacher's softmax at T, m = β t + (1-β) s and d = log t - log s:
///   value     T² (β KL(t ‖ m) + (1-β) KL(s ‖ m))
///   gradient  T (1-β) s (log s/m - KL(s ‖ m))
/// log m/s = log(1 + β (e^d - 1)), or d + log(1 + (1-β) (e^-d - 1)) where d > 0: neither rounds to anything but 0 at
/// d = 0, and no exponential is of a positive number. What log m/s and log m/t add up to is of second order in d, so
/// that where rows are close both are taken together, class by class: with v = (t - s)/m
///   β t log t/m + (1-β) s log s/m - (β t + (1-β) s - m) = m Σ_{n≥2} vⁿ β (1-β) (βⁿ⁻¹ - (β-1)ⁿ⁻¹) / (n (n-1))
template <class View>
struct jensen_shannon_term : row_term_base {
  static constexpr bool needs_softmax = false, has_teacher = true;
  static constexpr int sums = 2, kept = 2, late = 2, fine = 2;

  View teacher;
  double temperature, beta;

  jensen_shannon_term(View teacher_, double temperature_, double beta_)
      : teacher(teacher_), temperature(temperature_), beta(beta_) {}

  template <operand V>
  struct row {
    V loss, rate, shift, mean, inverse;  // shift: of log t - log s; inverse: 1 / Σ exp(z/T)
  };
  template <operand V>
  struct mixed {
    V student, teacher;  // log m/s, log m/t
  };

  template <operand V>
  [[gnu::always_inline]] HONE_HD mixed<V> mixture(V d) const {
    const V part = select(d < V(0), V(beta), V(1 - beta)), rest = log1p(part * expm1(-abs(d)));
    return {select(d < V(0), rest, d + rest), select(d < V(0), rest - d, rest)};
  }
  /// Σ vⁿ⁻² β (1-β) (up - down) / (n (n-1)) from n = N on; up = βⁿ⁻¹, down = (β-1)ⁿ⁻¹.
  template <int N, operand V>
  [[gnu::always_inline]] HONE_HD V series(V v, V up, V down) const {
    const V of_this = V(beta * (1 - beta) / (N * (N - 1))) * (up - down);
    if constexpr (N == (detail::computes_in_float<V> ? 8 : 14)) {
      return of_this;
    } else {
      return of_this + v * series<N + 1>(v, up * V(beta), down * V(beta - 1));
    }
  }
  template <operand V>
  HONE_HD V between(row_statistics<V> const& s) const {
    return log(s.sums[0] / s.sums[1]);
  }

  template <operand V>
  HONE_HD void first(row_element<V>& e, V (&sums_)[3]) const {
    const V rate(1 / temperature);
    e.kept[0] = exp_of_nonpositive(e.z * rate);
    e.kept[1] = (e.t - max(e.z, V(-3e38))) * rate;  // of -inf twice no NaN, which would raise an exception
    sums_[0] = sums_[0] + e.kept[0];
    sums_[1] = sums_[1] + exp_of_nonpositive(e.t * rate);
  }
  template <operand V>
  HONE_HD void rebase(V (&sums_)[3], V rise, V teacher_rise) const {
    const V rate(1 / temperature);
    sums_[0] = sums_[0] * exp_of_nonpositive(-rise * rate);
    sums_[1] = sums_[1] * exp_of_nonpositive(-teacher_rise * rate);
  }
  template <operand V>
  HONE_HD void second(row_element<V> const& e, row_statistics<V> const& s, V (&late_)[2]) const {
    const V none(0), taught = exp_of_nonpositive(e.t * V(1 / temperature));
    const mixed<V> m = mixture(e.kept[1] + s.given);
    late_[0] = late_[0] + e.kept[0] * select(e.kept[0] == none, none, m.student);
    late_[1] = late_[1] + taught * select(taught == none, none, m.teacher);
  }
  template <operand V>
  HONE_HD V plain(row_statistics<V> const& s) const {
    return V(0) - (V(beta) * (s.late[1] / s.sums[1]) + V(1 - beta) * (s.late[0] / s.sums[0]));
  }
  /// The rounding of log m/s and log m/t is a part in 2^24 of d: from d = 1/30 on five digits are left.
  template <operand V>
  HONE_HD auto refines(row_statistics<V> const& s) const {
    return plain(s) < V(1e-3 * beta * (1 - beta));
  }
  template <operand V>
  [[gnu::always_inline]] HONE_HD void refine(row_element<V>& e, row_statistics<V> const& s, V (&fine_)[2]) const {
    const V none(0), d = e.kept[1] + s.given, student = e.kept[0] / s.sums[0];
    const V taught = exp_of_nonpositive(e.t * V(1 / temperature)) / s.sums[1];
    const mixed<V> m = mixture(d);
    const V far = V(beta) * taught * select(taught == none, none, m.teacher) +
                  V(1 - beta) * student * select(student == none, none, m.student);
    const V least(-1.0 / 16), most(1.0 / 16), small = min(max(d, least), most);
    const V rise = small + detail::exponential_excess(small), to_mean = V(1) + V(beta) * rise, v = rise / to_mean;
    const V near = student * to_mean * (v * v) * series<2>(v, V(beta), V(beta - 1));
    fine_[0] = fine_[0] + select(abs(d) < most, near, -far);
    fine_[1] = fine_[1] + student * select(student == none, none, d);
  }
  /// The sum of refine(), less what the rounding δ of s.given adds to it, β (1-β) δ²/2. Σ s d would be -KL(s ‖ t),
  /// which is the sum over β (1-β) where rows are as close as δ matters; what is more than a rounding is no δ.
  template <operand V>
  HONE_HD V exact(row_statistics<V> const& s) const {
    const V scale(beta * (1 - beta)), off = s.fine[1] + s.fine[0] / scale;
    const V most(detail::computes_in_float<V> ? 2e-6 : 4e-15);
    return max(s.fine[0] - select(abs(off) < most, scale * (off * off) * V(0.5), V(0)), V(0));
  }
  template <operand V>
  HONE_HD row<V> finish(row_statistics<V> const& s) const {
    const V T(temperature), inverse = V(1) / s.sums[0], value = select(refines(s), exact(s), plain(s));
    return {T * (T * value), T * V(1 - beta), s.given, s.late[0] * inverse, inverse};
  }
  template <operand V>
  HONE_HD V gradient(row<V> const& r, row_element<V> const& e) const {
    const V less = r.mean - mixture(e.kept[1] + r.shift).student;
    return r.rate * (e.kept[0] * r.inverse) * select(e.kept[0] == V(0), V(0), less);
  }
};

namespace detail {

template <class View>
jensen_shannon_term<View> distil_between(View teacher, double temperature, double beta) {
  require_positive("jensen_shannon_distillation", "temperature", temperature);
  require(beta > 0 && beta < 1, "jensen_shannon_distillation", "beta", beta,
          "in (0, 1): 0 is distillation, 1 is reverse_distillation");
  return {teacher, temperature, beta};
}

}  // namespace detail

/// T²·(β KL(t ‖ m) + (1-β) KL(s ‖ m)) with m = β t + (1-β) s (Agarwal et al. 2023, arXiv 2306.13649). The teacher's
/// logits and T as in distillation. β in (0, 1). Below T² log 2 for β = 1/2; a logit of -inf, of either, is a
/// probability of 0.
template <class T>
auto jensen_shannon_distillation(matrix_view<T> teacher_logits, real temperature, jensen_shannon_options options = {}) {
  return detail::distil_between(matrix_view<const T>(teacher_logits), temperature.value, options.beta.value);
}
template <class T>
auto jensen_shannon_distillation(image_view<T> teacher_logits, real temperature, jensen_shannon_options options = {}) {
  return detail::distil_between(image_view<const T>(teacher_logits), temperature.value, options.beta.value);
}

static_assert(row_term<jensen_shannon_term<matrix_view<const float>>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
