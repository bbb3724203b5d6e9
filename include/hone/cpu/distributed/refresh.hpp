// SPDX-License-Identifier: MIT
/// Stochastic rounding of parts of a model, on the CPU.
#pragma once

#include <hone/cpu/tensors/refresh.hpp>
#include <hone/distributed/sharded_list.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// The parts that the tensors of a sharded_list are, whose name in messages is `name`.
template <class T>
struct sharded_tensors {
  sharded_list<T> const& list;
  const char* name;

  void require(const char* function) const { detail::require_places(function, name, list); }
  detail::tensor_part operator()(std::size_t i) const noexcept { return detail::part_of(list, i); }
};

}  // namespace on_cpu

/// hone::refresh with stochastic rounding for the part of a model that this rank has: its numbers get the bits that
/// they have where the model is whole, for every cut. No message is sent. The list of every rank has all tensors of the
/// model in one order, those without numbers on this rank with a size of 0; a tied one is not written, and the masters
/// are those of parameters.tensors(). Throws hone::invalid_argument also if a tensor does not lie in its whole.
///
///     hone::sharded_list<Eigen::bfloat16> parameters;
///     parameters.push_back({weight, 3, 16}, hone::row_shard{.first = 3 * rank, .rows = 12});
///     const hone::master_weights<float> masters(parameters.tensors());
///     hone::refresh(cpu, masters, parameters, hone::stochastic_rounding{.seed = 1, .step = step});
template <class T, class P>
void refresh(cpu const& backend, master_weights<T> const& masters, sharded_list<P> const& parameters,
             stochastic_rounding const& rounding) {
  on_cpu::round_masters(backend, masters, parameters.tensors(), rounding,
                        on_cpu::sharded_tensors<P>{parameters, "parameters"});
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
