// SPDX-License-Identifier: MIT
/// The one message of a step: whether a rank failed, whether ranks agree, the sums of the norm and those of the
/// trainer.
#pragma once

#include <hone/distributed/same_on_ranks.hpp>
#include <hone/distributed/step_sums.hpp>
#include <hone/gradient/plan.hpp>

#include <cstdint>
#include <span>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// A checksum of the steps and their numbers, which must be the same on every rank.
inline std::uint64_t checksum_of(gradient_plan const& plan) noexcept {
  checksum64 checksum;
  const auto add = [&](double x) { checksum.add(__builtin_bit_cast(std::uint64_t, x)); };
  add(plan.scale), add(plan.before), add(plan.after), add(plan.reported_p), add(plan.count);
  for (int k = 0; k < plan.count; ++k) {
    norm_step const& s = plan.steps[k];
    add(static_cast<double>(s.kind)), add(s.max), add(s.p), add(s.epsilon);
  }
  return checksum.value();
}

/// A number that some ranks bring, which must be the same on all of these: three words.
struct common_number {
  static constexpr int words = 3;

  static void put(std::uint64_t x, std::int64_t* to) noexcept {
    const auto h = static_cast<std::int64_t>(checksum64::mixed(x) & 0xffffff);  // sums of squares do not overflow
    to[0] = 1, to[1] = h, to[2] = h * h;
  }
  static bool agrees(std::int64_t const* summed) noexcept {
    __extension__ using wide = __int128;
    return static_cast<wide>(summed[0]) * summed[2] == static_cast<wide>(summed[1]) * summed[1];
  }
};

class step_message {
 public:
  // To fill on this rank, within sum_over.

  /// `more` is what a step has besides that must be the same on every rank.
  void set_plan(gradient_plan const& plan, std::uint64_t more = 0) noexcept {
    common_number::put(checksum_of(plan) + more, at(plan_));
  }
  /// `whole`: numbers of all tensors of which the rank may hold a shard; `counted`: those of its shards.
  void set_shards(index whole, index counted) noexcept {
    if (whole > 0) common_number::put(static_cast<std::uint64_t>(whole), at(shards_));
    *at(whole_) = whole, *at(counted_) = counted;
  }
  /// `units`: the units whose norms are summed over ranks.
  void set_units(index units) noexcept {
    if (units > 0) common_number::put(static_cast<std::uint64_t>(units), at(units_));
    *at(unit_count_) = units;
  }
  /// The words of Σ g² (0), Σ y² (1), Σ |g| (2) and Σ |y| (3).
  std::int64_t* sum_words(int which) noexcept { return at(sums_ + which * exact_words::count); }

  /// After sum_over: the sums of all ranks, without the largest number. If squares_only, g_squares is the only one.
  power_sums totals(bool squares_only) const noexcept {
    power_sums all;
    all.g_squares = all.squares = sum(0);
    if (!squares_only) all.squares = sum(1), all.g_absolute = sum(2), all.absolute = sum(3);
    return all;
  }
  /// After sum_over: the number of units that are summed, the same on all ranks.
  index units() const noexcept {
    const std::int64_t ranks = words_[status_words + units_];
    return ranks > 0 ? words_[status_words + unit_count_] / ranks : 0;
  }

  /// Calls fill(*this) on every rank and sums the message over them. If fill throws on one, all throw; so they do where
  /// ranks do not agree. `sums` may be null.
  template <communicator C, class Fill>
  void sum_over(C const& ranks, const char* function, step_sums* sums, Fill const& fill) {
    sum_or_fail(ranks, function, words_, [&](std::span<std::int64_t>) {
      fill(*this);
      if (sums) put(*sums, at(step_sums_));
    });
    if (!common_number::agrees(at(plan_)))
      fail("%s: the steps, the scale of the loss or the rounding are not the same on all ranks", function);
    if (!common_number::agrees(at(units_)))
      fail("%s: ranks list different cut tensors: a rank without a part of a tensor lists it with no rows or columns",
           function);
    require_all_shards(function);
    if (sums) take(*sums, at(step_sums_));
  }

 private:
  static constexpr int plan_ = 0, shards_ = plan_ + common_number::words, whole_ = shards_ + common_number::words,
                       counted_ = whole_ + 1, units_ = counted_ + 1, unit_count_ = units_ + common_number::words,
                       sums_ = unit_count_ + 1, step_sums_ = sums_ + 4 * exact_words::count,
                       size_ = step_sums_ + step_sums_words;

  std::int64_t* at(int word) noexcept { return words_ + status_words + word; }
  double sum(index which) const noexcept {
    return exact_words::value(words_ + status_words + sums_ + which * exact_words::count);
  }

  /// If all ranks that have shards list the same wholes, their shards are all of these numbers, each once; or several
  /// times as many, where stages of a pipeline have wholes of the same size.
  void require_all_shards(const char* function) {
    const std::int64_t ranks = *at(shards_);
    if (ranks == 0 || !common_number::agrees(at(shards_))) return;
    const std::int64_t whole = *at(whole_) / ranks;
    if (*at(counted_) % whole != 0 || *at(counted_) == 0)
      fail("%s: the shards of all ranks have %jd numbers, their wholes %jd: every number must be in one shard",
           function, std::intmax_t(*at(counted_)), std::intmax_t(whole));
  }

  std::int64_t words_[std::size_t(status_words + size_)];
};

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
