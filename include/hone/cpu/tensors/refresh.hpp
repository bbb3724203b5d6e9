// SPDX-License-Identifier: MIT
/// Copies master weights to the parameters of a network.
#pragma once

#include <hone/cpu/tensors/copy.hpp>
#include <hone/precision/master_weights.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Rounds the masters to the parameters, to the nearest number, ties to even. Call it after every step of the
/// optimiser; a skipped step does not need it.
///
///     hone::refresh(cpu, masters, parameters);
///
/// Throws hone::invalid_argument, before anything is written, if the sizes differ from those of the masters, a tensor
/// is not valid memory, or tensors share memory.
template <class T, class P>
void refresh(cpu const& backend, master_weights<T> const& masters, tensor_list<P> const& parameters) {
  detail::require_refresh(masters, parameters);
  on_cpu::copy_numbers(backend, masters.tensors(), parameters);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
