// SPDX-License-Identifier: MIT
/// Master weights on CUDA, and their rounding to the parameters.
#pragma once

#include <hone/cuda/tensors/device_memory.cuh>
#include <hone/cuda/tensors/round_numbers.cuh>
#include <hone/precision/master_weights.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The master_weights of parameters in device memory. Construct it outside of a graph's capture.
///
///     const hone::device_master_weights<float> masters(gpu, parameters);
///     // an update of masters.tensors() by the caller, then
///     hone::refresh(gpu, masters, parameters);
template <class T>
class device_master_weights : public master_weights<T, device_memory> {
 public:
  /// Copies the parameters. Throws hone::invalid_argument if a tensor is not valid memory.
  template <class P>
  device_master_weights(cuda const& backend, tensor_list<P> const& parameters)
      : master_weights<T, device_memory>(parameters, device_memory(backend)), list_(backend, this->tensors()) {}

  /// Returns the masters, prepared for the device.
  device_list<T> const& list() const noexcept { return list_; }

 private:
  device_list<T> list_;
};

namespace on_cuda {

template <class T, class List, class Rounding>
void round_masters(cuda& backend, device_master_weights<T> const& masters, List const& parameters,
                   Rounding const& rounding) {
  auto const& list = flat_list(parameters);
  using P = std::remove_reference_t<decltype(*list.tensors()[0].data)>;
  detail::require_refresh(masters, list.tensors());
  const auto how = rounding_of<P>("refresh", rounding, parameters);
  const device_of_stream device(backend.placed());
  launch_pieces("refresh: round_kernel", round_kernel<P, T>, list.table().pieces, backend.stream(), list.table(),
                masters.list().table().data, how);
}

}  // namespace on_cuda

/// Enqueues hone::refresh, as documented for the CPU, as one kernel.
template <class T, class P>
void refresh(cuda& backend, device_master_weights<T> const& masters, device_list<P> const& parameters) {
  detail::require_refresh(masters, parameters.tensors());
  const on_cuda::device_of_stream device(backend.placed());
  on_cuda::enqueue_pairs(backend.stream(), parameters.table(), masters.list().table().data, on_cuda::copy_job{},
                         "refresh: pair_kernel");
}

/// The same for parameters that are not prepared: their table is uploaded for this call only.
template <class T, class P>
void refresh(cuda& backend, device_master_weights<T> const& masters, tensor_list<P> const& parameters) {
  detail::require_refresh(masters, parameters);
  refresh(backend, masters, device_list<P>(backend, parameters));
}

/// Enqueues hone::refresh with stochastic rounding, as documented for the CPU and with its bits, as one kernel. The
/// rounding is a hone::stochastic_rounding, or a hone::device_stochastic_rounding in a captured graph.
template <class T, class P, class Rounding = stochastic_rounding>
void refresh(cuda& backend, device_master_weights<T> const& masters, device_list<P> const& parameters,
             Rounding const& rounding) {
  on_cuda::round_masters(backend, masters, parameters, rounding);
}
template <class T, class P, class Rounding = stochastic_rounding>
void refresh(cuda& backend, device_master_weights<T> const& masters, tensor_list<P> const& parameters,
             Rounding const& rounding) {
  detail::require_refresh(masters, parameters);
  refresh(backend, masters, device_list<P>(backend, parameters), rounding);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
