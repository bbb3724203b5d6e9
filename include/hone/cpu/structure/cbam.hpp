// SPDX-License-Identifier: MIT
/// CBAM on the CPU, for a few images at a time, while they are in the caches: the image between its two halves is never
/// stored.
#pragma once

#include <hone/cpu/structure/cbam_planes.hpp>
#include <hone/cpu/structure/map_correlation.hpp>
#include <hone/cpu/structure/recalibrate.hpp>
#include <hone/cpu/structure/reduce_pixels.hpp>
#include <hone/cpu/structure/scale_pixels.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// The factors of the channels of an image, from their numbers.
template <class A, class Gate>
struct channel_factors {
  Gate gate;
  matrix_view<const A> e;

  A const* operator()(index image, arena& memory) const noexcept {
    return plane_factors<A>(gate, e, image * e.columns, (image + 1) * e.columns, memory).s;
  }
};

/// Divides the gradients of the means of images [begin, end) by the number of channels.
template <class A>
void share_means(image_view<A> dreduced, index channels, index begin, index end) noexcept {
  for (index image = begin; image < end; ++image) {
    A* const of_mean = dreduced.data + 2 * image * dreduced.pixels;
    for (index i = 0; i < dreduced.pixels; ++i) of_mean[i] /= static_cast<A>(channels);
  }
}
template <class A>
A total_of(matrix_view<A> v) noexcept {
  double total = 0;
  for (index i = 0; i < v.rows; ++i)
    for (index j = 0; j < v.columns; ++j) total += static_cast<double>(v.row(i)[j]);
  return detail::narrowed<A>(total);
}

}  // namespace on_cpu

/// Writes y = f(CBAM(x) + residual), with the module of hone/structure/cbam.hpp. size is the height and the width of
/// x's planes:
///
///     hone::attend(cpu, module, x, {56, 56}, y, numbers, {.residual = shortcut, .activation = hone::relu});
///
/// Fills `numbers`, which the backward pass reads. x is read from memory once, and twice from the caches. y may be x or
/// the residual, but the backward pass reads both. Eigen may allocate memory for large products. Throws
/// hone::invalid_argument, and writes nothing, if a shape does not fit or memory overlaps otherwise.
template <class Parameter, class Gate, class T>
void attend(cpu const& backend, cbam<Parameter, Gate> const& module, std::type_identity_t<image_view<const T>> x,
            plane_size size, image_view<T> y, std::type_identity_t<cbam_numbers<accumulator_t<T>>> const& numbers,
            std::type_identity_t<plane_scale_options<T>> const& options = {}) {
  using A = accumulator_t<T>;
  static_assert(!std::is_const_v<T>, "attend: y is written, its type is const");
  static_assert(element<T>, "attend: y must be of float, double or a 16-bit type");
  static_assert(std::is_same_v<std::remove_const_t<Parameter>, A>,
                "attend: the module must be of float, or of double for images of double");
  constexpr const char* function = "attend";
  detail::require_cbam(function, module, numbers, x, size);
  detail::require_scale_pixels<T, A>(function, x, numbers.excited_pixels, y, options);
  const detail::named_footprint images[] = {{"x", detail::footprint_of(x)},
                                            {"y", detail::footprint_of(y)},
                                            {"residual", detail::footprint_of(options.residual)}};
  detail::require_apart(function, detail::parts_of(numbers), images);
  detail::require_apart(function, detail::parts_of(module), images[1]);
  if (x.channels * x.pixels == 0) return;
  const bool past_caches = on_cpu::passes_caches(y, {x.data, options.residual.data});
  const std::size_t room = on_cpu::plane_factors<A>::bytes(x.channels);
  const on_cpu::channel_factors<A, Gate> factors{module.gate, numbers.excited};
  const on_cpu::map_correlation<A> maps{size, 2, x.pixels, module.kernel_size.value, false};
  const A bias = module.kernel_bias.empty() ? A(0) : module.kernel_bias[0];
  on_cpu::for_image_groups(x, [&](index begin, index end) {
    on_cpu::reduce_images<T>(backend, plane_mean_and_max, x, numbers.squeezed, begin, end);
    on_cpu::excite(module, numbers, begin, end);
    on_cpu::reduce_pixel_tiles<T>(backend, x, numbers.reduced, numbers.first, begin, end, room, factors);
    on_cpu::for_map_rows(backend, maps, begin, end, [&](index image, index row, A* strip) {
      maps.row(numbers.reduced.data + 2 * image * x.pixels, module.kernel.data(), bias, row,
               numbers.excited_pixels.row(image) + row * size.width, strip);
    });
    on_cpu::scale_pixel_tiles<T>(backend, module.gate, x, numbers.excited_pixels, y, options, past_caches, begin, end,
                                 room, factors);
  });
}

