// SPDX-License-Identifier: MIT
/// Channel attention on the CPU: squeeze, branch and scale for a few images at a time, while they are in the caches.
#pragma once

#include <hone/cpu/structure/branches.hpp>
#include <hone/cpu/structure/reduce_planes.hpp>
#include <hone/cpu/structure/scale_planes.hpp>
#include <hone/structure/recalibrate_check.hpp>

#include <algorithm>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// Calls body(begin, end) for groups of images, which depend on the shape alone: of 4 MiB, so that a group and its
/// neighbours are still in the caches when they are read again; of 16 MiB for images of at most 1 MiB, because products
/// of few rows are slow.
template <class T, class Body>
void for_image_groups(image_view<T> x, Body const& body) {
  constexpr index mib = index(1) << 20;
  const index bytes = std::max<index>(x.channels * x.pixels * index(sizeof(T)), 1);
  const index each = std::max<index>((bytes <= mib ? 16 * mib : 4 * mib) / bytes, 1);
  for (index begin = 0; begin < x.images; begin += each) body(begin, std::min(begin + each, x.images));
}

}  // namespace on_cpu

/// Writes y = f(x s + residual), where s = gate(e) and a branch makes e of the means of the planes:
///
///     const hone::squeeze_excite<const float> branch{.reduce = {w1, 16, 256}, .reduce_bias = b1,
///                                                    .expand = {w2, 256, 16}, .expand_bias = b2};
///     hone::recalibrate(cpu, branch, x, y, numbers, {.residual = shortcut, .activation = hone::relu});
///
/// Fills `numbers`, the caller's memory, which the backward pass reads. y may be x or the residual, but the backward
/// pass reads both. Eigen may allocate memory for large products. Throws hone::invalid_argument, and writes nothing, if
/// a shape does not fit or memory overlaps otherwise.
template <class Branch, class T>
void recalibrate(cpu const& backend, Branch const& branch, std::type_identity_t<image_view<const T>> x, image_view<T> y,
                 std::type_identity_t<recalibration_numbers<accumulator_t<T>>> const& numbers,
                 std::type_identity_t<plane_scale_options<T>> const& options = {}) {
  detail::require_recalibrate<T>(branch, x, y, numbers, options);
  if (x.channels == 0) return on_cpu::excite(branch, numbers, 0, x.images);
  const bool past_caches = on_cpu::passes_caches(y, {x.data, options.residual.data});
  on_cpu::for_image_groups(x, [&](index begin, index end) {
    on_cpu::reduce_images<T>(backend, plane_mean, x, numbers.squeezed, begin, end);
    on_cpu::excite(branch, numbers, begin, end);
    on_cpu::scale_images<T>(backend, branch.gate, x, numbers.excited, y, options, past_caches, begin, end);
  });
}

/// Writes the gradients of recalibrate: by x to dx, by the parameters to the branch `parameters`, and by the residual
/// to options.dresidual. `numbers` are those of the forward pass, `scratch` has their shapes. With options.dresidual,
/// x, the residual and dy are read once, and dresidual is read back while it is in the caches; otherwise x and dy are
/// read twice if there is an activation. dx and dresidual may each be x, dy or the residual. options.added is not used.
/// Throws hone::invalid_argument, and writes nothing, if a shape does not fit or memory overlaps otherwise.
template <class Branch, class Gradients, class T>
void recalibrate_backward(cpu const& backend, Branch const& branch, std::type_identity_t<image_view<const T>> x,
                          std::type_identity_t<image_view<const T>> dy,
                          std::type_identity_t<recalibration_numbers<accumulator_t<T>>> const& numbers,
                          image_view<T> dx, Gradients const& parameters,
                          std::type_identity_t<recalibration_numbers<accumulator_t<T>>> const& scratch,
                          std::type_identity_t<plane_scale_backward_options<T>> options = {}) {
  using A = accumulator_t<T>;
  options.added = {};
  detail::require_recalibrate_backward<T>(branch, x, dy, numbers, dx, parameters, scratch, options);
  const std::initializer_list<void const*> inputs = {x.data, dy.data, options.residual.data};
  const on_cpu::scale_backward<T> sums{x, numbers.excited, dy, {}, scratch.excited, options, false, false};
  on_cpu::scale_backward<T> rest{x, numbers.excited, dy, dx, {}, options, on_cpu::passes_caches(dx, inputs), false};
  if (options.dresidual.data) rest.dy = options.dresidual, rest.options = {};
  rest.options.dresidual = {};
  rest.options.added = scratch.squeezed;
  if (x.channels == 0)
    on_cpu::excite_backward(branch, numbers, scratch, 0, x.images);
  else
    on_cpu::for_image_groups(x, [&](index begin, index end) {
      sums.run(backend, branch.gate, begin, end);
      on_cpu::excite_backward(branch, numbers, scratch, begin, end);
      on_cpu::rows_as_eigen(scratch.squeezed, begin, end) /= static_cast<A>(x.pixels);
      rest.run(backend, branch.gate, begin, end);
    });
  on_cpu::gradients(parameters, numbers, scratch);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
