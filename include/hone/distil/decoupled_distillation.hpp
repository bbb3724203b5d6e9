// SPDX-License-Identifier: MIT
/// Knowledge distillation in two parts: how sure the teacher is of the label, and how it ranks the other classes.
#pragma once

#include <hone/core/view.hpp>
#include <hone/distil/divergence.hpp>
#include <hone/loss/row/term.hpp>
#include <hone/target/classes.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct decoupled_distillation_options {
  real alpha = 1;  ///< of the label against all other classes
  real beta = 8;   ///< of the other classes among themselves
};

/// With y the label, u and v the student's and the teacher's softmax at T over the classes but y, and the log-odds of y
/// against them, a = z_y/T - log Σ_{c≠y} exp(z_c/T) of the student and b of the teacher:
///   value     T² (α KL(σ(b) ‖ σ(a)) + β KL(v ‖ u)),  the first of two classes
///   gradient  T α (σ(a) - σ(b)) of y,  T (u (β - α (σ(a) - σ(b))) - β v) of others
/// Neither p_y nor 1 - p_y is ever formed from the other, so that both keep their digits however sure a model is; nor,
/// where a and b or u and v are close, their difference from them (distil/divergence.hpp).
template <class Target, class View>
struct decoupled_distillation_term : row_term_base {
  static constexpr bool needs_softmax = false, has_target = true, has_teacher = true, splits = true;
  static constexpr int sums = 3, kept = 2, late = 2, fine = 2;

  Target target;
  View teacher;
  double temperature, alpha, beta;

  decoupled_distillation_term(Target target_, View teacher_, double temperature_, double alpha_, double beta_)
      : target(target_), teacher(teacher_), temperature(temperature_), alpha(alpha_), beta(beta_) {}

  template <operand V>
  struct row {
    V loss, label, student, taught;
  };
  /// A decision by its log-odds x.
  template <operand V>
  struct decision {
    V yes, no, log_yes, log_no;

    HONE_HD explicit decision(V x) {
      const V e = exp_of_nonpositive(max(-abs(x), V(-1e4))), other = log1p_of_unit(e);
      yes = select(x < V(0), e, V(1)) / (V(1) + e);
      no = select(x < V(0), V(1), e) / (V(1) + e);
      log_yes = min(x, V(0)) - other;
      log_no = min(-x, V(0)) - other;
    }
  };

  /// p (log p - log q), 0 where p is.
  template <operand V>
  HONE_HD static V part(V p, V log_p, V log_q) {
    return p * select(p == V(0), V(0), max(log_p, V(-3e38)) - log_q);
  }

  template <operand V>
  HONE_HD auto rest(row_element<V> const& e) const {
    return e.q == V(0);
  }
  template <operand V>
  HONE_HD void first(row_element<V>& e, V (&sums_)[3]) const {
    const V rate(1 / temperature), none(0);
    e.kept[0] = select(rest(e), exp_of_nonpositive(min(e.rest, none) * rate), none);
    e.kept[1] = select(rest(e), exp_of_nonpositive(min(e.t, none) * rate), none);
    sums_[0] = sums_[0] + e.kept[0];
    sums_[1] = sums_[1] + e.kept[1];
    const V difference = max(e.t, V(-3e38)) - e.rest;  // of -inf twice no NaN, which would raise an exception
    sums_[2] = sums_[2] + e.kept[1] * select(e.kept[1] == none, none, difference);
  }
  template <operand V>
  HONE_HD void rebase(V (&sums_)[3], V, V teacher_rise, V rise) const {
    const V rate(1 / temperature), taught = exp_of_nonpositive(-teacher_rise * rate);
    sums_[0] = sums_[0] * exp_of_nonpositive(-rise * rate);
    sums_[2] = select(sums_[1] * taught == V(0), V(0), taught * (sums_[2] + sums_[1] * (rise - teacher_rise)));
    sums_[1] = sums_[1] * taught;
  }
  /// The label's logits.
  template <operand V>
  HONE_HD void second(row_element<V> const& e, row_statistics<V> const&, V (&late_)[2]) const {
    late_[0] = late_[0] + select(rest(e), V(0), e.rest);
    late_[1] = late_[1] + select(rest(e), V(0), e.t);
  }
  /// x as a divisor: 1 in place of 0, the sum over no class.
  template <operand V>
  HONE_HD static V or_one(V x) {
    return select(x == V(0), V(1), x);
  }
  // Of the other classes among themselves, as in distillation; the label has no weight there.
  /// log Σ exp(z/T) - log Σ exp(teacher/T), of the classes but y; the first alone where the teacher allows none of
  /// them.
  template <operand V>
  HONE_HD V between(row_statistics<V> const& s) const {
    const V none(0), all_student = select(max(s.sums[0], s.sums[1]) == none, V(1), s.sums[0]);
    return log(all_student / or_one(s.sums[1]));
  }
  /// From the difference of logarithms.
  template <operand V>
  HONE_HD V rough(row_statistics<V> const& s) const {
    return s.sums[2] / (or_one(s.sums[1]) * V(temperature)) + s.given;
  }
  template <operand V>
  HONE_HD auto refines(row_statistics<V> const& s) const {
    return rough(s) < V(detail::close_rows);
  }
  template <operand V>
  [[gnu::always_inline]] HONE_HD void refine(row_element<V>& e, row_statistics<V> const& s, V (&fine_)[2]) const {
    const detail::divergence_part<V> part(e.kept[1], e.kept[0] * (s.sums[1] / or_one(s.sums[0])),
                                          (e.rest - max(e.t, V(-3e38))) * V(1 / temperature) - s.given);
    fine_[0] = fine_[0] + part.excess;
    fine_[1] = fine_[1] + part.linear;
    e.kept[1] = part.rise;
  }