/// Writes the gradients of attend: by x to dx, by the parameters to the module `parameters`, and by the residual to
/// options.dresidual. `numbers` are those of the forward pass, `scratch` has their shapes. Three sweeps read x and dy;
/// with options.dresidual the last two read that in place of dy and the residual. dx may be x, dy or the residual;
/// dresidual may be dy or the residual. Sums are added in a fixed order. Throws hone::invalid_argument, and writes
/// nothing, if a shape does not fit or memory overlaps otherwise.
template <class Parameter, class Gate, class Gradient, class T>
void attend_backward(cpu const& backend, cbam<Parameter, Gate> const& module,
                     std::type_identity_t<image_view<const T>> x, plane_size size,
                     std::type_identity_t<image_view<const T>> dy,
                     std::type_identity_t<cbam_numbers<accumulator_t<T>>> const& numbers, image_view<T> dx,
                     cbam<Gradient, Gate> const& parameters,
                     std::type_identity_t<cbam_numbers<accumulator_t<T>>> const& scratch,
                     std::type_identity_t<attend_backward_options<T>> const& options = {}) {
  using A = accumulator_t<T>;
  static_assert(!std::is_const_v<T>, "attend_backward: dx is written, its type is const");
  static_assert(element<T>, "attend_backward: dx must be of float, double or a 16-bit type");
  static_assert(std::is_same_v<Gradient, A>,
                "attend_backward: the gradients must be a module of float, or of double for images of double");
  constexpr const char* function = "attend_backward";
  detail::require_cbam(function, module, numbers, x, size);
  detail::require_cbam(function, parameters, scratch, x, size);
  detail::require_attend_backward<T>(function, module, numbers, x, dy, dx, parameters, scratch, options);
  const index side = module.kernel_size.value, area = side * side;
  if (x.channels * x.pixels != 0) {
    const std::initializer_list<void const*> inputs = {x.data, dy.data, options.residual.data};
    const std::size_t room = on_cpu::plane_factors<A>::bytes(x.channels);
    const on_cpu::channel_factors<A, Gate> factors{module.gate, numbers.excited};
    const on_cpu::map_correlation<A> maps{size, 1, x.pixels, side, true};
    const on_cpu::scale_pixels_back<T> pixels{x,
                                              numbers.excited_pixels,
                                              dy,
                                              {},
                                              scratch.excited_pixels,
                                              scratch.first,
                                              {options.residual, options.activation, options.dresidual, {}, {}},
                                              false,
                                              false};
    const bool has_g = options.dresidual.data != nullptr;
    on_cpu::attend_planes_backward<T> planes{x,
                                             has_g ? options.dresidual : dy,
                                             has_g ? image_view<const T>() : options.residual,
                                             has_g ? no_activation : options.activation,
                                             numbers,
                                             scratch,
                                             {},
                                             false};
    on_cpu::attend_planes_backward<T> last = planes;
    last.dx = dx;
    last.stream_dx = on_cpu::passes_caches(dx, inputs);
    on_cpu::for_image_groups(x, [&](index begin, index end) {
      pixels.run(backend, module.gate, begin, end, room, factors);
      for (const int map : {0, 1})
        on_cpu::for_map_rows(backend, maps, begin, end, [&](index image, index row, A* strip) {
          maps.row(scratch.excited_pixels.row(image), module.kernel.data() + map * area, A(0), row,
                   scratch.reduced.data + (2 * image + map) * x.pixels + row * size.width, strip);
        });
      on_cpu::share_means(scratch.reduced, x.channels, begin, end);
      planes.run(backend, module.gate, begin, end);
      on_cpu::excite_backward(module, numbers, scratch, x.pixels, begin, end);
      last.run(backend, module.gate, begin, end);
    });
  }
  on_cpu::channel_gradients(parameters, numbers, scratch);
  on_cpu::correlation_gradient(backend, size, side, numbers.reduced, scratch.excited_pixels, parameters.kernel.data());
  if (!parameters.kernel_bias.empty()) parameters.kernel_bias[0] = on_cpu::total_of(scratch.excited_pixels);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
