// SPDX-License-Identifier: MIT
/// hone::cpu in LibTorch, on LibTorch's threads.
#pragma once

#include <hone/adapt/torch/loss.hpp>
#include <hone/cpu/evaluate.hpp>

#include <ATen/Config.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::adapt {

/// Whether at::parallel_for, which is compiled into the caller's code, uses threads there: where LibTorch's are
/// OpenMP's, only with -fopenmp. Without it, all tasks run on the caller, and nothing says so.
#if defined(_OPENMP) || !AT_PARALLEL_OPENMP
constexpr bool parallel_for_has_threads = true;
#else
constexpr bool parallel_for_has_threads = false;
#endif

/// The executor of LibTorch's threads, OpenMP's or its own. Inside a parallel region, tasks run on the calling thread.
/// HasThreads: parallel_for_has_threads; code with and without -fopenmp needs functions of different names.
template <bool HasThreads = parallel_for_has_threads>
struct at_parallel_for {
  void operator()(int n, cpu_task task) const {
    at::parallel_for(0, n, 1, [task](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) task(static_cast<int>(i));
    });
  }
};

/// Returns hone::cpu with at::get_num_threads() threads: those of LibTorch, by at::parallel_for, or hone's own where
/// at::parallel_for has none. In a parallel region of LibTorch all runs on the caller. Cheap: take a new one after
/// at::set_num_threads.
template <bool HasThreads = parallel_for_has_threads>
cpu torch_cpu() {
  const int threads = std::clamp(at::get_num_threads(), 1, on_cpu::max_threads);
  if constexpr (HasThreads) {
    return cpu{threads, at_parallel_for<>{}};
  } else {
    return cpu{at::in_parallel_region() ? 1 : threads};
  }
}

namespace detail {

/// to[i] = factor · from[i], in float for 16-bit numbers; to may be from. Not a torch operator: after one, the threads
/// of OpenMP spin for milliseconds.
inline void multiply(at::Tensor const& from, double factor, at::Tensor const& to) {
  with_number("backward", "the gradient", from.scalar_type(), [&]<class T>(std::type_identity<T>) {
    using A = accumulator_t<T>;
    T const* const x = numbers_of<const T>(from);
    T* const y = numbers_of<T>(to);
    const index n = from.numel(), each = index(1) << 15;
    const A f = static_cast<A>(factor);
    on_cpu::for_chunks(torch_cpu(), (n + each - 1) / each, 0, [&](index chunk, std::byte*) {
      const index end = std::min(n, (chunk + 1) * each);
      for (index i = chunk * each; i < end; ++i) y[i] = static_cast<T>(static_cast<A>(x[i]) * f);
    });
  });
}

template <>
struct backend_traits<cpu> {
  static constexpr at::DeviceType device = at::kCPU;
  static constexpr bool returns_value = true;
  using numbers = cpu_numbers;

  static void require_stream(const char*, cpu const&, at::Tensor const&) noexcept {}

  template <class Objective, class View, class Outputs>
  static double evaluate(cpu const& backend, Objective const& objective, View view, Outputs const& to, reduction how) {
    return hone::evaluate(backend, objective, view, to, how);
  }

  static at::Tensor times(at::Tensor const& gradient, at::Tensor const& factor, bool in_place) {
    const double f = factor.scalar_type() == at::kDouble ? *numbers_of<const double>(factor)
                                                         : static_cast<double>(*numbers_of<const float>(factor));
    if (f == 1) return gradient;
    const at::Tensor to = in_place ? gradient : at::empty_like(gradient);
    multiply(gradient, f, to);
    return to;
  }
};

}  // namespace detail

// The same functions on the threads of LibTorch, torch_cpu().

template <class... Numbers, detail::objective_or_function Source>
at::Tensor loss(Source const& objective, at::Tensor const& logits, reduction how = mean) {
  return loss<Numbers...>(torch_cpu(), objective, logits, how);
}
template <class... Numbers, detail::objective_or_function Source>
double backward(Source const& objective, at::Tensor const& logits, reduction how = mean) {
  return backward<Numbers...>(torch_cpu(), objective, logits, how);
}
template <class... Numbers, detail::objective_or_function Source>
double value(Source const& objective, at::Tensor const& logits, reduction how = mean) {
  return value<Numbers...>(torch_cpu(), objective, logits, how);
}
template <class... Numbers, detail::objective_or_function Source>
at::Tensor losses(Source const& objective, at::Tensor const& logits) {
  return losses<Numbers...>(torch_cpu(), objective, logits);
}

}  // namespace hone::inline HONE_ABI::adapt

#include <hone/core/macros_pop.hpp>
