// SPDX-License-Identifier: MIT
/// A softmax over branches on CUDA: forward and backward, one kernel each.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/cuda/run/backend.cuh>
#include <hone/cuda/simd/device_float.cuh>
#include <hone/cuda/structure/plane_team.cuh>
#include <hone/structure/branch_selection.hpp>

#include <cmath>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cuda {

/// Which numbers belong to which plane.
struct branch_numbers {
  int count;
  divider channels, per_group;
};

/// The weights of a plane's branches, in every thread; those after the last branch are 0. Room is a constant, so that
/// they stay in registers.
template <int Room, class A>
struct plane_weights {
  operand_of<A> w[Room];
  index image, c, group, rest;

  __device__ plane_weights(matrix_view<const A> e, branch_numbers const& at, index plane)
      : image(at.channels.quotient(plane)),
        c(plane - image * at.channels.by),
        group(at.per_group.quotient(c)),
        rest(c - group * at.per_group.by) {
#pragma unroll
    for (int b = 0; b < Room; ++b)
      w[b] = b < at.count ? operand_of<A>(e.row(image)[column(b, at)]) : operand_of<A>(-HUGE_VAL);
    softmax_of_branches<operand_of<A>>(w, Room);
  }
  __device__ index column(int branch, branch_numbers const& at) const {
    return detail::branch_column(branch, at.count, group, at.per_group.by, rest);
  }
};

template <int Size, int Room, class T>
__global__ void __launch_bounds__(block_threads, 1)
    select_branches_kernel(detail::branch_planes<const T> const x, matrix_view<const accumulator_t<T>> const e,
                           image_view<T> const y, branch_numbers const at) {
  using team = plane_team<Size>;
  using A = accumulator_t<T>;
  for (index p = team::first(); p < y.images * y.channels; p += team::step()) {
    const plane_weights<Room, A> weights(e, at, p);
    for (index i = team::rank(); i < y.pixels; i += Size) {
      operand_of<A> sum(0);
#pragma unroll
      for (int b = 0; b < Room; ++b)
        if (b < at.count)
          sum = sum + weights.w[b] * operand_of<A>(static_cast<A>(x.plane(b, weights.image, weights.c, y.pixels)[i]));
      y.data[p * y.pixels + i] = detail::narrowed<T>(static_cast<A>(sum));
    }
  }
}

/// dx and de may be null.
template <int Size, int Room, class T>
__global__ void __launch_bounds__(block_threads, 1)
    select_branches_backward_kernel(detail::branch_planes<const T> const x, matrix_view<const accumulator_t<T>> const e,
                                    image_view<const T> const dy, detail::branch_planes<T> const dx,
                                    matrix_view<accumulator_t<T>> const de, branch_numbers const at) {
  using team = plane_team<Size>;
  using A = accumulator_t<T>;
  using V = operand_of<A>;
  for (index p = team::first(); p < dy.images * dy.channels; p += team::step()) {
    const plane_weights<Room, A> weights(e, at, p);
    V products[Room];
#pragma unroll
    for (int b = 0; b < Room; ++b) products[b] = V(0);
    for (index i = team::rank(); i < dy.pixels; i += Size) {
      const V g(static_cast<A>(dy.data[p * dy.pixels + i]));
#pragma unroll
      for (int b = 0; b < Room; ++b) {
        if (b >= at.count) continue;
        if (de.data)
          products[b] = products[b] + g * V(static_cast<A>(x.plane(b, weights.image, weights.c, dy.pixels)[i]));
        if (dx.count > 0)
          dx.plane(b, weights.image, weights.c, dy.pixels)[i] = detail::narrowed<T>(static_cast<A>(g * weights.w[b]));
      }
    }
    if (!de.data) continue;
    double w[Room], sums[Room];
#pragma unroll
    for (int b = 0; b < Room; ++b) {
      w[b] = static_cast<double>(weights.w[b]);
      sums[b] = team::joined(joins_sums(), static_cast<double>(products[b]));
    }
    softmax_of_branches_backward<double>(w, sums, Room);
    if (team::rank() != 0) continue;
#pragma unroll
    for (int b = 0; b < Room; ++b)
      if (b < at.count) de.row(weights.image)[weights.column(b, at)] = detail::narrowed<A>(sums[b]);
  }
}

