// SPDX-License-Identifier: MIT
/// The convolutional block attention module (CBAM, Woo et al. 2018, arXiv 1807.06521): channel attention from the means
/// and the maxima of the planes, then spatial attention from the means and the maxima of the channels.
#pragma once

#include <hone/structure/average_pool.hpp>
#include <hone/structure/pixel_scale.hpp>
#include <hone/structure/plane_mean_and_max.hpp>
#include <hone/structure/recalibration.hpp>

#include <array>
#include <span>
#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The parameters of both halves. A is the type of the arithmetic, float for 16-bit images.
///
/// Channels: e = expand (f(reduce q + reduce_bias) + f(reduce m + reduce_bias)) + 2 expand_bias for the means q and the
/// maxima m of the channels; z = x gate(e). reduce is width x channels, expand channels x width; a bias may be {}.
///
/// Pixels: e is the correlation of the mean and the maximum of the channels of z with a kernel, 2 x kernel_size x
/// kernel_size as the weight of a convolution from 2 channels to 1 is stored, padded with zeros; y = z gate(e). Its
/// bias is one number or {}: a batch normalisation after the convolution is folded into both (fold_batch_norm).
template <class A, plane_gate Gate = sigmoid_gate_formula>
struct cbam {
  using number = A;

  matrix_view<A> reduce;
  std::span<A> reduce_bias = {};
  matrix_view<A> expand;
  std::span<A> expand_bias = {};
  std::span<A> kernel;
  std::span<A> kernel_bias = {};
  integer kernel_size = 7;                ///< odd
  activation_function activation = relu;  ///< f
  Gate gate = {};
};

/// Returns the number of parameters.
template <class A, class Gate>
index parameters_of(cbam<A, Gate> const& b) {
  return b.reduce.rows * b.reduce.columns + b.expand.rows * b.expand.columns +
         static_cast<index>(b.reduce_bias.size() + b.expand_bias.size() + b.kernel.size() + b.kernel_bias.size());
}

/// What attend writes for its backward pass, in the caller's memory. The backward pass takes another one as its scratch
/// memory.
template <class A>
struct cbam_numbers {
  matrix_view<A> squeezed;        ///< images x 2 channels: means and maxima of the planes
  matrix_view<A> hidden;          ///< images x 2 width, before f
  matrix_view<A> activated;       ///< images x width: the sum of both halves of f
  matrix_view<A> excited;         ///< images x channels: e of the planes
  image_view<A> reduced;          ///< images x 2 x pixels: mean and maximum of the channels of z
  matrix_view<A> first;           ///< images x pixels: the first channel with the maximum
  matrix_view<A> excited_pixels;  ///< images x pixels: e of the pixels

  /// How many numbers all of them have together.
  static index size(integer images, integer channels, integer width, integer pixels) {
    for (const auto& [name, value] : {std::pair("images", images), std::pair("channels", channels),
                                      std::pair("width", width), std::pair("pixels", pixels)})
      detail::require(value.value >= 0 && value.value < index(1) << 31, "cbam_numbers", name, value.value,
                      "in [0, 2^31)");
    const index each = 3 * channels.value + 3 * width.value + 4 * pixels.value;
    return detail::product_of_sizes(images.value, each);
  }
  /// Returns views of `size` numbers, one after the other.
  static cbam_numbers in(std::span<A> memory, integer images, integer channels, integer width, integer pixels) {
    const index all = size(images, channels, width, pixels);
    if (static_cast<index>(memory.size()) < all)
      detail::fail("cbam_numbers: memory has %zu numbers, must have at least %jd", memory.size(), std::intmax_t(all));
    A* at = memory.data();
    const auto take = [&](index columns) {
      const matrix_view<A> m(at, images.value, columns);
      at += images.value * columns;
      return m;
    };
    cbam_numbers n;
    n.squeezed = take(2 * channels.value);
    n.hidden = take(2 * width.value);
    n.activated = take(width.value);
    n.excited = take(channels.value);
    n.reduced = {take(2 * pixels.value).data, images.value, 2, pixels.value};
    n.first = take(pixels.value);
    n.excited_pixels = take(pixels.value);
    return n;
  }
};

/// residual and activation as in the forward pass.
template <class T>
struct attend_backward_options {
  image_view<const T> residual = {};
  activation_function activation = no_activation;
  image_view<T> dresidual = {};  ///< if given, receives the gradient by the residual
};

