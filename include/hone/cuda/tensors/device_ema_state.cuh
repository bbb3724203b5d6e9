// SPDX-License-Identifier: MIT
/// An ema_state in device memory, with its number of updates.
#pragma once

#include <hone/average/ema_state.hpp>
#include <hone/cuda/tensors/device_memory.cuh>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cuda {

/// The effect of the current update, as the device decided it.
struct decided_update {
  double weight;
  bool clear, skipped;
};

}  // namespace on_cuda

/// The shadow of a model whose parameters are in device memory: float or double, even if they are narrower. Construct
/// it outside of a graph's capture.
///
///     hone::device_ema_state<float> shadow(gpu, parameters);
///     hone::update(gpu, average, shadow, parameters, report.finite());
///
/// Behaves like hone::ema_state: tensors(), copy_only(), save(), load(), hone::save_file. Only steps(), counted(),
/// saving and loading wait for the stream.
template <class T>
class device_ema_state : public ema_state<T, device_memory> {
  using base = ema_state<T, device_memory>;

 public:
  /// Copies the parameters, or starts at zero. Throws hone::invalid_argument if a tensor or `start` is not valid.
  template <class U>
  device_ema_state(cuda const& backend, tensor_list<U> const& parameters, ema_start start = {})
      : base(parameters, start, device_memory(backend)),
        memory_(backend),
        list_(backend, base::tensors()),
        copied_(tensor_list<const unsigned char>{{nullptr, parameters.size()}}, memory_),
        decided_(memory_, {}) {
    copied_.clear();
  }

  void copy_only(integer tensor) {
    memory_.require_no_capture();
    base::copy_only(tensor);
    const unsigned char yes = 1;
    memory_.write(copied_.list()[0].data + tensor.value, &yes, 1);
  }
  template <class Names, class Patterns = std::initializer_list<std::string_view>>
  index copy_only(Names const& names, Patterns const& patterns) {
    memory_.require_no_capture();
    const index chosen = base::copy_only(names, patterns);
    for (std::size_t i = 0; i < base::tensors().size(); ++i)
      if (base::copies(i)) copy_only(integer(i));
    return chosen;
  }

  /// For update, copy and swap: the shadow as a device_list, the copied tensors, and the current update.
  device_list<T> const& list() const noexcept { return list_; }
  unsigned char const* copied() const noexcept { return copied_.list()[0].data; }
  on_cuda::decided_update* decided() const noexcept { return decided_.data(); }

 private:
  device_memory memory_;
  device_list<T> list_;
  detail::owned_tensors<unsigned char, device_memory> copied_;
  device_memory::cell<on_cuda::decided_update> decided_;
};

template <class U>
device_ema_state(cuda const& backend, tensor_list<U> const& parameters, ema_start start = {})
    -> device_ema_state<accumulator_t<U>>;

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