/// Calls body with room for the branches, as a constant.
template <class Body>
void with_room(int count, Body const& body) {
  if (count <= 2) return body(std::integral_constant<int, 2>());
  if (count <= 4) return body(std::integral_constant<int, 4>());
  body(std::integral_constant<int, most_branches>());
}

template <class T>
void launch_select(cuda& backend, detail::branch_planes<const T> const& x, matrix_view<const accumulator_t<T>> e,
                   image_view<T> y, branch_selection_options const& options) {
  const index planes = y.images * y.channels;
  if (planes * y.pixels == 0) return;
  const device_of_stream device(backend.placed());
  with_room(x.count, [&]<int Room>(std::integral_constant<int, Room>) {
    launch_planes("select_branches: select_branches_kernel", select_branches_kernel<32, Room, T>,
                  select_branches_kernel<block_threads, Room, T>, planes, y.pixels, backend.stream(), x, e, y,
                  branch_numbers{x.count, divider(y.channels), divider(y.channels / options.groups.value)});
  });
}
template <class T>
void launch_select_backward(cuda& backend, detail::branch_planes<const T> const& x,
                            matrix_view<const accumulator_t<T>> e, image_view<const T> dy,
                            detail::branch_planes<T> const& dx, matrix_view<accumulator_t<T>> de,
                            branch_selection_options const& options) {
  const index planes = dy.images * dy.channels;
  if (planes == 0) return;
  const device_of_stream device(backend.placed());
  with_room(x.count, [&]<int Room>(std::integral_constant<int, Room>) {
    launch_planes("select_branches_backward: select_branches_backward_kernel",
                  select_branches_backward_kernel<32, Room, T>, select_branches_backward_kernel<block_threads, Room, T>,
                  planes, dy.pixels, backend.stream(), x, e, dy, dx, de,
                  branch_numbers{x.count, divider(dy.channels), divider(dy.channels / options.groups.value)});
  });
}

}  // namespace on_cuda

/// Enqueues hone::select_branches, as documented for the CPU, as one kernel. All views are of device memory; a span of
/// views is read before the call returns.
template <class T>
void select_branches(cuda& backend, std::type_identity_t<image_view<const T>> x,
                     std::type_identity_t<matrix_view<const accumulator_t<T>>> e, image_view<T> y,
                     branch_selection_options options = {}) {
  on_cuda::launch_select<T>(backend, detail::checked_branches<T>(x, e, y, options), e, y, options);
}
template <class T>
void select_branches(cuda& backend, std::type_identity_t<std::span<const image_view<const T>>> x,
                     std::type_identity_t<matrix_view<const accumulator_t<T>>> e, image_view<T> y,
                     branch_selection_options options = {}) {
  on_cuda::launch_select<T>(backend, detail::checked_branches<T>(x, e, y, options), e, y, options);
}

/// Enqueues hone::select_branches_backward, as documented for the CPU, as one kernel. The same bits in every run.
template <class T>
void select_branches_backward(cuda& backend, std::type_identity_t<image_view<const T>> x,
                              std::type_identity_t<matrix_view<const accumulator_t<T>>> e,
                              std::type_identity_t<image_view<const T>> dy, image_view<T> dx,
                              std::type_identity_t<matrix_view<accumulator_t<T>>> de,
                              branch_selection_options options = {}) {
  static_assert(!std::is_const_v<T>, "select_branches_backward: dx is written, its type is const");
  static_assert(element<T>, "select_branches_backward: dx must be of float, double or a 16-bit type");
  const auto branches = detail::checked_branches_backward<T>(x, e, dy, dx, de, options);
  on_cuda::launch_select_backward<T>(backend, branches.x, e, dy, branches.dx, de, options);
}
template <class T>
void select_branches_backward(cuda& backend,
                              std::type_identity_t<std::span<const image_view<const std::remove_const_t<T>>>> x,
                              std::type_identity_t<matrix_view<const accumulator_t<T>>> e, image_view<T> dy,
                              std::type_identity_t<std::span<const image_view<std::remove_const_t<T>>>> dx,
                              std::type_identity_t<matrix_view<accumulator_t<T>>> de,
                              branch_selection_options options = {}) {
  using number = std::remove_const_t<T>;
  static_assert(element<number>, "select_branches_backward: dy must be of float, double or a 16-bit type");
  const image_view<const number> gradient = dy;
  const auto branches = detail::checked_branches_backward<number>(x, e, gradient, dx, de, options);
  on_cuda::launch_select_backward<number>(backend, branches.x, e, gradient, branches.dx, de, options);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
