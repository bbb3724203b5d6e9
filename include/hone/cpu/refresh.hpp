// SPDX-License-Identifier: MIT
/// Master weights into the network.
#pragma once

#include <hone/cpu/copy.hpp>
#include <hone/precision/master_weights.hpp>

#include <type_traits>

namespace hone {

/// Rounds the masters to the parameters, to the nearest number and among two to the even one: after every step of the
/// optimiser. Where a step is skipped there is nothing to do.
///
///     hone::refresh(cpu, masters, parameters);
///
/// Throws hone::invalid_argument, before anything is written, where the sizes are not those of the masters or a tensor
/// is no memory.
template <class T, class P>
void refresh(cpu const& backend, master_weights<T> const& masters, tensor_list<P> const& parameters) {
  static_assert(!std::is_const_v<P>, "refresh: the parameters are written, their type is const");
  static_assert(element<P> && sizeof(P) < sizeof(T),
                "refresh: the parameters are floating-point numbers narrower than their masters");
  detail::require_tensors("refresh", "parameters", parameters);
  detail::require_sizes_like("refresh", "parameters", parameters, "master_weights", masters.tensors());
  on_cpu::copy_numbers(backend, masters.tensors(), parameters);
}

}  // namespace hone
