// SPDX-License-Identifier: MIT
/// The threads that share a plane: a warp for small planes, a block for large ones.
#pragma once

#include <hone/core/view.hpp>
#include <hone/cuda/memory/vector.cuh>
#include <hone/cuda/run/barrier.cuh>
#include <hone/cuda/run/launch.cuh>
#include <hone/cuda/run/launch.hpp>
#include <hone/cuda/run/reduce.cuh>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

inline constexpr index largest_warp_plane = 2048;  // pixels of a plane that a warp shares

/// Size is 32 or block_threads.
template <int Size>
struct plane_team {
  static constexpr int size = Size, per_block = block_threads / Size;

  __device__ static int rank() { return static_cast<int>(threadIdx.x) % Size; }
  __device__ static index first() { return index(blockIdx.x) * per_block + static_cast<int>(threadIdx.x) / Size; }
  __device__ static index step() { return index(gridDim.x) * per_block; }

  /// Returns join over the numbers of all threads, in every thread, in a fixed order. All threads of a team call it;
  /// it orders what they have read before with what they write afterwards.
  template <class Join>
  __device__ static double joined(Join const& join, double x) {
    for (int lanes = 16; lanes > 0; lanes /= 2) x = join(x, __shfl_xor_sync(all_lanes, x, lanes));
    if constexpr (Size > 32) {
      __shared__ double of_warp[Size / 32];
      __syncthreads();  // other threads may still read the numbers of an earlier call
      if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = x;
      __syncthreads();
      x = of_warp[0];
      for (int warp = 1; warp < Size / 32; ++warp) x = join(x, of_warp[warp]);
    } else {
      __syncwarp();  // shuffles do not order memory
    }
    return x;
  }
};

struct joins_sums {
  __device__ double operator()(double a, double b) const { return a + b; }
};
struct joins_smallest {
  __device__ double operator()(double a, double b) const { return b < a ? b : a; }
};

/// Returns whether all planes of images at these addresses are whole vectors of 16 bytes. Null is not read.
template <class... T>
bool planes_are_wide(index pixels, T const*... images) noexcept {
  return ((pixels % wide_of<T> == 0 && is_aligned<wide_of<T>>(images)) && ...);
}

/// Narrows N numbers and stores them in one access.
template <int N, class T, class A>
__device__ void store_run(A const (&from)[N], T* to) {
  store_vector(narrowed_vector<T>(from), to);
}

/// Calls body(N, i) for the numbers [i, i + N) of a plane that are this thread's: N is the constant Wide, or 1.
template <class Team, int Wide, class Body>
__device__ void each_run(bool wide, index pixels, Body const& body) {
  if (wide)
    for (index i = index(Team::rank()) * Wide; i < pixels; i += index(Team::size) * Wide)
      body(std::integral_constant<int, Wide>(), i);
  else
    for (index i = Team::rank(); i < pixels; i += Team::size) body(std::integral_constant<int, 1>(), i);
}

/// Launches one_per_warp or one_per_block, the same kernel for both teams, by the size of the planes.
template <class... Parameter>
void launch_planes(const char* name, void (*one_per_warp)(Parameter...), void (*one_per_block)(Parameter...),
                   index planes, index pixels, cudaStream_t stream, std::type_identity_t<Parameter>... arguments) {
  const bool small = pixels <= largest_warp_plane;
  constexpr index per_block = plane_team<32>::per_block;
  const index blocks = small ? (planes + per_block - 1) / per_block : planes;
  launch(name, small ? one_per_warp : one_per_block, {grid_for(blocks), block_threads}, stream, arguments...);
}

/// Number p of a matrix with one number per plane.
template <class A>
__device__ A& number_of_plane(matrix_view<A> of, divider const& channels, index plane) {
  const index image = channels.quotient(plane);
  return of.row(image)[plane - image * channels.by];
}
/// The same in all lanes of a warp, of which one reads it.
template <class A>
__device__ std::remove_const_t<A> number_for_warp(matrix_view<A> of, divider const& channels, index plane) {
  std::remove_const_t<A> x = 0;
  if (threadIdx.x % 32 == 0) x = number_of_plane(of, channels, plane);
  return __shfl_sync(all_lanes, x, 0);
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
