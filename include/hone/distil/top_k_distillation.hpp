// SPDX-License-Identifier: MIT
/// Knowledge distillation from a teacher's likeliest classes, the others as one.
#pragma once

#include <hone/core/overlap.hpp>
#include <hone/distil/divergence.hpp>
#include <hone/distil/top_k.hpp>
#include <hone/loss/row/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// With t the listed probabilities and t_R that of the rest, scaled to the sum 1, s = softmax(z/T), s_R = Σ s of the
/// classes that are not listed, and u = s/s_R their softmax among themselves:
///   value     T² (Σ t log(t/s) + t_R log(t_R/s_R)), the sum over the listed classes
///   gradient  T (s - t) of listed classes, T u (s_R - t_R) of others
/// s_R comes from a sum over the rest with a maximum of its own, never from 1 - Σ s; and s - t of listed classes from
/// their logarithms where these are close (distil/divergence.hpp).
struct top_k_distillation_term : row_term_base {
  static constexpr bool needs_softmax = false, splits = true, has_list = true;
  static constexpr int sums = 3, kept = 2, fine = 2;

  top_k_view teacher;
  double temperature;

  explicit top_k_distillation_term(top_k_view teacher_) : teacher(teacher_), temperature(teacher_.temperature) {}

  template <operand V>
  struct row {
    V loss, student, taught, rest;
  };

  template <class See>
  void each_input(See const& see) const {
    const index listed = teacher.rows * teacher.k;
    see("top_k_distillation teacher", detail::footprint_of(teacher.classes, listed));
    see("top_k_distillation teacher", detail::footprint_of(teacher.log_probabilities, listed));
    see("top_k_distillation teacher", detail::footprint_of(teacher.rest, teacher.rows));
  }
  void check_shape(index rows, index columns) const {
    if (teacher.rows != rows || teacher.columns != columns)
      detail::fail("evaluate: top_k_distillation teacher is of %jd x %jd, prediction is %jd x %jd",
                   std::intmax_t(teacher.rows), std::intmax_t(teacher.columns), std::intmax_t(rows),
                   std::intmax_t(columns));
  }
  /// Classes that rise, in [0, columns).
  void check_values(index rows, index columns) const {
    for (index i = 0; i < rows; ++i)
      for (index j = 0, last = -1; j < teacher.k; ++j) {
        const index c = teacher.classes[i * teacher.k + j];
        if (c <= last || c >= columns)
          detail::fail("evaluate: class %jd of row %jd of the top_k_distillation teacher is %jd, must be in (%jd, %jd)",
                       std::intmax_t(j), std::intmax_t(i), std::intmax_t(c), std::intmax_t(last),
                       std::intmax_t(columns));
        last = c;
      }
  }

