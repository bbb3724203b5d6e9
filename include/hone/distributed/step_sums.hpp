// SPDX-License-Identifier: MIT
/// What a trainer sums over ranks once per step, together with the norm of the gradients.
#pragma once

#include <hone/core/number.hpp>
#include <hone/distributed/exact_sum.hpp>

#include <cstdint>
#include <span>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Sums of one step: those of this rank before transform, measure or step, those of all ranks after it. They travel in
/// the message of the norm. If the call throws they are unchanged.
///
///     hone::step_sums sums{.rows = rows, .positives = positives};
///     sums.loss.add(sum_of_losses);
///     auto report = hone::transform(cpu, chain, gradients, ranks, sums);
///     double mean = sums.loss.value() / double(sums.rows);
struct step_sums {
  exact_sum loss = {};          ///< Σ of the losses, not their mean
  std::int64_t rows = 0;        ///< rows, or tokens, that were not ignored
  std::int64_t positives = 0;   ///< positive anchors of a detector
  exact_sum others[2] = {};     ///< the caller's own, such as Σ of weights
  std::int64_t counts[4] = {};  ///< the caller's own, such as hits
};

namespace detail {

inline constexpr int step_sums_words = 3 * exact_words::count + 6;

/// Writes the sums into step_sums_words words, which ranks add up.
inline void put(step_sums& s, std::int64_t* words) noexcept {
  for (exact_sum* sum : {&s.loss, &s.others[0], &s.others[1]}) sum->put(words), words += exact_words::count;
  *words++ = s.rows, *words++ = s.positives;
  for (const std::int64_t n : s.counts) *words++ = n;
}
inline void take(step_sums& s, std::int64_t const* words) noexcept {
  for (exact_sum* sum : {&s.loss, &s.others[0], &s.others[1]}) sum->take(words), words += exact_words::count;
  s.rows = *words++, s.positives = *words++;
  for (std::int64_t& n : s.counts) n = *words++;
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
