// SPDX-License-Identifier: MIT
/// The mean and the maximum of every plane on the CPU, in one sweep.
#pragma once

#include <hone/cpu/structure/reduce_planes.hpp>
#include <hone/structure/plane_mean_and_max.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// Writes both numbers of the planes of images [begin, end). A run is reduced twice while it is in the first cache; the
/// bits are those of reduce_images with plane_mean and with plane_max.
template <class T>
void reduce_images(cpu const& backend, plane_mean_and_max_formula, image_view<const T> x,
                   matrix_view<accumulator_t<T>> out, index begin, index end) {
  using A = accumulator_t<T>;
  for_planes(backend, plane_cut(x, begin, end, false), 0, [&](index from, index to, std::byte*) {
    for (index p = from; p < to; ++p) {
      double total = plane_mean.start<double>(), largest = plane_max.start<double>();
      for_runs(p, x.pixels, [&](index at, index n) {
        total = plane_mean.join(total, join_lanes(plane_mean, reduce_run<A>(plane_mean, x.data + at, n)));
        largest = plane_max.join(largest, join_lanes(plane_max, reduce_run<A>(plane_max, x.data + at, n)));
      });
      A* const row = out.row(p / x.channels);
      row[p % x.channels] = detail::narrowed<A>(plane_mean.finish(total, x.pixels));
      row[x.channels + p % x.channels] = detail::narrowed<A>(plane_max.finish(largest, x.pixels));
    }
  });
}

/// Returns the first pixel whose number is the total, as first_pixel does, by packs.
template <class A, class T>
index first_pixel_by_packs(T const* x, index pixels, A total) noexcept {
  using V = pack<A>;
  const V wanted(total);
  index i = 0;
  if (total == hone::exact(total))
    while (i + V::size <= pixels && !any(load_as<A>(x + i) == wanted)) i += V::size;
  return i + first_pixel(x + i, pixels - i, static_cast<double>(total));
}

}  // namespace on_cpu

/// Writes the mean and the maximum of every plane to out, images x 2 channels: all means of an image, then all maxima.
/// Every plane is read once. Otherwise as reduce_planes of one number.
template <class T>
void reduce_planes(cpu const& backend, plane_mean_and_max_formula reduce, image_view<T> x,
                   std::type_identity_t<matrix_view<accumulator_t<T>>> out) {
  using number = std::remove_const_t<T>;
  static_assert(element<number>, "reduce_planes: x must be of float, double or a 16-bit type");
  const image_view<const number> from = x;
  detail::require_reduce_planes<number, accumulator_t<T>>(reduce, from, out);
  on_cpu::reduce_images<number>(backend, reduce, from, out, 0, from.images);
}

/// Writes the gradient by x to dx, from those by both numbers of a plane: dout / pixels at every pixel, and the
/// maximum's dout at the first maximum. dx may be x. Otherwise as reduce_planes_backward of one number.
template <class T>
void reduce_planes_backward(cpu const& backend, plane_mean_and_max_formula reduce,
                            std::type_identity_t<image_view<const T>> x,
                            std::type_identity_t<matrix_view<const accumulator_t<T>>> dout, image_view<T> dx) {
  static_assert(!std::is_const_v<T>, "reduce_planes_backward: dx is written, its type is const");
  static_assert(element<T>, "reduce_planes_backward: dx must be of float, double or a 16-bit type");
  detail::require_reduce_planes_backward<T, accumulator_t<T>>(reduce, x, dout, dx);
  on_cpu::for_planes(backend, on_cpu::plane_cut(dx), 0, [&](index from, index to, std::byte*) {
    for (index p = from; p < to; ++p) {
      accumulator_t<T> const* const row = dout.row(p / dx.channels);
      const double each = static_cast<double>(row[p % dx.channels]) / static_cast<double>(dx.pixels);
      const index marked =
          on_cpu::first_pixel_by_packs(x.data + p * x.pixels, x.pixels,
                                       detail::narrowed<accumulator_t<T>>(on_cpu::reduce_plane<T>(plane_max, x, p)));
      T* const plane = dx.data + p * dx.pixels;
      std::fill_n(plane, dx.pixels, detail::narrowed<T>(each));
      plane[marked] = detail::narrowed<T>(each + static_cast<double>(row[dx.channels + p % dx.channels]));
    }
  });
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
