// SPDX-License-Identifier: MIT
/// A softmax over branches on the CPU: forward and backward, each in one sweep.
#pragma once

#include <hone/cpu/structure/plane_cut.hpp>
#include <hone/cpu/structure/plane_runs.hpp>
#include <hone/structure/branch_selection.hpp>

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

inline index column_of(int branch, index c, int branches, index per_group) noexcept {
  return detail::branch_column(branch, branches, c / per_group, per_group, c % per_group);
}

/// The weights of a chunk's planes: one strip of whole packs per branch.
template <class A>
struct branch_weights {
  A* strip;
  index room;  // numbers of a strip

  static std::size_t bytes(index planes, int branches) {
    return arena::room_for<A>(std::size_t(branches * (planes + pack<A>::size)));
  }
  branch_weights(matrix_view<const A> e, int branches, index channels, index per_group, index begin, index end,
                 arena& memory) noexcept
      : strip(memory.take<A>(std::size_t(branches * (end - begin + pack<A>::size)))),
        room(end - begin + pack<A>::size) {
    std::fill_n(strip, branches * room, A(0));
    for (int b = 0; b < branches; ++b)
      for (index p = begin; p < end; ++p)
        strip[b * room + p - begin] = e.row(p / channels)[column_of(b, p % channels, branches, per_group)];
    for (index i = 0; i < end - begin; i += pack<A>::size) {
      pack<A> w[std::size_t(most_branches)];
      for (pack<A>& one : w) one = pack<A>(0);
      for (int b = 0; b < branches; ++b) w[b] = pack<A>::load(strip + b * room + i);
      softmax_of_branches(w, branches);
      for (int b = 0; b < branches; ++b) w[b].store(strip + b * room + i);
    }
  }
  A of(int branch, index plane) const noexcept { return strip[branch * room + plane]; }
};

/// y = Σ w_b x_b over n numbers of a plane. Count is a number or a constant.
template <class A, class T, class Count>
void mix_run(T const* const* x, A const* w, Count count, T* y, index n) noexcept {
  using V = pack<A>;
  constexpr index W = V::size;
  if (n < W) {
    T all[std::size_t(most_branches)][std::size_t(W)] = {}, to[std::size_t(W)];
    T const* from[std::size_t(most_branches)];
    for (int b = 0; b < count; ++b) std::copy_n(x[b], n, all[b]), from[b] = all[b];
    mix_run(from, w, count, to, W);
    std::copy_n(to, n, y);
    return;
  }
  const auto at = [&](index i) HONE_INLINE_LAMBDA {
    V sum = load_as<A>(x[0] + i) * V(w[0]);
    for (int b = 1; b < count; ++b) sum = fma(load_as<A>(x[b] + i), V(w[b]), sum);
    store_narrowed(sum, y + i);
  };
  for (index i = 0; i + W < n; i += W) at(i);
  at(n - W);
}

template <class T>
void select_planes(cpu const& backend, detail::branch_planes<const T> const& x, matrix_view<const accumulator_t<T>> e,
                   image_view<T> y, branch_selection_options const& options) {
  using A = accumulator_t<T>;
  if (y.images * y.channels * y.pixels == 0) return;
  const bool past_caches = passes_caches(y, {});
  const plane_cut cut(y, past_caches);
  const index per_group = y.channels / options.groups.value;
  const std::size_t bytes = branch_weights<A>::bytes(cut.per_chunk, x.count) + arena::room_for<T>(run_numbers);
  const auto sweep = [&](auto count) {
    for_planes(backend, cut, bytes, [&](index from, index to, std::byte* memory) {
      arena pieces(memory);
      plane_output<T> output(y, past_caches, pieces.take<T>(run_numbers));
      const branch_weights<A> weights(e, x.count, y.channels, per_group, from, to, pieces);
      for (index p = from; p < to; ++p)
        for_runs(p, y.pixels, [&](index at, index n) {
          T const* runs[std::size_t(most_branches)];
          A w[std::size_t(most_branches)];
          for (int b = 0; b < x.count; ++b) {
            runs[b] = x.plane(b, p / y.channels, p % y.channels, y.pixels) + (at - p * y.pixels);
            w[b] = weights.of(b, p - from);
          }
          mix_run(runs, w, count, output.room(at, n), n);
        });
      output.flush();
    });
  };
  x.count == 2 ? sweep(std::integral_constant<int, 2>()) : sweep(x.count);
}

