// SPDX-License-Identifier: MIT
/// Master weights into the network.
#pragma once

#include <hone/cpu/tensors/copy.hpp>
#include <hone/precision/master_weights.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Rounds the masters to the parameters, to the nearest number and among two to the even one: after every step of the
/// optimiser. Where a step is skipped there is nothing to do.
///
///     hone::refresh(cpu, masters, parameters);
///
/// Throws hone::invalid_argument, before anything is written, where the sizes are not those of the masters, a tensor is
/// no memory or two of them share it.
template <class T, class P>
void refresh(cpu const& backend, master_weights<T> const& masters, tensor_list<P> const& parameters) {
  detail::require_refresh(masters, parameters);
  on_cpu::copy_numbers(backend, masters.tensors(), parameters);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
