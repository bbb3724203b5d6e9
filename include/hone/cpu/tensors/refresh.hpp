// SPDX-License-Identifier: MIT
/// Copies master weights to the parameters of a network.
#pragma once

#include <hone/cpu/tensors/copy.hpp>
#include <hone/cpu/tensors/round_numbers.hpp>
#include <hone/precision/master_weights.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

template <class T, class P, class PartOf>
void round_masters(cpu const& backend, master_weights<T> const& masters, tensor_list<P> const& parameters,
                   stochastic_rounding const& rounding, PartOf const& part_of) {
  detail::require_refresh(masters, parameters);
  detail::require_rounding("refresh", rounding);
  part_of.require("refresh");
  for_tensors(backend, parameters, [&](std::size_t i, index begin, index end) {
    round_numbers(detail::bits_of(rounding, i), part_of(i), begin,
                  static_cast<T const*>(masters.tensors()[i].data) + begin, parameters[i].data + begin, end - begin);
  });
}

}  // namespace on_cpu

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

/// The same with stochastic rounding, see hone::stochastic_rounding. Throws hone::invalid_argument also if its
/// first_tensor is out of range.
///
///     hone::refresh(cpu, masters, parameters, hone::stochastic_rounding{.seed = 1, .step = step});
template <class T, class P>
void refresh(cpu const& backend, master_weights<T> const& masters, tensor_list<P> const& parameters,
             stochastic_rounding const& rounding) {
  on_cpu::round_masters(backend, masters, parameters, rounding, on_cpu::whole_tensors());
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
