// SPDX-License-Identifier: MIT
/// Exchanges averages and parameters, and exchanges them back.
#pragma once

#include <hone/average/ema_state.hpp>
#include <hone/cpu/tensors/averages.hpp>

#include <algorithm>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Exchanges averages and parameters in place, without additional memory. Call it once before an evaluation and once
/// after it; then every bit is restored. In between, the state cannot be updated, copied from, saved or loaded.
///
///     hone::swap(cpu, shadow, parameters);
///
/// Throws hone::invalid_argument, before anything is written, if the sizes differ from those of the state, a tensor is
/// not valid memory, two tensors share memory, or the averages would have to be divided because the state began at
/// zero, which cannot be undone exactly. For such a state, and for parameters of another type, use hone::copy to read
/// the averages and to restore the parameters from a copy.
template <class T, class P>
// NOLINTNEXTLINE(bugprone-exception-escape): a function of hone, not a swap of the standard library
void swap(cpu const& backend, ema_state<T>& state, tensor_list<P> const& parameters) {
  detail::require_swap(state, parameters);
  if (state.counted() != 1 && !state.swapped())
    detail::fail("swap: the state began at zero and holds %.9g of its weight, must be 1; hone::copy divides by it",
                 state.counted());
  on_cpu::for_tensors(backend, state.tensors(), [&](std::size_t i, index begin, index end) {
    T* const s = state.tensors()[i].data;
    std::swap_ranges(s + begin, s + end, parameters[i].data + begin);
  });
  state.exchanged();
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
