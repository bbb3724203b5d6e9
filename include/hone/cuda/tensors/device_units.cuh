// SPDX-License-Identifier: MIT
/// Adaptive clipping on CUDA: the units of the parameters, prepared for the device once.
#pragma once

#include <hone/cuda/tensors/device_list.cuh>
#include <hone/gradient/adaptive_clip.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// adaptive_clip as a step of a chain on CUDA. It views a device_adaptive_clip, which must outlive it.
template <class T>
struct device_adaptive_clip_step {
  static constexpr step_kind kind = step_kind::unit_norm;

  device_list<const T> const* parameters;
  double clipping, epsilon;
};

/// Prepares hone::adaptive_clip(parameters, …), with parameters in device memory, for hone::transform on CUDA:
///
///     const hone::device_adaptive_clip units(gpu, hone::adaptive_clip(parameters, {.clipping = 0.01}));
///     hone::transform(gpu, hone::chain(units.step(), hone::clip_by_global_norm(1)), gradients);
template <class T>
class device_adaptive_clip {
 public:
  device_adaptive_clip(cuda const& backend, adaptive_clip_step<T> const& step)
      : clipping_(step.clipping),
        epsilon_(step.epsilon),
        parameters_(
            backend, step.parameters, "adaptive_clip",
            [by = step.units](tensor<const T> const& t) {
              return detail::tensor_units{t.rows, t.columns, by == agc_units::columns && t.rows > 1};
            },
            step.excluded) {}

  device_adaptive_clip_step<T> step() const { return {&parameters_, clipping_, epsilon_}; }

 private:
  double clipping_, epsilon_;
  device_list<const T> parameters_;
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
