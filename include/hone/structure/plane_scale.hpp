// SPDX-License-Identifier: MIT
/// The options and the checks of a plane scale: all pixels of a plane times the factor of the plane.
#pragma once

#include <hone/structure/activation.hpp>
#include <hone/structure/plane_check.hpp>

#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// y = f(x s + residual), f the activation. Without a residual y = f(x s).
template <class T>
struct plane_scale_options {
  image_view<const T> residual = {};               ///< the shape of x
  activation_function activation = no_activation;  ///< relu, silu, hard_swish
};

/// residual and activation as in the forward pass.
template <class T>
struct plane_scale_backward_options {
  image_view<const T> residual = {};
  activation_function activation = no_activation;
  image_view<T> dresidual = {};                    ///< if given, receives the gradient by the residual
  matrix_view<const accumulator_t<T>> added = {};  ///< if given, a number per plane that is added to dx, such as
                                                   ///< the share of each pixel in the gradient of a mean
};

namespace detail {

inline void require_activation(const char* function, activation_function f) {
  const int number = static_cast<int>(f);
  require(number >= 0 && number <= static_cast<int>(hard_swish), function, "activation", number,
          "no_activation, relu, silu or hard_swish");
}

/// The checks of a scale: y may be x or the residual. `check` is that of the numbers e.
template <class T, class A, class Check>
void require_scale(const char* function, image_view<const T> x, matrix_view<const A> e, image_view<T> y,
                   plane_scale_options<T> const& options, Check const& check) {
  require_valid(x, "x", function);
  check(function, "e", e, "x", x);
  require_like_planes(function, "y", y, "x", x);
  require_activation(function, options.activation);
  require_same_or_apart(function, "y", footprint_of(y), "x", footprint_of(x));
  require_apart(function, "y", footprint_of(y), "e", footprint_of(e));
  if (!given(options.residual)) return;
  require_like_planes(function, "residual", options.residual, "x", x);
  require_same_or_apart(function, "y", footprint_of(y), "residual", footprint_of(options.residual));
}

/// The checks of scale_planes.
template <class T, class A>
void require_scale_planes(const char* function, image_view<const T> x, matrix_view<const A> e, image_view<T> y,
                          plane_scale_options<T> const& options) {
  require_scale(function, x, e, y, options, [](auto... all) { require_plane_numbers(all...); });
}

/// The checks of scale_planes_backward: dx and dresidual may each be x, dy or the residual, and are apart.
template <class T, class A>
void require_scale_planes_backward(const char* function, image_view<const T> x, matrix_view<const A> e,
                                   image_view<const T> dy, image_view<T> dx, matrix_view<A> de,
                                   plane_scale_backward_options<T> const& options) {
  const bool has_residual = given(options.residual);
  require_valid(x, "x", function);
  require_plane_numbers(function, "e", e, "x", x);
  require_like_planes(function, "dy", dy, "x", x);
  require_activation(function, options.activation);
  if (has_residual) require_like_planes(function, "residual", options.residual, "x", x);
  const auto require_output = [&](const char* name, image_view<T> v) {
    require_like_planes(function, name, v, "x", x);
    require_same_or_apart(function, name, footprint_of(v), "x", footprint_of(x));
    require_same_or_apart(function, name, footprint_of(v), "dy", footprint_of(dy));
    require_same_or_apart(function, name, footprint_of(v), "residual", footprint_of(options.residual));
    require_apart(function, name, footprint_of(v), "e", footprint_of(e));
    require_apart(function, name, footprint_of(v), "de", footprint_of(de));
    require_apart(function, name, footprint_of(v), "added", footprint_of(options.added));
  };
  if (given(dx)) require_output("dx", dx);
  if (given(options.dresidual)) {
    require_output("dresidual", options.dresidual);
    require_apart(function, "dresidual", footprint_of(options.dresidual), "dx", footprint_of(dx));
  }
  if (given(options.added)) require_plane_numbers(function, "added", options.added, "x", x);
  if (!given(de)) return;
  require_plane_numbers(function, "de", de, "x", x);
  for (const auto& [name, v] : {std::pair("x", footprint_of(x)), std::pair("dy", footprint_of(dy)),
                                std::pair("residual", footprint_of(options.residual))})
    require_apart(function, "de", footprint_of(de), name, v);
  require_same_or_apart(function, "de", footprint_of(de), "e", footprint_of(e));
  require_same_or_apart(function, "de", footprint_of(de), "added", footprint_of(options.added));
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
