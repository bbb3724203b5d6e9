// SPDX-License-Identifier: MIT
/// Reading averages out, and copying tensors.
#pragma once

#include <hone/average/ema_state.hpp>
#include <hone/cpu/memory/convert.hpp>
#include <hone/cpu/tensors/averages.hpp>

#include <algorithm>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// Of lists whose sizes agree.
template <class From, class To>
void copy_numbers(cpu const& backend, tensor_list<From> const& from, tensor_list<To> const& to) {
  for_tensors(backend, to, [&](std::size_t i, index begin, index end) {
    convert(static_cast<std::remove_const_t<From> const*>(from[i].data) + begin, to[i].data + begin, end - begin);
  });
}

}  // namespace on_cpu

/// Copies tensors to tensors of the same sizes, rounding where these are narrower; integers keep their type. Puts a
/// model's weights back after an evaluation, or takes its counters along with an average.
/// Throws hone::invalid_argument, before anything is written, where sizes differ, a tensor is no memory, or one that is
/// written shares memory with another, but that a tensor may be copied to itself.
template <class From, class To>
void copy(cpu const& backend, tensor_list<From> const& from, tensor_list<To> const& to) {
  detail::require_copy(from, to);
  on_cpu::copy_numbers(backend, from, to);
}

/// Copies the averages of a state to tensors of the same sizes, rounding where these are narrower. Where the state
/// began at zero they are divided by the weight that they hold, in double: this is the read-out with bias correction.
/// Throws hone::invalid_argument as above, where such a state has averaged nothing yet, and where it is swapped.
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
