// SPDX-License-Identifier: MIT
/// Knowledge distillation in two parts: the teacher's confidence in the label, and its ranking of the other classes.
#pragma once

#include <hone/distil/divergence.hpp>
#include <hone/distil/teacher_view.hpp>
#include <hone/loss/row/term.hpp>
#include <hone/target/classes.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct decoupled_distillation_options {
  real alpha = 1;  ///< weight of the label against all other classes; finite, >= 0
  real beta = 8;   ///< weight of the other classes among themselves; finite, >= 0
};

/// With y the label, u and v the student's and the teacher's softmax at T over the classes except y, the log-odds of y
/// a = z_y/T - log Σ_{c≠y} exp(z_c/T) of the student, and b of the teacher:
///   value     T² (α KL(σ(b) ‖ σ(a)) + β KL(v ‖ u)),  the former between two classes, y and not y
///   gradient  T α (σ(a) - σ(b)) for y,  T (u (β - α (σ(a) - σ(b))) - β v) for the others
/// p_y and 1 - p_y are both computed directly, never from each other, so that both keep their digits however confident
/// a model is. If a and b, or u and v, are close, neither is their difference (distil/divergence.hpp).
template <class Target, class View>
struct decoupled_distillation_term : row_term_base {
  using statistics =
      row::list<row::tempered<row::logits, row::unlabelled>, row::tempered<row::teacher, row::unlabelled>,
                row::total<1, row::difference<1, 0>>>;  // Σ exp(teacher/T) (teacher - z)
  using later_sweep = row::sweep<2, row::labelled>;     // the label's logits minus the maxima of the others
  using close_sweep = row::sweep<2, row::all, 1>;

  Target target;
  View teacher;
  double temperature, alpha, beta;

  decoupled_distillation_term(Target target_, View teacher_, double temperature_, double alpha_, double beta_)
      : target(target_), teacher(teacher_), temperature(temperature_), alpha(alpha_), beta(beta_) {}

  /// Sums over the classes except y. log_ratio is log Σ exp(z/T) - log Σ exp(teacher/T), or only the first part if the
  /// teacher allows none of them. rough is KL(v ‖ u), computed from the difference of logarithms.
  template <operand V>
  struct sums {
    V student, taught, log_ratio, rough;
  };
  template <operand V>
  struct result {
    V loss, label, student, taught;
  };
  /// The probabilities of yes and no, and their logarithms, from the log-odds x of yes.
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

  /// Returns p (log p - log q), or 0 if p is 0.
  template <operand V>
  HONE_HD static V part(V p, V log_p, V log_q) {
    return p * select(p == V(0), V(0), max(log_p, V(-3e38)) - log_q);
  }

  /// Returns x, or 1 if x is 0 (a sum over no class), so that it can be a divisor.
  template <operand V>
  HONE_HD static V or_one(V x) {
    return select(x == V(0), V(1), x);
  }

  template <operand V>
  HONE_HD sums<V> start(row::exponentials<V> const& student, row::exponentials<V> const& taught, V gap) const {
    const V none(0), all_student = select(max(student.sum, taught.sum) == none, V(1), student.sum);
    const V log_ratio = log(all_student / or_one(taught.sum));
    return {student.sum, taught.sum, log_ratio, gap / (or_one(taught.sum) * V(temperature)) + log_ratio};
  }
  template <operand V, class E>
  HONE_HD bundle<V, 2> later(sums<V> const&, E const& e) const {
    const auto other = row::target_of(e) == V(0);
    return {{select(other, V(0), row::coordinate_of<0>(e)), select(other, V(0), row::coordinate_of<1>(e))}};
  }
  template <operand V>
  HONE_HD auto is_close(sums<V> const& s, bundle<V, 2> const&) const {
    return s.rough < V(detail::close_rows);
  }
  template <operand V, class E>
  [[gnu::always_inline]] HONE_HD row::replaced<V, 2> close(sums<V> const& s, E const& e) const {
    const V apart = row::coordinate_of<0>(e) - max(row::coordinate_of<1>(e), V(-3e38));  // two -inf give no NaN
    const detail::divergence_part<V> part(row::weight<1>(e), row::weight<0>(e) * (s.taught / or_one(s.student)),
                                          apart * V(1 / temperature) - s.log_ratio);
    return {{{part.excess, part.linear}}, part.rise};
  }

  /// The first part: the loss of the label from the log-odds b of the teacher and a of the student; apart = a - b.
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
  HONE_HD result<V> finish(sums<V> const& s, bundle<V, 2> const& logits, bundle<V, 2> const& close) const {
    const V T(temperature), a(alpha), none(0), inverse = V(1) / or_one(s.taught);
    const auto near = is_close(s, logits);
    const detail::divergence_of_sums<V> exact(close[0] * inverse, close[1] * inverse);
    const V others_apart = s.log_ratio + select(near, exact.change, none), log_teacher = log(s.taught);
    const V log_student = select(s.taught == none, none, log_teacher) + s.log_ratio;
    const V taught = logits[1] / T - log_teacher, apart = (logits[0] - logits[1]) / T - others_apart;
    const label_part<V> label(decision<V>(logits[0] / T - log_student), decision<V>(taught), taught, apart);
    const V b = select(s.taught == none, none, V(beta));  // no other class is possible: there is no ranking
    const V of_others = select(b == none, none, select(near, exact.value, s.rough));
    const V student = b - a * label.surer, reference = select(b == none, none, T * b * inverse);
    return {T * (T * (a * label.loss + b * of_others)), T * a * label.surer,
            select(s.student == none, none,
                   T * select(near, -(b * exact.change + a * label.surer), student) / or_one(s.student)),
            select(near, -reference, reference)};
  }
  template <operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const& e) const {
    return select(row::target_of(e) == V(0), r.student * row::weight<0>(e) - r.taught * row::weight<1>(e), r.label);
  }
};

/// T²·(α TCKD + β NCKD), decoupled knowledge distillation (Zhao et al. 2022, arXiv 2203.08679). Takes
/// hone::classes(labels), and the teacher's logits and T as distillation does. Throws if T, α or β is out of range.
template <class Target, class View>
auto decoupled_distillation(Target target, View teacher_logits, real temperature,
                            decoupled_distillation_options options = {}) {
  static_assert(detail::is_classes<Target>, "decoupled_distillation: the first argument must be hone::classes(labels)");
  const double alpha = options.alpha, beta = options.beta;
  detail::require_positive("decoupled_distillation", "temperature", temperature.value);
  detail::require(alpha >= 0 && detail::finite(alpha), "decoupled_distillation", "alpha", alpha,
                  "finite and not negative");
  detail::require(beta >= 0 && detail::finite(beta), "decoupled_distillation", "beta", beta, "finite and not negative");
  return decoupled_distillation_term(target, detail::teacher_view(teacher_logits), temperature.value, alpha, beta);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
