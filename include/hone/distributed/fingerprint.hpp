// SPDX-License-Identifier: MIT
/// A number by which ranks compare the arguments of a call.
#pragma once

#include <hone/core/list.hpp>
#include <hone/distributed/row_message.hpp>
#include <hone/distributed/same_on_ranks.hpp>
#include <hone/loss/row/term.hpp>

#include <array>
#include <bit>
#include <cstdint>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// A checksum of numbers and of what a target sends, in their order.
struct fingerprint_of_call {
  checksum64 checksum;

  void add(std::uint64_t x) noexcept { checksum.add(x); }
  void add(double x) noexcept { add(std::bit_cast<std::uint64_t>(x)); }

  // A target sends its parts here (target/target.hpp).
  void label(index c, double weight) noexcept { add(static_cast<std::uint64_t>(c)), add(weight); }
  void uniform(double weight) noexcept { add(weight); }
  void dense(auto const&, double weight) noexcept { add(weight); }
};

/// Returns a fingerprint of what must be the same on every rank: the kinds and factors of the terms, the labels and
/// weights of the rows, and the factors of the reduction.
template <class... Leaf>
std::int64_t fingerprint_of(list<Leaf...> const& all, std::array<double, sizeof...(Leaf)> const& scales, index rows,
                            index classes) {
  fingerprint_of_call print;
  std::size_t k = 0;
  all.each([&]<class L>(L const& leaf) {
    using T = typename L::term_type;
    print.add(scales[k++]), print.add(row::temperature_of(leaf.term));
    for (const int n : {row::own_maxima<T>, row::sums_of_classes<T>, row::later_size<T>, row::close_size<T>})
      print.add(static_cast<std::uint64_t>(n));
    for (index i = 0; i < rows; ++i) {
      print.add(leaf.factor_of_row(i));
      if constexpr (row::has_target<T>) {
        print.add(std::uint64_t(leaf.term.target.ignores(i)));
        if (!leaf.term.target.ignores(i)) leaf.term.target.visit(i, classes, 1.0, print);
      }
    }
  });
  return static_cast<std::int64_t>(print.checksum.value());
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
