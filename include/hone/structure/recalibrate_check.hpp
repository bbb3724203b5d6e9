// SPDX-License-Identifier: MIT
/// The checks of channel attention, which both backends make before they write anything.
#pragma once

#include <hone/structure/recalibration.hpp>

#include <array>
#include <type_traits>
#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// The numbers that the backward pass writes.
template <class A>
std::array<named_footprint, 4> parts_of_scratch(recalibration_numbers<A> const& scratch) {
  std::array<named_footprint, 4> all = parts_of(scratch);
  const char* const names[] = {"scratch.squeezed", "scratch.excited", "scratch.hidden", "scratch.activated"};
  for (std::size_t i = 0; i < 4; ++i) all[i].name = names[i];
  return all;
}

/// The checks of recalibrate.
template <class T, class Branch>
void require_recalibrate(Branch const& branch, image_view<const T> x, image_view<T> y,
                         recalibration_numbers<accumulator_t<T>> const& numbers,
                         plane_scale_options<T> const& options) {
  using A = accumulator_t<T>;
  static_assert(!std::is_const_v<T>, "recalibrate: y is written, its type is const");
  static_assert(element<T>, "recalibrate: y must be of float, double or a 16-bit type");
  static_assert(std::is_same_v<std::remove_const_t<typename Branch::number>, A>,
                "recalibrate: the branch must be of float, or of double for images of double");
  constexpr const char* function = "recalibrate";
  require_planes(function, "x", x);
  require_numbers(function, numbers, "x", x);
  require_scale_planes<T, A>(function, x, numbers.excited, y, options);
  require_numbers(function, numbers, "y", y);
  if (given(options.residual)) require_numbers(function, numbers, "residual", options.residual);
  require_branch(function, branch, x.images, x.channels, numbers);
  require_apart(function, parts_of(branch), {"y", footprint_of(y)});
  require_apart(function, parts_of(branch), parts_of(numbers));
}

/// The checks of recalibrate_backward.
template <class T, class Branch, class Gradients>
void require_recalibrate_backward(Branch const& branch, image_view<const T> x, image_view<const T> dy,
                                  recalibration_numbers<accumulator_t<T>> const& numbers, image_view<T> dx,
                                  Gradients const& parameters, recalibration_numbers<accumulator_t<T>> const& scratch,
                                  plane_scale_backward_options<T> const& options) {
  using A = accumulator_t<T>;
  static_assert(!std::is_const_v<T>, "recalibrate_backward: dx is written, its type is const");
  static_assert(element<T>, "recalibrate_backward: dx must be of float, double or a 16-bit type");
  static_assert(std::is_same_v<typename Gradients::number, A>,
                "recalibrate_backward: the gradients must be a branch of float, or of double for images of double");
  constexpr const char* function = "recalibrate_backward";
  require_planes(function, "x", x);
  require_like_planes(function, "dx", dx, "x", x);
  require_scale_planes_backward<T, A>(function, x, numbers.excited, dy, dx, scratch.excited, options);
  const std::pair<const char*, image_view<const T>> images[] = {
      {"dx", dx}, {"x", x}, {"dy", dy}, {"residual", options.residual}, {"dresidual", options.dresidual}};
  for (const auto& [name, v] : images) {
    if (!given(v) && given(dx)) continue;
    require_numbers(function, numbers, name, v);
    require_numbers(function, scratch, name, v);
  }
  require_apart(function, parts_of_scratch(scratch), parts_of(numbers));
  require_branch(function, branch, x.images, x.channels, numbers);
  require_branch(function, parameters, x.images, x.channels, scratch);
  require_apart(function, parts_of(parameters), parts_of(numbers));
  require_apart(function, parts_of(parameters), parts_of(scratch));
  require_apart(function, parts_of(branch), parts_of(scratch));
  for (const auto& [name, v] : images) require_apart(function, parts_of(parameters), {name, footprint_of(v)});
  require_apart(function, parts_of(branch), {"dx", footprint_of(dx)});
  require_apart(function, parts_of(branch), {"dresidual", footprint_of(options.dresidual)});
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
