// SPDX-License-Identifier: MIT
/// Exact sums of the blocks of a list. A block is a stretch of the whole tensor, or of a row of it, wherever it is cut,
/// so that neither threads nor ranks change a bit.
#pragma once

#include <hone/cpu/tensors/norms.hpp>
#include <hone/cpu/tensors/tensors.hpp>
#include <hone/distributed/sharded_list.hpp>
#include <hone/distributed/step_message.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

using detail::exact_words;

/// Calls add(x) with doubles, none below 0 or -0, whose sum is that of n <= 64 numbers, exactly: with one if the sum of
/// all fits a double, as that of blocks in float mostly does.
template <class Add>
void add_exactly(double const* numbers, int n, Add const& add) noexcept {
  std::uint64_t all = 0, largest = 0, smallest = ~std::uint64_t(0);
  double total = 0;
  for (int i = 0; i < n; ++i) {
    const auto bits = __builtin_bit_cast(std::uint64_t, numbers[i]);
    all |= bits, largest = std::max(largest, bits), smallest = std::min(smallest, bits);
    total += numbers[i];
  }
  // Multiples of 2^(smallest exponent - 23) below 2^(largest exponent + 1), of which 64 have 30 + difference bits.
  const std::uint64_t last = largest >> 52, first = smallest >> 52;
  if ((all & 0x1fffffff) == 0 && first > 0 && last < 0x7f0 && last - first <= 23) {
    add(total);
  } else {
    for (int i = 0; i < n; ++i) add(numbers[i]);
  }
}

/// The four sums of a power_sums, exactly, and the largest: those of one piece. If squares_only, only the first sum is
/// used, which is Σ g² and Σ y² as well.
class piece_sums {
 public:
  explicit piece_sums(bool squares_only) noexcept : parts_(squares_only ? 1 : 4) {}

  void add(power_sums const& s) noexcept {
    if (waiting_ == most_waiting) spill();
    numbers_[0][waiting_] = s.g_squares;
    auto any = __builtin_bit_cast(std::uint64_t, s.g_squares);
    if (parts_ > 1) {
      numbers_[1][waiting_] = s.squares, numbers_[2][waiting_] = s.g_absolute, numbers_[3][waiting_] = s.absolute;
      any |= __builtin_bit_cast(std::uint64_t, s.g_absolute);
      largest_ = s.largest > largest_ ? s.largest : largest_;
    }
    waiting_ += any != 0;  // not a block of zeros
  }
  /// Adds these sums to others. Sums that are not counted only say that a number is not finite.
  template <class Shared>
  void add_to(Shared& to, bool counted) noexcept {
    const int first = counted ? 0 : exact_words::digits;
    for (int q = 0; q < parts_; ++q) {
      const auto add = [&](int word, std::int64_t amount) {
        if (word >= first) to.add(q, word, amount);
      };
      add_waiting(q, add);
      if (!spilled_) continue;
      exact_words::carry(words_[q]);
      for (int k = 0; k < exact_words::count; ++k)
        if (words_[q][k] != 0) add(k, words_[q][k]);
    }
    if (parts_ > 1) to.raise(largest_);
  }

 private:
  static constexpr int most_waiting = 64;

  template <class Add>
  void add_waiting(int q, Add const& add) const noexcept {
    add_exactly(numbers_[q], waiting_, [&](double x) { exact_words::split(x, add); });
  }
  /// Makes room for more numbers.
  HONE_IF_CALLED
  void spill() noexcept {
    if (!std::exchange(spilled_, true)) std::memset(words_, 0, sizeof words_);
    for (int q = 0; q < parts_; ++q) {
      add_waiting(q, [&](int word, std::int64_t amount) { words_[q][word] += amount; });
      exact_words::carry(words_[q]);
    }
    waiting_ = 0;
  }

  double numbers_[4][most_waiting];
  std::int64_t words_[4][exact_words::count];  // set by spill()
  double largest_ = 0;
  int waiting_ = 0, parts_;
  bool spilled_ = false;
};

/// Sums to which the threads add. Integers, and the largest of numbers, so the order changes nothing.
class shared_sums {
 public:
  void add(int q, int word, std::int64_t amount) noexcept {
    words_[q][word].fetch_add(amount, std::memory_order_relaxed);
  }
  void raise(double to) noexcept {
    double now = largest_.load(std::memory_order_relaxed);
    while (to > now && !largest_.compare_exchange_weak(now, to, std::memory_order_relaxed)) {
    }
  }
  double largest() const noexcept { return largest_.load(std::memory_order_relaxed); }

  /// Adds sum q to words, of which every one but the last digit then is in [0, 2^32). Of sums that do not count, only
  /// what is not finite.
  void add_to(int q, std::int64_t* words, bool counted = true) const noexcept {
    for (int k = counted ? 0 : exact_words::digits; k < exact_words::count; ++k)
      words[k] += words_[q][k].load(std::memory_order_relaxed);
    exact_words::carry(words);
  }

 private:
  std::atomic<std::int64_t> words_[4][exact_words::count] = {};
  std::atomic<double> largest_ = 0;
};

/// The lines of a tensor: stretches of memory that are contiguous in the whole tensor too. `place` is the place of a
/// line's first number in the line of the whole tensor.
struct tensor_lines {
  index lines, numbers, place;
};
template <class T>
tensor_lines lines_in(tensor<T> const& t, detail::placement const& p) noexcept {
  if (p.kind == detail::placed::row_shard) return {t.rows, t.columns, 0};
  if (p.kind == detail::placed::column_shard) return {t.rows, t.columns, p.first};
  return {1, t.size, p.kind == detail::placed::shard ? p.first : 0};
}

/// Adds the blocks of all tensors of a list: sums_of(tensor) returns where to, counted(tensor) whether they count.
template <class List, class SumsOf, class Counted>
void sum_blocks(cpu const& backend, List const& list, norm_request how, SumsOf const& sums_of_tensor,
                Counted const& counted) {
  auto const& tensors = detail::tensors_of(list);
  using A = accumulator_t<std::remove_cvref_t<decltype(*tensors[0].data)>>;
  const auto lines = [&](std::size_t i) { return lines_in(tensors[i], detail::place_of(list, i)); };
  const unit_cuts cuts(tensors.size(),
                       [&](std::size_t i) { return detail::tensor_units{lines(i).lines, lines(i).numbers, false}; });
  for_chunks(backend, cuts.pieces(), 0, [&](index piece, std::byte*) {
    const std::size_t i = cuts.tensor_of(piece);
    auto const* const g = static_cast<std::remove_cvref_t<decltype(*tensors[i].data)> const*>(tensors[i].data);
    const index numbers = lines(i).numbers, place = lines(i).place, before_block = place % norm_block<A>;
    piece_sums mine(how.squares_only);
    cuts[i].visit(
        piece,
        [&](index, index, index first, index n) {
          // A line of several pieces is cut where blocks begin.
          index begin = first % numbers, end = begin + n;
          const index line = first - begin;
          if (end < numbers) end -= before_block;
          if (begin > 0) begin -= before_block;
          for_blocks(g + line + begin, end - begin, place + begin, how, [&](power_sums const& s) { mine.add(s); });
        },
        [](index, index, index, index) {});
    mine.add_to(sums_of_tensor(i), counted(i));
  });
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
