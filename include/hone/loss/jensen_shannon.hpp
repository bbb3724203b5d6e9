// SPDX-License-Identifier: MIT
/// Knowledge distillation by the generalized Jensen-Shannon divergence, which is bounded and finite everywhere.
#pragma once

#include <hone/core/view.hpp>
#include <hone/loss/row_term.hpp>

namespace hone {

struct jensen_shannon_options {
  real beta = 0.5;  ///< the teacher's part of the mixture; towards 0 the forward, towards 1 the reverse divergence
};

/// With s = softmax(z/T), t the teacher's softmax at T, m = β t + (1-β) s and d = log t - log s:
///   value     T² (β KL(t ‖ m) + (1-β) KL(s ‖ m))
///   gradient  T (1-β) s (log s/m - KL(s ‖ m))
/// log m/s = log(1 + β (e^d - 1)), or d + log(1 + (1-β) (e^-d - 1)) where d > 0: neither rounds to anything but 0 at
/// d = 0, and no exponential is of a positive number.
template <class View>
struct jensen_shannon_term : row_term_base {
  static constexpr bool needs_softmax = false, has_teacher = true;
  static constexpr int sums = 2, kept = 2, late = 2;

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
  HONE_HD mixed<V> mixture(V d) const {
    const V part = select(d < V(0), V(beta), V(1 - beta)), rest = log1p(part * expm1(-abs(d)));
    return {select(d < V(0), rest, d + rest), select(d < V(0), rest - d, rest)};
  }
  template <operand V>
  HONE_HD V between(row_statistics<V> const& s) const {
    return log(s.sums[0]) - log(s.sums[1]);
  }

  template <operand V>
  HONE_HD void first(row_element<V>& e, V (&sums_)[3]) const {
    const V rate(1 / temperature);
    e.kept[0] = exp_of_nonpositive(e.z * rate);
    e.kept[1] = (e.t - e.z) * rate;
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
    late_[0] = late_[0] + select(e.kept[0] == none, none, e.kept[0] * m.student);
    late_[1] = late_[1] + select(taught == none, none, taught * m.teacher);
  }
  template <operand V>
  HONE_HD row<V> finish(row_statistics<V> const& s) const {
    const V T(temperature), b(beta), rest(1 - beta), inverse = V(1) / s.sums[0], own = s.late[0] * inverse;
    return {T * T * (V(0) - (b * (s.late[1] / s.sums[1]) + rest * own)), T * rest, s.given, own, inverse};
  }
  template <operand V>
  HONE_HD V gradient(row<V> const& r, row_element<V> const& e) const {
    return select(e.kept[0] == V(0), V(0),
                  r.rate * (e.kept[0] * r.inverse) * (r.mean - mixture(e.kept[1] + r.shift).student));
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

}  // namespace hone
