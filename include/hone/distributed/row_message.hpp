// SPDX-License-Identifier: MIT
/// What ranks with different classes of a row tell each other: the maxima of their classes, and sums relative to them.
/// When the largest maxima are known, each rank makes its sums relative to them (row::rise), and the sums are added.
#pragma once

#include <hone/core/list.hpp>
#include <hone/loss/row/gather.hpp>
#include <hone/loss/row/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::row {

/// Calls f(maximum) for every maximum of a term that is not the largest logit of the row.
HONE_NO_EXEC_CHECK template <class V, class Term, class F>
HONE_HD void each_own_maximum([[maybe_unused]] sums<V, Term>& s, [[maybe_unused]] F const& f) {
  each_statistic<Term>([&](auto i) {
    if constexpr (has_own_maximum<statistic<i(), Term>>) f(s.max[i()]);
  });
}
/// Calls f(sum) for every sum over the classes, but for that of softmax<>, which all terms share.
HONE_NO_EXEC_CHECK template <class V, class Term, class F>
HONE_HD void each_sum_of_classes([[maybe_unused]] sums<V, Term>& s, [[maybe_unused]] F const& f) {
  each_statistic<Term>([&](auto i) {
    using S = statistic<i(), Term>;
    if constexpr (is_gathered<S>) f(s.sum[i()]);
    if constexpr (std::same_as<S, target>) f(s.sum[i()]), f(s.dot);
  });
}

template <class Term>
inline constexpr int own_maxima = []<class... S>(list<S...>*) {
  return (int(has_own_maximum<S>) + ... + 0);
}(static_cast<statistics_of<Term>*>(nullptr));
template <class Term>
inline constexpr int sums_of_classes = []<class... S>(list<S...>*) {
  return ((int(is_gathered<S>) + 2 * int(std::same_as<S, target>)) + ... + 0);
}(static_cast<statistics_of<Term>*>(nullptr));

/// The numbers that ranks exchange per row for some terms: the largest logit, then each term's own maxima; Σ exp(z -
/// max), then each term's sums; the sums of later sweeps and of close sweeps.
template <class... Term>
struct message_of {
  static constexpr int maxima = 1 + (own_maxima<Term> + ... + 0);
  static constexpr int sums = 1 + (sums_of_classes<Term> + ... + 0);
  static constexpr int later = (later_size<Term> + ... + 0);
  static constexpr int close = (close_size<Term> + ... + 0);
};

/// Makes the sums of one term relative to larger maxima. `row` is the rise of the row's largest logit, `base` is
/// Σ exp(z - max) before it; `maxima` points to the term's own larger maxima. A rise above 1e30, of a shard whose
/// classes are all masked, counts as 1e30: its sums are 0, and infinite products would raise exceptions.
template <class Term>
HONE_HD void rise_to(Term const& term, double row, double base, double const* maxima, sums<double, Term>& s) noexcept {
  const auto bounded = [](double rise) { return rise > 1e30 ? 1e30 : rise; };
  double rises[count_of<Term>] = {};
  each_statistic<Term>([&](auto i) {
    using S = statistic<i(), Term>;
    if constexpr (has_own_maximum<S>) {
      const double largest = *maxima++;
      rises[i()] = bounded(largest - s.max[i()]);
      s.max[i()] = largest;
    } else if constexpr (is_softmax<S> && !is_softmax_of<S, listed_numbers>) {
      rises[i()] = bounded(row);
    }
    if constexpr (std::same_as<S, target>) s.dot = s.dot - zero_where(s.sum[i()] == 0, s.sum[i()] * row);
  });
  rise(1 / temperature_of(term), base, rises, s);
}

/// Makes the sums of a row of a shard relative to the maxima of all ranks. The numbers are those of message_of, for the
/// terms of the leaves, in their order.
HONE_NO_EXEC_CHECK template <class... Leaf>
HONE_HD void rise_to(hone::detail::list<Leaf...> const& leaves, double const* own, double const* all,
                     double* sums_of_row) {
  const double by = all[0] - own[0], base = sums_of_row[0];
  int max = 1, sum = 1;
  leaves.each([&](auto const& leaf) {
    using T = typename std::remove_cvref_t<decltype(leaf)>::term_type;
    sums<double, T> s;
    int from = max;
    each_own_maximum(s, [&](double& x) { x = own[from++]; });
    from = sum;
    each_sum_of_classes(s, [&](double& x) { x = sums_of_row[from++]; });
    rise_to(leaf.term, by, base, all + max, s);
    each_sum_of_classes(s, [&](double& x) { sums_of_row[sum++] = x; });
    max += own_maxima<T>;
  });
  sums_of_row[0] = base * exp_of_nonpositive(-by);
}
/// Makes a sum of exponentials over all classes NaN if it is 0, because every class of the row is masked.
HONE_NO_EXEC_CHECK template <class... Leaf>
HONE_HD void settle(hone::detail::list<Leaf...> const& leaves, double* sums_of_row) {
  const auto or_nan = [](double& sum) { sum = sum == 0 ? __builtin_nan("") : sum; };
  or_nan(sums_of_row[0]);
  int at = 1;
  leaves.each([&](auto const& leaf) {
    using T = typename std::remove_cvref_t<decltype(leaf)>::term_type;
    each_statistic<T>([&](auto i) {
      using S = statistic<i(), T>;
      if constexpr (is_gathered<S> && is_softmax<S>)
        if constexpr (std::same_as<typename S::subset, row::all>) or_nan(sums_of_row[at]);
      at += int(is_gathered<S>) + 2 * int(std::same_as<S, target>);
    });
  });
}

}  // namespace hone::inline HONE_ABI::row

#include <hone/core/macros_pop.hpp>
