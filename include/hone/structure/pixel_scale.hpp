// SPDX-License-Identifier: MIT
/// The options and the checks of a pixel scale: all channels of a pixel times the factor of the pixel.
#pragma once

#include <hone/structure/pixel_reduction.hpp>
#include <hone/structure/plane_scale.hpp>

#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// residual and activation as in the forward pass.
template <class T>
struct pixel_scale_backward_options {
  image_view<const T> residual = {};
  activation_function activation = no_activation;
  image_view<T> dresidual = {};                      ///< if given, receives the gradient by the residual
  image_view<const accumulator_t<T>> dreduced = {};  ///< if given, images x 2 x pixels: dx also receives what
                                                     ///< reduce_pixels_backward makes of it and of `first`
  matrix_view<const accumulator_t<T>> first = {};    ///< images x pixels, of reduce_pixels
};

namespace detail {

/// The checks of scale_pixels: y may be x or the residual.
template <class T, class A>
void require_scale_pixels(const char* function, image_view<const T> x, matrix_view<const A> e, image_view<T> y,
                          plane_scale_options<T> const& options) {
  require_scale(function, x, e, y, options, [](auto... all) { require_pixel_numbers(all...); });
}

/// The checks of scale_pixels_backward: dx and dresidual may each be x, dy or the residual, and are apart.
template <class T, class A>
void require_scale_pixels_backward(const char* function, image_view<const T> x, matrix_view<const A> e,
                                   image_view<const T> dy, image_view<T> dx, matrix_view<A> de,
                                   pixel_scale_backward_options<T> const& options) {
  require_valid(x, "x", function);
  require_pixel_numbers(function, "e", e, "x", x);
  require_like_planes(function, "dy", dy, "x", x);
  require_activation(function, options.activation);
  if (given(options.residual)) require_like_planes(function, "residual", options.residual, "x", x);
  if (given(options.dreduced)) {
    require_channels(function, "x", x);
    require_reduced(function, "dreduced", options.dreduced, "x", x);
    require_pixel_numbers(function, "first", options.first, "x", x);
  }
  const auto require_output = [&](const char* name, image_view<T> v) {
    require_like_planes(function, name, v, "x", x);
    require_same_or_apart(function, name, footprint_of(v), "x", footprint_of(x));
    require_same_or_apart(function, name, footprint_of(v), "dy", footprint_of(dy));
    require_same_or_apart(function, name, footprint_of(v), "residual", footprint_of(options.residual));
    require_apart(function, name, footprint_of(v), "e", footprint_of(e));
    require_apart(function, name, footprint_of(v), "de", footprint_of(de));
    require_apart(function, name, footprint_of(v), "dreduced", footprint_of(options.dreduced));
    require_apart(function, name, footprint_of(v), "first", footprint_of(options.first));
  };
  if (given(dx)) require_output("dx", dx);
  if (given(options.dresidual)) {
    require_output("dresidual", options.dresidual);
    require_apart(function, "dresidual", footprint_of(options.dresidual), "dx", footprint_of(dx));
  }
  if (!given(de)) return;
  require_pixel_numbers(function, "de", de, "x", x);
  for (const auto& [name, v] :
       {std::pair("x", footprint_of(x)), std::pair("dy", footprint_of(dy)),
        std::pair("residual", footprint_of(options.residual)), std::pair("dreduced", footprint_of(options.dreduced)),
        std::pair("first", footprint_of(options.first))})
    require_apart(function, "de", footprint_of(de), name, v);
  require_same_or_apart(function, "de", footprint_of(de), "e", footprint_of(e));
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