namespace detail {

/// The parameters of a module, and the parts of its numbers.
template <class W, class Gate>
std::array<named_footprint, 6> parts_of(cbam<W, Gate> const& b) {
  return {{{"reduce", footprint_of(b.reduce)},
           {"reduce_bias", footprint_of(b.reduce_bias)},
           {"expand", footprint_of(b.expand)},
           {"expand_bias", footprint_of(b.expand_bias)},
           {"kernel", footprint_of(b.kernel)},
           {"kernel_bias", footprint_of(b.kernel_bias)}}};
}
template <class A>
std::array<named_footprint, 7> parts_of(cbam_numbers<A> const& n) {
  return {{{"squeezed", footprint_of(n.squeezed)},
           {"hidden", footprint_of(n.hidden)},
           {"activated", footprint_of(n.activated)},
           {"excited", footprint_of(n.excited)},
           {"reduced", footprint_of(n.reduced)},
           {"first", footprint_of(n.first)},
           {"excited_pixels", footprint_of(n.excited_pixels)}}};
}

/// The checks of a module and its numbers for an image of this size.
template <class W, class Gate, class A, class T>
void require_cbam(const char* function, cbam<W, Gate> const& b, cbam_numbers<A> const& n, image_view<T> x,
                  plane_size size) {
  require_planes(function, "x", x);
  require_channels(function, "x", x);
  require_plane_size(function, "x", x, size);
  const index width = b.reduce.rows, side = b.kernel_size.value;
  require_matrix(function, "reduce", b.reduce, width, x.channels);
  require_matrix(function, "expand", b.expand, x.channels, width);
  require_bias(function, "reduce_bias", b.reduce_bias.size(), width);
  require_bias(function, "expand_bias", b.expand_bias.size(), x.channels);
  require_activation(function, b.activation);
  require(side >= 1 && side % 2 == 1 && side < 1024, function, "kernel_size", side, "odd, in [1, 1024)");
  if (static_cast<index>(b.kernel.size()) != 2 * side * side)
    fail("%s: kernel has %zu numbers, must have 2 x %jd x %jd", function, b.kernel.size(), std::intmax_t(side),
         std::intmax_t(side));
  require_bias(function, "kernel_bias", b.kernel_bias.size(), 1);
  require_matrix(function, "squeezed", n.squeezed, x.images, 2 * x.channels);
  require_matrix(function, "hidden", n.hidden, x.images, 2 * width);
  require_matrix(function, "activated", n.activated, x.images, width);
  require_matrix(function, "excited", n.excited, x.images, x.channels);
  require_reduced(function, "reduced", n.reduced, "x", x);
  require_pixel_numbers(function, "first", n.first, "x", x);
  require_pixel_numbers(function, "excited_pixels", n.excited_pixels, "x", x);
  require_apart(function, parts_of(b), parts_of(n));
  require_apart_among(function, parts_of(n));
}

/// The checks of attend_backward, after require_cbam of both modules with their numbers.
template <class T, class W, class G, class Gate, class A>
void require_attend_backward(const char* function, cbam<W, Gate> const& b, cbam_numbers<A> const& n,
                             image_view<const T> x, image_view<const T> dy, image_view<T> dx, cbam<G, Gate> const& db,
                             cbam_numbers<A> const& d, attend_backward_options<T> const& o) {
  if (db.reduce.rows != b.reduce.rows || db.kernel_size.value != b.kernel_size.value)
    fail("%s: parameters have a width of %jd and a kernel_size of %jd, the module %jd and %jd", function,
         std::intmax_t(db.reduce.rows), std::intmax_t(db.kernel_size.value), std::intmax_t(b.reduce.rows),
         std::intmax_t(b.kernel_size.value));
  require_like_planes(function, "dx", dx, "x", x);
  require_scale_pixels_backward<T, A>(function, x, n.excited_pixels, dy, dx, d.excited_pixels,
                                      {o.residual, o.activation, o.dresidual, {}, {}});
  require_apart(function, "dresidual", footprint_of(o.dresidual), "x", footprint_of(x));
  const auto module = parts_of(b), gradients = parts_of(db);
  const auto numbers = parts_of(n), scratch = parts_of(d);
  const named_footprint outputs[] = {{"dx", footprint_of(dx)}, {"dresidual", footprint_of(o.dresidual)}};
  const named_footprint images[] = {
      {"x", footprint_of(x)}, {"dy", footprint_of(dy)}, {"residual", footprint_of(o.residual)}, outputs[0], outputs[1]};
  require_apart(function, numbers, images);
  require_apart(function, scratch, images);
  require_apart(function, gradients, images);
  require_apart(function, module, outputs);
  require_apart(function, numbers, scratch);
  require_apart(function, module, scratch);
  require_apart(function, gradients, numbers);
  require_apart(function, module, gradients);
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