  /// The first of two: what the label is worth by its log-odds b of the teacher and a of the student, apart = a - b.
  template <operand V>
  struct label_part {
    V loss, surer;  // surer: σ(a) - σ(b)

    HONE_HD label_part(decision<V> const& student, decision<V> const& taught, V b, V apart) {
      const V far_loss =
          part(taught.yes, taught.log_yes, student.log_yes) + part(taught.no, taught.log_no, student.log_no);
      const V far_surer = select(b < V(0), student.yes - taught.yes, taught.no - student.no);
      const V x = min(max(apart, V(-detail::near_logarithms)), V(detail::near_logarithms));
      const V excess = taught.yes * detail::exponential_excess(taught.no * x) +
                       taught.no * detail::exponential_excess(-(taught.yes * x));
      const V rise = x + detail::exponential_excess(x);  // e^x - 1
      const auto is_near = abs(apart) < V(detail::near_logarithms);
      loss = select(is_near, detail::small_log1p(excess), far_loss);
      surer = select(is_near, taught.yes * taught.no * rise / (V(1) + taught.yes * rise), far_surer);
    }
  };

  template <operand V>
  HONE_HD row<V> finish(row_statistics<V> const& s) const {
    const V T(temperature), a(alpha), none(0), inverse = V(1) / or_one(s.sums[1]);
    const auto is_close = refines(s);
    const detail::divergence_of_sums<V> exact(s.fine[0] * inverse, s.fine[1] * inverse);
    const V others_apart = s.given + select(is_close, exact.change, none), log_teacher = log(s.sums[1]);
    const V log_student = select(s.sums[1] == none, none, log_teacher) + s.given;
    const V taught = s.late[1] / T - log_teacher, apart = (s.late[0] - s.late[1]) / T - others_apart;
    const label_part<V> label(decision<V>(s.late[0] / T - log_student), decision<V>(taught), taught, apart);
    const V b = select(s.sums[1] == none, none, V(beta));  // no other class is possible: there is nothing to rank
    const V of_others = select(b == none, none, select(is_close, exact.value, rough(s)));
    const V student = b - a * label.surer, reference = select(b == none, none, T * b * inverse);
    return {T * (T * (a * label.loss + b * of_others)), T * a * label.surer,
            select(s.sums[0] == none, none,
                   T * select(is_close, -(b * exact.change + a * label.surer), student) / or_one(s.sums[0])),
            select(is_close, -reference, reference)};
  }
  template <operand V>
  HONE_HD V gradient(row<V> const& r, row_element<V> const& e) const {
    return select(rest(e), r.student * e.kept[0] - r.taught * e.kept[1], r.label);
  }
};

namespace detail {

template <class Target>
inline constexpr bool is_classes = false;
template <class Label>
inline constexpr bool is_classes<classes_target<Label>> = true;

template <class Target, class View>
auto distil_decoupled(Target target, View teacher, double temperature, decoupled_distillation_options options) {
  static_assert(is_classes<Target>, "decoupled_distillation: the first argument must be hone::classes(labels)");
  const double alpha = options.alpha, beta = options.beta;
  require_positive("decoupled_distillation", "temperature", temperature);
  require(alpha >= 0 && finite(alpha), "decoupled_distillation", "alpha", alpha, "finite and not negative");
  require(beta >= 0 && finite(beta), "decoupled_distillation", "beta", beta, "finite and not negative");
  return decoupled_distillation_term<Target, View>(target, teacher, temperature, alpha, beta);
}

}  // namespace detail

/// T²·(α TCKD + β NCKD), decoupled knowledge distillation (Zhao et al. 2022, arXiv 2203.08679). The target is
/// hone::classes(labels); the teacher's logits and T as in distillation; α and β finite and not negative.
template <class Target, class T>
auto decoupled_distillation(Target target, matrix_view<T> teacher_logits, real temperature,
                            decoupled_distillation_options options = {}) {
  return detail::distil_decoupled(target, matrix_view<const T>(teacher_logits), temperature.value, options);
}
template <class Target, class T>
auto decoupled_distillation(Target target, image_view<T> teacher_logits, real temperature,
                            decoupled_distillation_options options = {}) {
  return detail::distil_decoupled(target, image_view<const T>(teacher_logits), temperature.value, options);
}

static_assert(row_term<decoupled_distillation_term<classes_target<int>, matrix_view<const float>>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
