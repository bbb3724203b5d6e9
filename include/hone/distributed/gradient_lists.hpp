// SPDX-License-Identifier: MIT
/// What the verbs over ranks take as gradients: a list with places, a plain list, or several of them.
#pragma once

#include <hone/distributed/sharded_list.hpp>
#include <hone/distributed/step_message.hpp>
#include <hone/gradient/chain.hpp>

#include <tuple>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

template <class List>
inline constexpr bool is_gradient_list = false;
template <class T>
inline constexpr bool is_gradient_list<tensor_list<T>> = true;
template <class T>
inline constexpr bool is_gradient_list<sharded_list<T>> = true;
template <class Lists>
inline constexpr bool are_gradient_lists = is_gradient_list<Lists>;
template <class... List>
inline constexpr bool are_gradient_lists<std::tuple<List...>> = sizeof...(List) > 0 &&
                                                                (is_gradient_list<std::remove_cvref_t<List>> && ...);

template <class Lists>
concept gradient_lists = are_gradient_lists<Lists>;

template <class List>
std::tuple<List const&> as_lists(List const& list) noexcept {
  return {list};
}
template <class... List>
std::tuple<std::remove_cvref_t<List> const&...> as_lists(std::tuple<List...> const& lists) noexcept {
  return lists;
}

template <class List>
inline constexpr bool holds_numbers_to_write = true;
template <class T>
inline constexpr bool holds_numbers_to_write<tensor_list<T const>> = false;
template <class T>
inline constexpr bool holds_numbers_to_write<sharded_list<T const>> = false;

/// Returns whether a chain has a step of a kind.
template <class Chain>
inline constexpr bool (*has_step)(step_kind) = nullptr;
template <class... Step>
inline constexpr bool (*has_step<gradient_chain<Step...>>)(step_kind) =
    [](step_kind kind) { return ((Step::kind == kind) || ...); };
/// True if a chain changes all numbers by the same function.
template <class Chain>
inline constexpr bool has_one_factor =
    !has_step<Chain>(step_kind::tensor_norm) && !has_step<Chain>(step_kind::unit_norm);

/// Writes into a message how many numbers of cut tensors this rank has, and how many their wholes.
template <class... List>
void set_shards(const char* function, step_message& message, int rank, List const&... lists) {
  constexpr index most = index(1) << 45;  // sums over 2^17 ranks do not overflow
  index whole = 0, counted = 0;
  const auto add = [&](auto const& list) {
    auto const& tensors = tensors_of(list);
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const placement p = place_of(list, i);
      if (!p.cut()) continue;
      const index other = p.kind == placed::row_shard      ? tensors[i].columns
                          : p.kind == placed::column_shard ? tensors[i].rows
                                                           : 1;
      index numbers = 0;
      if (__builtin_mul_overflow(p.whole, other, &numbers) || numbers > most - whole)
        fail("%s: tensor %zu of gradients makes wholes of more than 2^45 numbers", function, i);
      whole += numbers;
      if (p.counted(rank)) counted += tensors[i].size;
    }
  };
  (add(lists), ...);
  message.set_shards(whole, counted);
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
