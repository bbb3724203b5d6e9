// SPDX-License-Identifier: MIT
/// Reductions over the rows of all ranks.
#pragma once

#include <hone/core/reduction.hpp>
#include <hone/distributed/communicator.hpp>
#include <hone/distributed/exact_sum.hpp>
#include <hone/loss/row/skipped_rows.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <span>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The divisors of the terms of an objective, summed over all ranks: of hone::divisors(cpu, objective, prediction,
/// ranks), or of the caller. over_ranks takes them in place of a reduction.
template <std::size_t Terms>
struct rank_divisors {
  std::array<double, Terms> of_term;
};

/// What evaluate does with the losses of one rank; made by over_ranks.
template <class C, class Divisors = reduction>
class rank_reduction {
 public:
  rank_reduction(C const& ranks, Divisors divisors, rank_gradients gradients)
      : ranks_(ranks), divisors_(divisors), gradients_(gradients) {}

  /// Returns the reduction with divisors of at least this number, after they were summed. max(Σ positives, 1) of
  /// detectors is over_ranks(ranks, mean_over(positives), …).at_least(1). Throws hone::invalid_argument if it is
  /// negative or not finite, or if the reduction is hone::sum.
  rank_reduction at_least(real least) const {
    detail::require(least >= 0 && detail::finite(least), "at_least", "least", least.value, "finite and not negative");
    if constexpr (std::derived_from<Divisors, reduction>)
      if (divisors_.how == reduction::kind::sum) detail::fail("at_least: hone::sum has no divisor");
    rank_reduction result = *this;
    result.least_ = least;
    return result;
  }

  /// Returns the reduction without the sum of the value over ranks: evaluate adds this rank's part to `part`, an exact
  /// sum, which the caller sums later, together with other numbers. evaluate returns this rank's part, and
  /// outputs.value must be absent.
  rank_reduction into(exact_sum& part) const noexcept {
    rank_reduction result = *this;
    result.part_ = &part;
    return result;
  }

  C const& ranks() const noexcept { return ranks_; }
  Divisors const& divisors() const noexcept { return divisors_; }
  rank_gradients gradients() const noexcept { return gradients_; }
  double least_divisor() const noexcept { return least_; }
  exact_sum* part() const noexcept { return part_; }

  /// Returns the factor of the gradient: by it the trainer's own average over ranks becomes a sum.
  double gradient_factor() const { return gradients_ == rank_gradients::averaged ? double(ranks_.size()) : 1; }

 private:
  C ranks_;
  Divisors divisors_;
  rank_gradients gradients_;
  double least_ = 0;
  exact_sum* part_ = nullptr;
};

namespace detail {

/// Refuses what is no communicator. A communicator of a device has other sums.
template <class C>
constexpr void require_ranks() {
  static_assert(
      requires(C const& ranks) {
        { ranks.rank() } -> std::convertible_to<int>;
        { ranks.size() } -> std::convertible_to<int>;
      }, "over_ranks: the first argument must be a communicator, such as hone::self or hone::mpi");
}

}  // namespace detail

/// The reduction of evaluate over the rows of all ranks, the same on every rank (but for the count of mean_over):
///
///     hone::evaluate(cpu, objective, logits, {.gradient = g},
///                    hone::over_ranks(ranks, hone::mean, hone::rank_gradients::averaged));
///
/// Every term keeps its divisor, summed over all ranks before a gradient is written. For mean_over the count is that of
/// this rank, and may be 0. The value is that of all rows, the same number on every rank. The gradient is that of this
/// value; where the trainer averages gradients over its W ranks, it is multiplied by W. `ranks` are the data-parallel
/// ranks: those whose gradients the trainer averages or sums, and no others.
///
/// The value is for reading. hone has written its gradient, so it is not to be differentiated, summed or divided again.
template <class C>
rank_reduction<C> over_ranks(C const& ranks, reduction how, rank_gradients gradients) {
  detail::require_ranks<C>();
  return {ranks, how, gradients};
}
/// The same with divisors that were summed before.
template <class C, std::size_t Terms>
rank_reduction<C, rank_divisors<Terms>> over_ranks(C const& ranks, rank_divisors<Terms> const& divisors,
                                                   rank_gradients gradients) {
  detail::require_ranks<C>();
  return {ranks, divisors, gradients};
}

namespace detail {

/// The words by which ranks sum the divisors of an objective's terms, in their order. A term divides by a count, one
/// word, or by target weights, the words of an exact sum: OfWeights says which. mean_over has one exact sum for all
/// terms.
template <bool... OfWeights>
struct divisor_words {
  static constexpr std::size_t terms = sizeof...(OfWeights);
  static constexpr std::size_t of_terms = ((OfWeights ? std::size_t(exact_words::count) : 1) + ...);
  static constexpr std::size_t most = of_terms > exact_words::count ? of_terms : std::size_t(exact_words::count);

  /// Returns how many words a reduction needs.
  static std::size_t size(reduction how) noexcept {
    if (how.how == reduction::kind::sum) return 0;
    return how.how == reduction::kind::mean_over ? std::size_t(exact_words::count) : of_terms;
  }
  /// Returns where the words of term k begin, under a mean.
  HONE_HD static std::size_t place(std::size_t k) noexcept {
    constexpr bool of_weights[] = {OfWeights...};
    std::size_t at = 0;
    for (std::size_t i = 0; i < k; ++i) at += of_weights[i] ? std::size_t(exact_words::count) : 1;
    return at;
  }
  /// Returns the divisor of term k. `each`: what one weight counts for, as count_of_row returns it.
  HONE_HD static double get(std::size_t k, reduction how, std::int64_t const* words, index each) noexcept {
    constexpr bool of_weights[] = {OfWeights...};
    if (how.how == reduction::kind::sum) return 1;
    if (how.how == reduction::kind::mean_over) return exact_words::value(words);
    words += place(k);
    return of_weights[k] ? exact_words::value(words) * static_cast<double>(each) : static_cast<double>(*words);
  }
};

template <class Leaf>
inline constexpr bool divides_by_weights_of = false;
template <class Leaf>
  requires(row_term<typename Leaf::term_type>)
inline constexpr bool divides_by_weights_of<Leaf> = divides_by_weights<typename Leaf::term_type>;

template <class... Leaf>
using words_of_divisors = divisor_words<divides_by_weights_of<Leaf>...>;

/// Returns the factor of the value of a term: 1 over the divisor, 0 if there is nothing to divide by.
HONE_HD inline double factor_of_divisor(double divisor, double least) noexcept {
  if (divisor < least) divisor = least;
  return divisor > 0 ? 1 / divisor : 0;
}
template <std::size_t Terms>
std::array<double, Terms> factors_of(std::array<double, Terms> divisors, double least) noexcept {
  for (double& d : divisors) d = factor_of_divisor(d, least);
  return divisors;
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
