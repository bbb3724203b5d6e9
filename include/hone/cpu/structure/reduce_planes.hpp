// SPDX-License-Identifier: MIT
/// Plane reductions on the CPU, and their gradients.
#pragma once

#include <hone/cpu/structure/plane_cut.hpp>
#include <hone/cpu/structure/plane_runs.hpp>
#include <hone/structure/plane_reduction.hpp>

#include <algorithm>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// Returns the number of a plane. The sums of its runs are joined in order, in double.
template <class T, class Reduction>
double reduce_plane(Reduction reduce, image_view<const T> x, index plane) noexcept {
  using A = accumulator_t<T>;
  auto total = reduce.template start<double>();
  for_runs(plane, x.pixels, [&](index at, index n) {
    total = reduce.join(total, join_lanes(reduce, reduce_run<A>(reduce, x.data + at, n)));
  });
  return reduce.finish(total, x.pixels);
}

/// Writes the numbers of the planes of images [begin, end).
template <class T, class Reduction>
void reduce_images(cpu const& backend, Reduction reduce, image_view<const T> x, matrix_view<accumulator_t<T>> out,
                   index begin, index end) {
  using A = accumulator_t<T>;
  const plane_cut cut(x, begin, end, false);
  for_planes(backend, cut, 0, [&](index from, index to, std::byte*) {
    index image = from / x.channels, c = from % x.channels;
    for (index p = from; p < to; ++p) {
      out.row(image)[c] = detail::narrowed<A>(reduce_plane(reduce, x, p));
      if (++c == x.channels) c = 0, ++image;
    }
  });
}

/// Returns the first pixel whose number is the total, or the first NaN if the total is NaN.
template <class T>
index first_pixel(T const* x, index pixels, double total) noexcept {
  const bool number = total == hone::exact(total);
  for (index i = 0; i < pixels; ++i) {
    const auto at = static_cast<double>(static_cast<accumulator_t<T>>(x[i]));
    if (number ? at == total : !(at == hone::exact(at))) return i;
  }
  return 0;
}

}  // namespace on_cpu

/// Writes one number per plane to out, images x channels, float for 16-bit images:
///
///     hone::reduce_planes(cpu, hone::plane_mean, x, out)
///
/// Every plane is read once. NaN in a plane gives NaN. Throws hone::invalid_argument, and writes nothing, if a shape
/// does not fit, a plane has no pixels, or out overlaps x.
template <class Reduction, class T>
void reduce_planes(cpu const& backend, Reduction reduce, image_view<T> x,
                   std::type_identity_t<matrix_view<accumulator_t<T>>> out) {
  using number = std::remove_const_t<T>;
  static_assert(plane_reduction<Reduction>,
                "reduce_planes: the reduction must be plane_mean, plane_max or plane_mean_and_max");
  static_assert(element<number>, "reduce_planes: x must be of float, double or a 16-bit type");
  const image_view<const number> from = x;
  detail::require_reduce_planes<number>(from, out);
  on_cpu::reduce_images<number>(backend, reduce, from, out, 0, from.images);
}

/// Writes the gradient by x to dx, from the gradient by the numbers of the planes: dout / pixels at every pixel of a
/// mean; dout at the first maximum and 0 elsewhere for plane_max, which reads x (a mean needs none: pass {}). dx may be
/// x. Throws hone::invalid_argument, and writes nothing, if a shape does not fit or memory overlaps otherwise.
template <class Reduction, class T>
void reduce_planes_backward(cpu const& backend, Reduction reduce, std::type_identity_t<image_view<const T>> x,
                            std::type_identity_t<matrix_view<const accumulator_t<T>>> dout, image_view<T> dx) {
  static_assert(plane_reduction<Reduction>,
                "reduce_planes_backward: the reduction must be plane_mean, plane_max or plane_mean_and_max");
  static_assert(!std::is_const_v<T>, "reduce_planes_backward: dx is written, its type is const");
  static_assert(element<T>, "reduce_planes_backward: dx must be of float, double or a 16-bit type");
  constexpr bool at_one = Reduction::at_one_pixel;
  detail::require_reduce_planes_backward<T>(at_one, x, dout, dx);
  const bool past_caches = on_cpu::passes_caches(dx, {at_one ? x.data : nullptr});
  const on_cpu::plane_cut cut(dx, past_caches);
  const std::size_t room = on_cpu::arena::room_for<T>(on_cpu::run_numbers);
  on_cpu::for_planes(backend, cut, room, [&](index from, index to, std::byte* memory) {
    on_cpu::plane_output<T> output(dx, past_caches, reinterpret_cast<T*>(memory));
    for (index p = from; p < to; ++p) {
      const auto gradient = static_cast<double>(dout.row(p / dx.channels)[p % dx.channels]);
      const index marked = at_one ? p * dx.pixels + on_cpu::first_pixel(x.data + p * dx.pixels, dx.pixels,
                                                                        on_cpu::reduce_plane<T>(reduce, x, p))
                                  : -1;
      const T each = at_one ? T(0) : detail::narrowed<T>(gradient / static_cast<double>(dx.pixels));
      on_cpu::for_runs(p, dx.pixels, [&](index at, index n) {
        T* const run = output.room(at, n);
        std::fill_n(run, n, each);
        if (marked >= at && marked < at + n) run[marked - at] = detail::narrowed<T>(gradient);
      });
    }
    output.flush();
  });
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
