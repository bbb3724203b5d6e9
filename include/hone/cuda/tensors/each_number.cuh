// SPDX-License-Identifier: MIT
/// A user-defined function over the numbers of tensor lists, on CUDA.
#pragma once

#include <hone/core/list.hpp>
#include <hone/cuda/simd/device_float.cuh>
#include <hone/cuda/tensors/norms.cuh>
#include <hone/cuda/tensors/pairs.cuh>
#include <hone/cuda/tensors/round_numbers.cuh>
#include <hone/gradient/each_number.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cuda {

/// N numbers of a list, in the type of the arithmetic.
template <int N, class T>
struct held_stretch {
  using A = accumulator_t<std::remove_const_t<T>>;

  T* data;
  bool aligned;  // whether N adjacent numbers are aligned if those of the first list are
  A at[N];

  __device__ void read(index from, int count) {
    if (count == N) return load_all(data + from, at, aligned);
#pragma unroll
    for (int j = 0; j < N; ++j)
      if (j < count) at[j] = static_cast<A>(data[from + j]);
  }
  __device__ void write(index from, int count) const {
    if constexpr (!std::is_const_v<T>) {
      if (count == N) return store_all(at, data + from, aligned);
#pragma unroll
      for (int j = 0; j < N; ++j)
        if (j < count) data[from + j] = detail::narrowed<T>(at[j]);
    }
  }
  __device__ detail::number_reference<T> number(int j) { return at[j]; }
};

/// Number j of a stretch as an operand.
template <int N, class T>
class held_operand {
  using A = accumulator_t<std::remove_const_t<T>>;
  using V = operand_of<A>;

 public:
  __device__ held_operand(held_stretch<N, T>& of, int j) : number_(of.at[j]), v_(number_) {}
  __device__ detail::operand_reference<V, T> operand() { return v_; }
  __device__ void write_back() const {
    if constexpr (!std::is_const_v<T>) number_ = static_cast<A>(v_);
  }

 private:
  A& number_;
  V v_;
};
template <class F, class... Operand>
__device__ void call_with_operands(F const& f, Operand... x) {
  f(x.operand()...);
  (x.write_back(), ...);
}

template <class F, int N, class... T, std::size_t... I>
__device__ void call_with(F const& f, detail::list<held_stretch<N, T>...>& held, int j, std::index_sequence<I...>) {
  if constexpr (detail::takes_operands<F, T...>)
    call_with_operands(f, held_operand<N, T>(detail::at<I>(held), j)...);
  else
    f(detail::at<I>(held).number(j)...);
}
/// Reads N numbers of every list, calls f with each, and writes them. Those of the first list are rounded before; the
/// k-th of its tensor comes first.
template <class F, class Rounded, int N, class... T>
__device__ void call_for_stretch(F const& f, Rounded const& rounded, index k, detail::list<held_stretch<N, T>...> held,
                                 index from) {
  held.each([&](auto& h) { h.read(from, N); });
#pragma unroll
  for (int j = 0; j < N; ++j) call_with(f, held, j, std::index_sequence_for<T...>());
  rounded.round(k, N, detail::at<0>(held).at);
  held.each([&](auto& h) { h.write(from, N); });
}

/// Returns a number of adjacent elements that take at most 16 bytes in every list.
template <class... T>
HONE_HD constexpr int wide_of_all() {
  int minimum = 16;
  ((minimum = wide_of<std::remove_const_t<T>> < minimum ? wide_of<std::remove_const_t<T>> : minimum), ...);
  return minimum;
}

/// Each thread processes adjacent numbers of every list at a time.
template <class F, class Rounding, class T, class... More>
__global__ void __launch_bounds__(block_threads)
    number_kernel(list_table<T> const list, F const f, Rounding const rounding, More* const*... more) {
  constexpr int N = wide_of_all<T, More...>();
  __shared__ shared_piece at;
  for (index piece = blockIdx.x; piece < list.pieces; piece += gridDim.x) {
    at.read(list, static_cast<T* const*>(nullptr), piece);
    const int tensor = at.tensor;
    const auto rounded = rounding.of(tensor);
    at.visit(
        piece,
        [&](index, index, index first, index n) {
          T* const x = at.data_of<T>() + first;
          const auto alike = [&]<class U>(U* y) {
            return reinterpret_cast<std::uintptr_t>(x) / sizeof(T) % N ==
                   reinterpret_cast<std::uintptr_t>(y) / sizeof(U) % N;
          };
          // Made here, because the compiler would read the tables again for every access: stores might change them.
          const detail::list<held_stretch<N, T>, held_stretch<N, More>...> stretches(
              held_stretch<N, T>{x, true, {}}, [&](More* y) {
                return held_stretch<N, More>{y, alike(y), {}};
              }(pointer_by_warp(more + tensor) + first)...);
          const detail::list<held_stretch<1, T>, held_stretch<1, More>...> singles(
              held_stretch<1, T>{x, false, {}},
              held_stretch<1, More>{pointer_by_warp(more + tensor) + first, false, {}}...);
          each_piece_of<N>(x, n, static_cast<int>(threadIdx.x), static_cast<int>(blockDim.x),
                           [&](int from, auto count) {
                             if constexpr (decltype(count)::value == N)
                               call_for_stretch(f, rounded, first + from, stretches, from);
                             else
                               call_for_stretch(f, rounded, first + from, singles, from);
                           });
        },
        [](index, index, index, index) {});  // lists are not cut into columns
  }
}

template <class F, class Rounding, class T, class... More>
void enqueue_numbers(cuda const& backend, F const& f, Rounding const& rounding, device_list<T> const& first,
                     device_list<More> const&... more) {
  static_assert(std::is_trivially_copyable_v<F>, "for_each_number: f is copied to the device: it must be bytes alone");
  detail::require_function_of_numbers<F, T, More...>();
  detail::require_number_lists("for_each_number", first.tensors(), more.tensors()...);
  const device_of_stream device(backend.placed());
  launch_pieces("for_each_number: number_kernel", number_kernel<F, Rounding, T, More...>, first.table().pieces,
                backend.stream(), first.table(), f, rounding, more.table().data...);
}

}  // namespace on_cuda

/// Enqueues hone::for_each_number, as documented for the CPU, as one kernel for any lists. f is called on the device:
/// an object with a HONE_HD or __device__ operator(), or an extended lambda; it is copied. A template gets single
/// numbers as operands, whose division is right to 2 ulp. A captured graph keeps the f of its capture.
template <class F, class T, class... More>
void for_each_number(cuda const& backend, F const& f, device_list<T> const& first, device_list<More> const&... more) {
  on_cuda::enqueue_numbers(backend, f, on_cuda::nearest_rounding(), first, more...);
}
/// The same where the numbers of the first list are of 16 bits and are rounded stochastically when they are written: a
/// hone::device_list or device_sharded_list. The rounding is a hone::stochastic_rounding, or a
/// hone::device_stochastic_rounding in a captured graph.
template <class F, class Rounding, class List, class... More>
void for_each_number(cuda const& backend, F const& f, rounded_list<Rounding, List> const& first,
                     device_list<More> const&... more) {
  auto const& list = on_cuda::flat_list(*first.parameters);
  using P = std::remove_reference_t<decltype(*list.tensors()[0].data)>;
  detail::require_rounded_parameters<P>();
  on_cuda::enqueue_numbers(backend, f, on_cuda::rounding_of<P>("for_each_number", first.rounding, *first.parameters),
                           list, more...);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
