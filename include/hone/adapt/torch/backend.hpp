// SPDX-License-Identifier: MIT
/// hone::cpu on the threads of LibTorch, and what the adapter must know about a backend.
#pragma once

#include <hone/adapt/torch/tensor.hpp>
#include <hone/cpu/evaluate.hpp>

#include <ATen/Parallel.h>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::adapt {

/// The executor of LibTorch's threads, OpenMP's or its own. Inside a parallel region, tasks run on the calling thread.
struct at_parallel_for {
  void operator()(int n, cpu_task task) const {
    at::parallel_for(0, n, 1, [task](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) task(static_cast<int>(i));
    });
  }
};

/// hone::cpu on at::get_num_threads() threads of LibTorch. Cheap: take a new one after at::set_num_threads.
inline cpu torch_cpu() { return cpu{std::clamp(at::get_num_threads(), 1, on_cpu::max_threads), at_parallel_for{}}; }

namespace detail {

/// What the adapter must know about a backend: its device, its 16-bit types, and how it is called.
template <class Backend>
struct backend_traits;
template <>
struct backend_traits<cpu> {
  static constexpr at::DeviceType device = at::kCPU;
  using numbers = cpu_numbers;
  static constexpr bool returns_value = true;  ///< evaluate returns the value on the host

  template <class Objective, class View, class Outputs>
  static double evaluate(cpu const& backend, Objective const& objective, View view, Outputs const& to, reduction how) {
    return hone::evaluate(backend, objective, view, to, how);
  }
};

template <class Backend>
concept backend = requires { backend_traits<std::remove_cvref_t<Backend>>::device; };

}  // namespace detail
}  // namespace hone::inline HONE_ABI::adapt

#include <hone/core/macros_pop.hpp>