  HONE_HD float given(index i) const { return teacher.rest[i]; }
  HONE_CALLS_GIVEN template <class Put>
  HONE_HD void list(index i, Put const& put) const {
    for (index j = i * teacher.k; j < (i + 1) * teacher.k; ++j)
      put(index(teacher.classes[j]), teacher.log_probabilities[j]);
  }
  HONE_HD float listed(index i, index column) const {
    index low = i * teacher.k, high = low + teacher.k;  // the first that is not below
    const index end = high;
    while (low < high) {
      const index middle = low + (high - low) / 2;
      if (teacher.classes[middle] < column) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low < end && teacher.classes[low] == column ? teacher.log_probabilities[low] : 1.0f;
  }

  template <operand V>
  HONE_HD auto rest(row_element<V> const& e) const {
    return e.t > V(0);
  }
  template <operand V>
  HONE_HD void first(row_element<V>& e, V (&sums_)[3]) const {
    const V rate(1 / temperature), none(0);
    e.kept[0] = exp_of_nonpositive(select(rest(e), min(e.rest, none), e.z) * rate);
    e.kept[1] = select(rest(e), V(unlisted), exp_of_nonpositive(min(e.t, none)));
    sums_[0] = sums_[0] + select(rest(e), none, e.kept[0]);
    sums_[1] = sums_[1] + select(rest(e), e.kept[0], none);
    sums_[2] = sums_[2] + max(e.kept[1], none);
  }
  template <operand V>
  HONE_HD void rebase(V (&sums_)[3], V rise, V, V rest_rise) const {
    const V rate(1 / temperature);
    sums_[0] = sums_[0] * exp_of_nonpositive(-rise * rate);
    sums_[1] = sums_[1] * exp_of_nonpositive(-rest_rise * rate);
  }
  /// log s/t of all classes but for the row's factors: log Σ exp(z/T) - log Σ t.
  template <operand V>
  HONE_HD V between(row_statistics<V> const& s) const {
    return log(student(s) / taught(s));
  }
  template <operand V>
  HONE_HD auto refines(row_statistics<V> const&) const {
    return V(0) < V(1);
  }
  /// Of listed classes: the sums of the divergence, and t (e^x - 1) in place of t, x = log s/t.
  template <operand V>
  [[gnu::always_inline]] HONE_HD void refine(row_element<V>& e, row_statistics<V> const& s, V (&fine_)[2]) const {
    const V none(0), listed = select(rest(e), none, V(1)), weight = max(e.kept[1], none);
    const detail::divergence_part<V> part(weight, listed * e.kept[0] * (taught(s) / student(s)),
                                          e.z * V(1 / temperature) - (max(min(e.t, none), V(-3e38)) + s.given));
    fine_[0] = fine_[0] + part.excess;
    fine_[1] = fine_[1] + part.linear;
    e.kept[1] = select(rest(e), e.kept[1], part.rise);
  }
  template <operand V>
  HONE_HD row<V> finish(row_statistics<V> const& s) const {
    const V T(temperature), none(0), lower = lowered(s);
    const V of_rest = exp_of_nonpositive(s.of_list), sum_of_t = taught(s);
    const V top = s.sums[0], others = s.sums[1] * lower, all = top + others;
    // log s_R, without the cancellation that log Σ - log Σ has where either is most of the other
    const V log_others = select(top < others, none, fall(s) + log(s.sums[1]) - log(top)) -
                         log1p_of_unit(min(top, others) / max(top, others));
    const V log_taught = max(s.of_list - log(sum_of_t), V(-3e38));  // of -inf twice no NaN
    const detail::divergence_part<V> bin(of_rest, others * (sum_of_t / all), log_others - log_taught);
    const detail::divergence_of_sums<V> kl((s.fine[0] + bin.excess) / sum_of_t, (s.fine[1] + bin.linear) / sum_of_t);
    const V change = T * kl.change / all, taught_rate = T / sum_of_t;
    return {T * (T * kl.value), -change, -taught_rate,
            select(s.sums[1] == none, none,
                   taught_rate * bin.rise / select(s.sums[1] == none, V(1), s.sums[1]) - change * lower)};
  }
  template <operand V>
  HONE_HD V gradient(row<V> const& r, row_element<V> const& e) const {
    const auto others = e.kept[1] == V(unlisted);
    return e.kept[0] * select(others, r.rest, r.student) - select(others, V(0), r.taught * e.kept[1]);
  }

 private:
  static constexpr int unlisted = -2;  // what is kept of a class that is not listed: t (e^x - 1) is at least -1

  /// The rest's largest logit relative to that of the row, over T; finite where there is no rest.
  template <operand V>
  HONE_HD V fall(row_statistics<V> const& s) const {
    return max(s.rest_max - s.max, V(-1e37)) / V(temperature);
  }
  /// The largest of the rest's exponentials relative to that of the row.
  template <operand V>
  HONE_HD V lowered(row_statistics<V> const& s) const {
    return exp_of_nonpositive(max(fall(s), V(-1e4)));
  }
  /// Σ exp(z/T), and Σ t of all bins.
  template <operand V>
  HONE_HD V student(row_statistics<V> const& s) const {
    return s.sums[0] + s.sums[1] * lowered(s);
  }
  template <operand V>
  HONE_HD V taught(row_statistics<V> const& s) const {
    return s.sums[2] + exp_of_nonpositive(s.of_list);
  }
};

/// T²·KL between a teacher and softmax(z/T) as distributions over the k classes that the teacher lists for the row, and
/// one bin of all others. T is the teacher's; its probabilities need not sum to 1 exactly. It skips the rows that the
/// targets of the same objective ignore. Throws where k or T is out of range; when evaluated, on the host, where the
/// listed classes do not rise or are none.
inline top_k_distillation_term top_k_distillation(top_k_view const& teacher) {
  const double temperature = teacher.temperature;
  detail::require_positive("top_k_distillation", "temperature", temperature);
  detail::require(teacher.k >= 1 && teacher.k <= teacher.columns, "top_k_distillation", "k", teacher.k,
                  "at least 1 and at most the number of classes");
  detail::require(teacher.rows >= 0, "top_k_distillation", "rows", teacher.rows, "not negative");
  if (teacher.rows > 0 && !(teacher.classes && teacher.log_probabilities && teacher.rest))
    detail::fail("top_k_distillation: the teacher has %jd rows but no data", std::intmax_t(teacher.rows));
  return top_k_distillation_term(teacher);
}
/// The batch is viewed, not copied.
inline top_k_distillation_term top_k_distillation(top_k_batch const& teacher) {
  const auto rows = static_cast<index>(teacher.rest.size()), listed = static_cast<index>(teacher.classes.size());
  if (rows != teacher.rows || listed != rows * teacher.k || teacher.log_probabilities.size() != teacher.classes.size())
    detail::fail(
        "top_k_distillation: the batch has %jd classes, %jd probabilities and the rest of %jd rows, for %jd "
        "rows of %jd",
        std::intmax_t(listed), std::intmax_t(teacher.log_probabilities.size()), std::intmax_t(rows),
        std::intmax_t(teacher.rows), std::intmax_t(teacher.k));
  return top_k_distillation(teacher.view());
}
void top_k_distillation(top_k_batch const&& teacher) = delete;  // it would dangle

static_assert(row_term<top_k_distillation_term>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