/// dx_b = w_b dy, and de, each if it is wanted.
template <class T>
void select_planes_backward(cpu const& backend, detail::branch_planes<const T> const& x,
                            matrix_view<const accumulator_t<T>> e, image_view<const T> dy,
                            detail::branch_planes<T> const& dx, matrix_view<accumulator_t<T>> de,
                            branch_selection_options const& options) {
  using A = accumulator_t<T>;
  if (dy.images * dy.channels == 0) return;
  const index channels = dy.channels, pixels = dy.pixels, per_group = channels / options.groups.value;
  const int branches = x.count;
  const image_view<T> all(dx.data[0], dy.images, branches * channels, pixels);
  const bool past_caches = dx.count > 0 && dx.data[0] != x.data[0] && passes_caches(all, {});
  const plane_cut cut(dy, past_caches);
  const std::size_t bytes =
      branch_weights<A>::bytes(cut.per_chunk, branches) + std::size_t(branches + 1) * arena::room_for<T>(run_numbers);
  for_planes(backend, cut, bytes, [&](index from, index to, std::byte* memory) {
    arena pieces(memory);
    const auto outputs = [&]<std::size_t... b>(std::index_sequence<b...>) {
      return std::array{plane_output<T>({dx.data[b], dy.images, channels, pixels}, past_caches,
                                        int(b) < branches ? pieces.take<T>(run_numbers) : nullptr)...};
    };
    auto output = outputs(std::make_index_sequence<std::size_t(most_branches)>());
    T* const unread = pieces.take<T>(run_numbers);
    const branch_weights<A> weights(e, branches, channels, per_group, from, to, pieces);
    for (index p = from; p < to; ++p) {
      const index image = p / channels, c = p % channels;
      double products[std::size_t(most_branches)] = {}, w[std::size_t(most_branches)] = {};
      for_runs(p, pixels, [&](index at, index n) {
        for (int b = 0; b < branches; ++b) {
          const index begin = (image * (dx.count > 0 ? dx.step : 0) + c) * pixels + (at - p * pixels);
          const backward_run<T> run{x.plane(b, image, c, pixels) + (at - p * pixels), nullptr, dy.data + at,
                                    output[std::size_t(b)].room(begin, n), unread};
          products[b] += static_cast<double>(
              sum(scale_run_backward<false>(identity_formula(), run, n, weights.of(b, p - from), A(0))));
        }
      });
      if (c + 1 == channels)  // the next plane of a branch is not its neighbour in memory
        for (int b = 0; b < branches; ++b) output[std::size_t(b)].flush();
      if (!de.data) continue;
      for (int b = 0; b < branches; ++b) w[b] = static_cast<double>(weights.of(b, p - from));
      softmax_of_branches_backward(w, products, branches);
      for (int b = 0; b < branches; ++b)
        de.row(image)[column_of(b, c, branches, per_group)] = detail::narrowed<A>(products[b]);
    }
    for (int b = 0; b < branches; ++b) output[std::size_t(b)].flush();
  });
}

}  // namespace on_cpu

/// Writes y = Σ x_b w_b, where w is the softmax of e over the branches of a plane. x is images x (branches channels) x
/// pixels, all channels of the first branch before those of the second; e has a number for each of its channels, images
/// x (branches channels), float for 16-bit images. There are as many branches as the channels of y go into those of x,
/// at most 8:
///
///     hone::select_branches(cpu, x, e, y)
///
/// Every number is read once and written once. A weight of 0 multiplies: x must be finite. Throws
/// hone::invalid_argument, and writes nothing, if a shape does not fit, groups do not divide the channels of y, or y
/// overlaps x or e.
template <class T>
void select_branches(cpu const& backend, std::type_identity_t<image_view<const T>> x,
                     std::type_identity_t<matrix_view<const accumulator_t<T>>> e, image_view<T> y,
                     branch_selection_options options = {}) {
  on_cpu::select_planes<T>(backend, detail::checked_branches<T>(x, e, y, options), e, y, options);
}

/// The same for branches that are images of their own, each with the shape of y:
///
///     const hone::image_view<const float> branches[] = {of_3x3, of_5x5};
///     hone::select_branches(cpu, branches, e, y)
template <class T>
void select_branches(cpu const& backend, std::type_identity_t<std::span<const image_view<const T>>> x,
                     std::type_identity_t<matrix_view<const accumulator_t<T>>> e, image_view<T> y,
                     branch_selection_options options = {}) {
  on_cpu::select_planes<T>(backend, detail::checked_branches<T>(x, e, y, options), e, y, options);
}

/// Writes the gradients of select_branches in one sweep: dx_b = w_b dy, and de_b = w_b (s_b - Σ w s) with s_b = Σ x_b
/// dy over the pixels of a plane. dx has the shape of x and may be x; dx and de may each be {}, and de may be e. A
/// weight of 0 gives a de of 0. Sums are added in a fixed order. Throws hone::invalid_argument, and writes nothing, if
/// a shape does not fit or memory overlaps otherwise.
template <class T>
void select_branches_backward(cpu const& backend, std::type_identity_t<image_view<const T>> x,
                              std::type_identity_t<matrix_view<const accumulator_t<T>>> e,
                              std::type_identity_t<image_view<const T>> dy, image_view<T> dx,
                              std::type_identity_t<matrix_view<accumulator_t<T>>> de,
                              branch_selection_options options = {}) {
  static_assert(!std::is_const_v<T>, "select_branches_backward: dx is written, its type is const");
  static_assert(element<T>, "select_branches_backward: dx must be of float, double or a 16-bit type");
  const auto branches = detail::checked_branches_backward<T>(x, e, dy, dx, de, options);
  on_cpu::select_planes_backward<T>(backend, branches.x, e, dy, branches.dx, de, options);
}

/// The same for branches that are images of their own; dx has as many, or none.
template <class T>
void select_branches_backward(cpu const& backend,
                              std::type_identity_t<std::span<const image_view<const std::remove_const_t<T>>>> x,
                              std::type_identity_t<matrix_view<const accumulator_t<T>>> e, image_view<T> dy,
                              std::type_identity_t<std::span<const image_view<std::remove_const_t<T>>>> dx,
                              std::type_identity_t<matrix_view<accumulator_t<T>>> de,
                              branch_selection_options options = {}) {
  using number = std::remove_const_t<T>;
  static_assert(element<number>, "select_branches_backward: dy must be of float, double or a 16-bit type");
  const image_view<const number> gradient = dy;
  const auto branches = detail::checked_branches_backward<number>(x, e, gradient, dx, de, options);
  on_cpu::select_planes_backward<number>(backend, branches.x, e, gradient, branches.dx, de, options);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
