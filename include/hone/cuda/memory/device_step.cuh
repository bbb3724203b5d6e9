// SPDX-License-Identifier: MIT
/// The number of a training step, by value or in device memory.
#pragma once

#include <hone/core/number.hpp>

#include <concepts>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// A step in device memory, read when a kernel runs. Any other step of a graph is that of its capture.
struct device_step {
  index const* pointer;
};

namespace on_cuda {

struct step_source {
  integer value = 0;
  index const* pointer = nullptr;

  step_source(std::integral auto step) noexcept : value(step) {}
  step_source(integer step) noexcept : value(step) {}
  step_source(device_step step) noexcept : pointer(step.pointer) {}
};

}  // namespace on_cuda
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
