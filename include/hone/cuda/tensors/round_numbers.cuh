// SPDX-License-Identifier: MIT
/// Stochastic rounding on CUDA, with the bits of the CPU.
#pragma once

#include <hone/core/tensor_part.hpp>
#include <hone/cuda/memory/device_step.cuh>
#include <hone/cuda/tensors/pairs.cuh>
#include <hone/gradient/scaling.hpp>
#include <hone/precision/stochastic_rounding.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// hone::stochastic_rounding whose step may be in device memory: hone::device_step(pointer). Each replay of a graph
/// then rounds by the step of that time. A graph keeps any other step, and would round alike in every replay.
struct device_stochastic_rounding {
  integer seed = 0;
  on_cuda::step_source step = 0;
  integer first_tensor = 0;
};

namespace on_cuda {

/// Rounds numbers of one tensor.
template <class P>
struct tensor_rounding {
  using format = std::conditional_t<sizeof(P) == 4, std::uint32_t, std::uint16_t>;

  detail::rounding_bits bits;
  detail::tensor_part part;
  bool half;

  template <class A>
  __device__ P operator()(A x, std::uint32_t random) const {
    format rounded = 0;
    if constexpr (sizeof(P) == 4)
      rounded = detail::rounded_stochastically<detail::float_format>(x, random);
    else
      rounded = half ? detail::rounded_stochastically<detail::half_format>(x, random)
                     : detail::rounded_stochastically<detail::bfloat16_format>(x, random);
    P p;
    memcpy(static_cast<void*>(&p), &rounded, sizeof p);
    return p;
  }
  /// Finds the random words of `count` of N numbers, of which the first is the k-th of the part.
  template <int N>
  __device__ void words_of(index k, int count, std::uint32_t (&random)[N]) const {
    detail::part_walk at(part, k);
    detail::philox_block block{};
    std::uint64_t known = 0;
#pragma unroll 1  // the code of Philox once, not N times
    for (int j = 0; j < count; ++j, ++at) {
      const auto number = static_cast<std::uint64_t>(*at);
      if (j == 0 || number / 4 != known) known = number / 4, block = bits(known);
      const std::uint32_t low = number % 2 == 0 ? block.at[0] : block.at[1],
                          high = number % 2 == 0 ? block.at[2] : block.at[3], word = number % 4 < 2 ? low : high;
#pragma unroll  // random[j] would put the words into local memory
      for (int i = 0; i < N; ++i)
        if (i == j) random[i] = word;
    }
  }
  /// Rounds numbers, and converts them back.
  template <int N, class A>
  __device__ void round(index k, int count, A (&x)[N]) const {
    std::uint32_t random[N] = {};
    words_of(k, count, random);
#pragma unroll
    for (int j = 0; j < N; ++j)
      if (j < count) x[j] = static_cast<A>((*this)(x[j], random[j]));
  }
};

/// How a kernel rounds the tensors of a list; a plain value. `parts` may be null: all are whole.
template <class P>
struct list_rounding {
  integer seed;
  step_source step;
  integer first_tensor;
  detail::tensor_part const* parts;
  bool half;

  __device__ tensor_rounding<P> of(int tensor) const {
    const index now = step.pointer ? *step.pointer : step.value.value;
    return {{seed, now, static_cast<std::uint64_t>(first_tensor.value + tensor)},
            parts ? parts[tensor] : detail::tensor_part{},
            half};
  }
};
/// Numbers that are rounded to the nearest, where they are written.
struct nearest_rounding {
  struct nothing {
    template <int N, class A>
    __device__ void round(index, int, A (&)[N]) const {}
  };
  __device__ nothing of(int) const { return {}; }
};

/// The list of a prepared list of tensors, and its parts if it is cut over ranks.
template <class List>
auto const& flat_list(List const& list) noexcept {
  if constexpr (requires { list.parts(); })
    return list.list();
  else
    return list;
}
template <class P, class Rounding, class List>
list_rounding<P> rounding_of(const char* function, Rounding const& rounding, List const& list) {
  detail::require_rounding(function, rounding);
  detail::tensor_part const* parts = nullptr;
  if constexpr (requires { list.parts(); }) parts = list.parts();
  return {rounding.seed, rounding.step, rounding.first_tensor, parts, detail::largest_number<P>() == 65504};
}

template <class P, class T>
__global__ void __launch_bounds__(block_threads)
    round_kernel(list_table<P> const list, T* const* masters, list_rounding<P> const rounding) {
  constexpr int N = wide_of<T>;
  __shared__ shared_piece at;
  for (index piece = blockIdx.x; piece < list.pieces; piece += gridDim.x) {
    at.read(list, masters, piece);
    const tensor_rounding<P> rounded = rounding.of(at.tensor);
    at.visit(
        piece,
        [&](index, index, index first, index n) {
          P* const x = at.data_of<P>() + first;
          T const* const y = at.other_of<T const>() + first;
          const bool alike = reinterpret_cast<std::uintptr_t>(x) / sizeof(P) % N ==
                             reinterpret_cast<std::uintptr_t>(y) / sizeof(T) % N;
          each_piece_of<N>(x, n, static_cast<int>(threadIdx.x), static_cast<int>(blockDim.x),
                           [&](int from, auto count) {
                             T of_y[N] = {};
                             std::uint32_t random[N] = {};
                             rounded.words_of(first + from, count, random);
                             if constexpr (decltype(count)::value == N) {
                               load_all(y + from, of_y, alike);
                               vector<P, N> v{};
#pragma unroll
                               for (int j = 0; j < N; ++j) v.set(j, rounded(of_y[j], random[j]));
                               store_vector(v, x + from);
                             } else {
                               x[from] = rounded(y[from], random[0]);
                             }
                           });
        },
        [](index, index, index, index) {});  // lists are not cut into columns
  }
}

}  // namespace on_cuda
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
