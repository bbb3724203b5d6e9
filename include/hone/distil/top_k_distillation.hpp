// SPDX-License-Identifier: MIT
/// Knowledge distillation from a teacher's likeliest classes, with all others as one class.
#pragma once

#include <hone/core/overlap.hpp>
#include <hone/distil/divergence.hpp>
#include <hone/distil/top_k.hpp>
#include <hone/loss/row/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// With t the listed probabilities and t_R that of the unlisted classes, scaled to the sum 1, s = softmax(z/T), their
/// sum s_R = Σ s over the unlisted classes, and u = s/s_R the softmax of the unlisted classes:
///   value     T² (Σ t log(t/s) + t_R log(t_R/s_R)), the sum over the listed classes
///   gradient  T (s - t) for listed classes, T u (s_R - t_R) for the others
/// s_R is a sum over the unlisted classes relative to their own maximum, never 1 - Σ s. If s and t of a listed class
/// are close, s - t is computed from their logarithms (distil/divergence.hpp).
struct top_k_distillation_term : row_term_base {
  using statistics = row::list<row::tempered<row::logits, row::listed>, row::tempered<row::logits, row::unlisted>,
                               row::softmax<row::listed_numbers, row::listed>, row::number>;
  using close_sweep = row::sweep<2, row::listed, 2>;  // replaces t by t (e^x - 1), x = log s/t

  top_k_view teacher;
  double temperature;

  explicit top_k_distillation_term(top_k_view teacher_) : teacher(teacher_), temperature(teacher_.temperature) {}

  template <operand V>
  struct sums {
    V top, unlisted, fall, lowered;   // top, unlisted: Σ exp(z/T) of these classes, relative to their maxima
    V student, taught, log_unlisted;  // sums of all classes; log_unlisted: the teacher's of the unlisted
    V log_ratio;                      // log s/t without the row's factors: log Σ exp(z/T) - log Σ t
  };
  template <operand V>
  struct result {
    V loss, student, taught, unlisted;
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
  /// Throws hone::invalid_argument if the listed classes of a row do not rise or are not in [0, columns).
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

  top_k_distillation_term of_rows(index first, index count) const {
    const index k = teacher.k;
    return top_k_distillation_term({teacher.classes + first * k, teacher.log_probabilities + first * k,
                                    teacher.rest + first, count, teacher.columns, k, temperature});
  }
  HONE_HD float row_number(index i) const { return teacher.rest[i]; }
  HONE_NO_EXEC_CHECK template <class Put>
  HONE_HD void list(index i, Put const& put) const {
    for (index j = i * teacher.k; j < (i + 1) * teacher.k; ++j)
      put(index(teacher.classes[j]), teacher.log_probabilities[j]);
  }
  HONE_HD float listed(index i, index column) const {
    index low = i * teacher.k, high = low + teacher.k;  // the first that is not below column
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
  HONE_HD sums<V> start(row::exponentials<V> const& top, row::exponentials<V> const& unlisted,
                        row::exponentials<V> const& listed, V log_unlisted) const {
    // The largest unlisted logit minus the row's, over T; finite even if no class is unlisted.
    const V fall = max(unlisted.max - top.max, V(-1e37)) / V(temperature),
            lowered = exp_of_nonpositive(max(fall, V(-1e4)));
    const V student = top.sum + unlisted.sum * lowered, taught = listed.sum + exp_of_nonpositive(log_unlisted);
    return {top.sum, unlisted.sum, fall, lowered, student, taught, log_unlisted, log(student / taught)};
  }
  template <operand V>
  HONE_HD auto is_close(sums<V> const&) const {
    return V(0) < V(1);
  }
  /// Returns the divergence sums of a listed class, and t (e^x - 1).
  template <operand V, class E>
  [[gnu::always_inline]] HONE_HD row::replaced<V, 2> close(sums<V> const& s, E const& e) const {
    const V log_t = max(min(row::listed_number(e), V(0)), V(-3e38));
    const detail::divergence_part<V> part(row::weight<2>(e), row::weight<0>(e) * (s.taught / s.student),
                                          row::coordinate_of<0>(e) * V(1 / temperature) - (log_t + s.log_ratio));
    return {{{part.excess, part.linear}}, part.rise};
  }
  template <operand V>
  HONE_HD result<V> finish(sums<V> const& s, bundle<V, 2> const& close) const {
    const V T(temperature), none(0);
    const V of_unlisted = exp_of_nonpositive(s.log_unlisted), others = s.unlisted * s.lowered, all = s.top + others;
    // log s_R, without the cancellation of log Σ - log Σ if one sum is most of the other
    const V log_others = select(s.top < others, none, s.fall + log(s.unlisted) - log(s.top)) -
                         log1p_of_unit(min(s.top, others) / max(s.top, others));
    const V log_taught = max(s.log_unlisted - log(s.taught), V(-3e38));  // two -inf give no NaN
    const detail::divergence_part<V> bin(of_unlisted, others * (s.taught / all), log_others - log_taught);
    const detail::divergence_of_sums<V> kl((close[0] + bin.excess) / s.taught, (close[1] + bin.linear) / s.taught);
    const V change = T * kl.change / all, taught_rate = T / s.taught;
    return {T * (T * kl.value), -change, -taught_rate,
            select(s.unlisted == none, none,
                   taught_rate * bin.rise / select(s.unlisted == none, V(1), s.unlisted) - change * s.lowered)};
  }
  /// The first and the last product are 0 for an unlisted class.
  template <operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const& e) const {
    return r.student * row::weight<0>(e) + r.unlisted * row::weight<1>(e) - r.taught * row::weight<2>(e);
  }
};

/// T²·KL between a teacher and softmax(z/T) as distributions over the k classes that the teacher lists for the row, and
/// one bin of all others. T is the teacher's; its probabilities need not sum to 1 exactly. Skips the rows that the
/// targets of the same objective ignore. Throws hone::invalid_argument if k or T is out of range or the arrays are
/// null; evaluate on the host also throws if the listed classes do not rise or are not classes.
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
/// Views the batch, does not copy it. Throws hone::invalid_argument if its arrays do not fit its sizes.
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
void top_k_distillation(top_k_batch const&& teacher) = delete;  // would dangle

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
