// SPDX-License-Identifier: MIT
/// Knowledge distillation from a teacher's likeliest classes, the others as one.
#pragma once

#include <hone/distil/top_k.hpp>
#include <hone/loss/row_term.hpp>

namespace hone {

/// With t the listed probabilities and t_R that of the rest, scaled to the sum 1, s = softmax(z/T), s_R = Σ s of the
/// classes that are not listed, and u = s/s_R their softmax among themselves:
///   value     T² (Σ t log(t/s) + t_R log(t_R/s_R)), the sum over the listed classes
///   gradient  T (s - t) of listed classes, T u (s_R - t_R) of others
/// s_R comes from a sum over the rest with a maximum of its own, never from 1 - Σ s.
struct top_k_distillation_term : row_term_base {
  static constexpr bool needs_softmax = false, splits = true, has_list = true;
  static constexpr int sums = 3, kept = 2, late = 1;

  top_k_view teacher;
  double temperature;

  explicit top_k_distillation_term(top_k_view teacher_) : teacher(teacher_), temperature(teacher_.temperature) {}

  template <operand V>
  struct row {
    V loss, student, taught, rest;
  };

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
    e.kept[1] = select(rest(e), V(-1), exp_of_nonpositive(min(e.t, none)));
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
  template <operand V>
  HONE_HD void second(row_element<V> const& e, row_statistics<V> const&, V (&late_)[2]) const {
    late_[0] = late_[0] + select(e.kept[1] > V(0), e.kept[1] * (e.t - e.z * V(1 / temperature)), V(0));
  }
  template <operand V>
  HONE_HD row<V> finish(row_statistics<V> const& s) const {
    const V T(temperature), none(0), below = (s.rest_max - s.max) / T, lower = exp_of_nonpositive(below);
    const V of_rest = exp_of_nonpositive(s.given), taught = s.sums[2] + of_rest;
    const V top = s.sums[0], others = s.sums[1] * lower, all = top + others;
    // log s_R, without the cancellation that log Σ - log Σ has where either is most of the other
    const V log_others = select(top < others, V(0) - log1p_of_unit(min(top, others) / others),
                                below + log(s.sums[1]) - log(top) - log1p_of_unit(min(top, others) / top));
    const V of_listed = s.late[0] + s.sums[2] * (log(all) - log(taught));
    const V of_others = select(of_rest == none, none, of_rest * (s.given - log(taught) - log_others));
    return {T * T * ((of_listed + of_others) / taught), T / all, T / taught,
            T * (lower / all - select(of_rest == none, none, of_rest / (taught * s.sums[1])))};
  }
  template <operand V>
  HONE_HD V gradient(row<V> const& r, row_element<V> const& e) const {
    return e.kept[0] * select(e.kept[1] < V(0), r.rest, r.student) - r.taught * max(e.kept[1], V(0));
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

}  // namespace hone
