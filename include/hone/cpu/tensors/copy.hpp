// SPDX-License-Identifier: MIT
/// Copies averages to tensors, and tensors to tensors.
#pragma once

#include <hone/average/ema_state.hpp>
#include <hone/cpu/memory/convert.hpp>
#include <hone/cpu/tensors/averages.hpp>

#include <algorithm>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// Copies and converts the numbers of one list to a list of the same sizes.
template <class From, class To>
void copy_numbers(cpu const& backend, tensor_list<From> const& from, tensor_list<To> const& to) {
  for_tensors(backend, to, [&](std::size_t i, index begin, index end) {
    convert(static_cast<std::remove_const_t<From> const*>(from[i].data) + begin, to[i].data + begin, end - begin);
  });
}

}  // namespace on_cpu

/// Copies tensors to tensors of the same sizes, and rounds if these are narrower; integers keep their type. Restores a
/// model's weights after an evaluation, or copies its counters beside an average.
/// Throws hone::invalid_argument, before anything is written, if sizes differ, a tensor is not valid memory, or a
/// written tensor shares memory with another one. A tensor may be copied to itself.
template <class From, class To>
void copy(cpu const& backend, tensor_list<From> const& from, tensor_list<To> const& to) {
  detail::require_copy(from, to);
  on_cpu::copy_numbers(backend, from, to);
}

/// Copies the averages of a state to tensors of the same sizes, and rounds if these are narrower. If the state began at
/// zero, the averages are divided, in double, by the weight that they contain: the bias correction.
/// Throws hone::invalid_argument as above, if such a state has averaged nothing yet, and if the state is swapped.
template <class T, class To>
void copy(cpu const& backend, ema_state<T> const& state, tensor_list<To> const& to) {
  static_assert(element<To>, "copy: averages go to float, double, or a 16-bit floating-point type");
  state.require_averages("copy");
  const double counted = state.counted();
  if (counted == 1) return copy(backend, state.tensors(), to);
  detail::require_like_state("copy", "to", state, to);
  detail::require_apart("copy", "to", to);
  if (!(counted > 0))
    detail::fail("copy: the state began at zero and has averaged nothing in %jd updates", std::intmax_t(state.steps()));
  on_cpu::for_tensors(backend, to, [&](std::size_t i, index begin, index end) {
    T const* const s = state.tensors()[i].data;
    if (state.copies(i)) return on_cpu::convert(s + begin, to[i].data + begin, end - begin);
    constexpr index block = 1024;
    T wide[block];
    for (index at = begin; at < end; at += block) {
      const index n = std::min(block, end - at);
      for (index j = 0; j < n; ++j) wide[j] = detail::narrowed<T>(static_cast<double>(s[at + j]) / counted);
      on_cpu::convert(static_cast<T const*>(wide), to[i].data + at, n);
    }
  });
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
