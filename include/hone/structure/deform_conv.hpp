// SPDX-License-Identifier: MIT
/// Deformable convolution v1 (Dai et al. 2017, arXiv 1703.06211) and v2 (Zhu et al. 2019, arXiv 1811.11168): options,
/// shapes and checks for all backends.
///
///     output[n, o, p] = bias[o] + Σ over c and taps k of weight[o, c, k] · mask[n, g, k, p] · input[n, c](p_k +
///     offset)
///
/// where p_k = p · stride - padding + k · dilation, and the input between pixels is bilinear and 0 outside. g is the
/// offset group of channel c. Without a mask it is v1.
#pragma once

#include <hone/core/feature_view.hpp>
#include <hone/structure/deform_tap.hpp>

#include <array>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Two counts: down the rows and along them. One number stands for both.
struct steps_2d {
  index y = 1, x = 1;

  constexpr steps_2d() noexcept = default;
  constexpr steps_2d(std::integral auto both) noexcept : y(static_cast<index>(both)), x(y) {}
  constexpr steps_2d(std::integral auto y_, std::integral auto x_) noexcept
      : y(static_cast<index>(y_)), x(static_cast<index>(x_)) {}
};

/// Pixels of zeros around an image: one number for all sides, two for (top and bottom, left and right), or four.
struct padding_2d {
  index top = 0, bottom = 0, left = 0, right = 0;

  constexpr padding_2d() noexcept = default;
  constexpr padding_2d(std::integral auto all) noexcept : padding_2d(all, all, all, all) {}
  constexpr padding_2d(std::integral auto y, std::integral auto x) noexcept : padding_2d(y, y, x, x) {}
  constexpr padding_2d(std::integral auto top_, std::integral auto bottom_, std::integral auto left_,
                       std::integral auto right_) noexcept
      : top(static_cast<index>(top_)),
        bottom(static_cast<index>(bottom_)),
        left(static_cast<index>(left_)),
        right(static_cast<index>(right_)) {}
};

struct deform_conv_options {
  steps_2d stride = {};                          ///< >= 1
  padding_2d padding = {};                       ///< >= 0
  steps_2d dilation = {};                        ///< >= 1
  integer groups = 1;                            ///< divides the input's and the output's channels
  integer offset_groups = 1;                     ///< divides the input's channels
  deform_border border = deform_border::inward;  ///< the derivative by an offset on the rim
};

/// Returns the height and the width of the output of a convolution; 0 where the kernel is larger than the padded input.
constexpr index conv_extent(index input, index before, index after, index kernel, index dilation,
                            index stride) noexcept {
  const index left = input + before + after - 1 - detail::product_of_sizes(dilation, kernel - 1);
  return left < 0 ? 0 : left / stride + 1;
}

/// The gradients that deform_conv2d_backward writes, each optional, each of the shape of its argument.
template <class T>
struct deform_conv_gradients {
  feature_view<T> input = {};
  feature_view<accumulator_t<T>> offsets = {};
  feature_view<accumulator_t<T>> mask = {};
  feature_view<T> weight = {};
  matrix_view<T> bias = {};
};

namespace detail {

/// The sizes of a call, all valid.
struct deform_shape {
  index images, channels, height, width, outputs, kernel_height, kernel_width, out_height, out_width;
  deform_conv_options options;

  HONE_HD constexpr index taps() const noexcept { return kernel_height * kernel_width; }
  HONE_HD constexpr index pixels() const noexcept { return height * width; }
  HONE_HD constexpr index out_pixels() const noexcept { return out_height * out_width; }
  HONE_HD constexpr index groups() const noexcept { return options.groups; }
  HONE_HD constexpr index offset_groups() const noexcept { return options.offset_groups; }
  HONE_HD constexpr index group_channels() const noexcept { return channels / groups(); }
  HONE_HD constexpr index group_outputs() const noexcept { return outputs / groups(); }
  HONE_HD constexpr index offset_channels() const noexcept { return channels / offset_groups(); }
};

/// The arguments of a call that all directions have. T without const.
template <class T>
struct deform_arguments {
  feature_view<const T> input;
  feature_view<const accumulator_t<T>> offsets, mask;
  feature_view<const T> weight;
};

inline void require_count(const char* function, const char* name, index x, index least) {
  require(x >= least && x <= index(1) << 30, function, name, x, least == 0 ? "in [0, 2^30]" : "in [1, 2^30]");
}
inline void require_divides(const char* function, const char* name, index groups, const char* what, index channels) {
  require_count(function, name, groups, 1);
  if (channels < 1 || channels % groups != 0)
    fail("%s: %s is %jd, must divide the %jd channels of %s", function, name, std::intmax_t(groups),
         std::intmax_t(channels), what);
}

/// Checks options and the shapes of input and weight, and returns the sizes of the call.
inline deform_shape deform_shape_of(const char* function, feature_sizes const& input, feature_sizes const& weight,
                                    deform_conv_options const& options) {
  require_features(function, "input", input);
  require_features(function, "weight", weight);
  require_count(function, "stride.y", options.stride.y, 1);
  require_count(function, "stride.x", options.stride.x, 1);
  require_count(function, "dilation.y", options.dilation.y, 1);
  require_count(function, "dilation.x", options.dilation.x, 1);
  require_count(function, "padding.top", options.padding.top, 0);
  require_count(function, "padding.bottom", options.padding.bottom, 0);
  require_count(function, "padding.left", options.padding.left, 0);
  require_count(function, "padding.right", options.padding.right, 0);
  require_divides(function, "groups", options.groups, "input", input.channels);
  require_divides(function, "groups", options.groups, "output", weight.images);
  require_divides(function, "offset_groups", options.offset_groups, "input", input.channels);
  const index of_group = index(input.channels) / options.groups;
  if (weight.channels != of_group || weight.height < 1 || weight.width < 1)
    fail("%s: weight is %jd x %jd x %jd x %jd, must be outputs x %jd x kernel height x kernel width", function,
         weight.images, weight.channels, weight.height, weight.width, std::intmax_t(of_group));
  const index out_height = conv_extent(input.height, options.padding.top, options.padding.bottom, weight.height,
                                       options.dilation.y, options.stride.y),
              out_width = conv_extent(input.width, options.padding.left, options.padding.right, weight.width,
                                      options.dilation.x, options.stride.x);
  if (out_height < 1 || out_width < 1)
    fail("%s: weight has a kernel of %jd x %jd, dilated by %jd x %jd, larger than the padded input of %jd x %jd",
         function, weight.height, weight.width, std::intmax_t(options.dilation.y), std::intmax_t(options.dilation.x),
         input.height + options.padding.top + options.padding.bottom,
         input.width + options.padding.left + options.padding.right);
  return {input.images,  input.channels, input.height, input.width, weight.images,
          weight.height, weight.width,   out_height,   out_width,   options};
}

/// The same, and checks offsets and, if there is one, the mask.
inline deform_shape require_deform_conv(const char* function, feature_sizes const& input, feature_sizes const& offsets,
                                        feature_sizes const* mask, feature_sizes const& weight,
                                        deform_conv_options const& options) {
  const deform_shape s = deform_shape_of(function, input, weight, options);
  const index planes = product_of_sizes(s.offset_groups(), s.taps());
  require_features(function, "offsets", offsets, s.images, product_of_sizes(2, planes), s.out_height, s.out_width);
  if (mask) require_features(function, "mask", *mask, s.images, planes, s.out_height, s.out_width);
  return s;
}

template <class T>
deform_shape require_deform_conv(const char* function, deform_arguments<T> const& from,
                                 deform_conv_options const& options) {
  static_assert(element<T>, "deform_conv2d: input, weight and output are of one type: float, double, half or bfloat16");
  const feature_sizes mask = sizes_of(from.mask);
  return require_deform_conv(function, sizes_of(from.input), sizes_of(from.offsets),
                             is_given(from.mask) ? &mask : nullptr, sizes_of(from.weight), options);
}

/// Fails unless a bias, or its gradient, is 1 × outputs.
template <class T>
void require_bias(const char* function, const char* name, matrix_view<T> bias, index outputs) {
  require_valid(bias, name, function);
  if (bias.rows != 1 || bias.columns != outputs)
    fail("%s: %s is %jd x %jd, must be 1 x %jd", function, name, std::intmax_t(bias.rows), std::intmax_t(bias.columns),
         std::intmax_t(outputs));
}
template <class T>
constexpr bool is_given(matrix_view<T> v) noexcept {
  return v != matrix_view<T>();
}

/// What a call reads.
template <class T>
std::array<named_footprint, 4> parts_of(deform_arguments<T> const& from) {
  return {{{"input", footprint_of(from.input)},
           {"offsets", footprint_of(from.offsets)},
           {"mask", footprint_of(from.mask)},
           {"weight", footprint_of(from.weight)}}};
}

/// Checks a call of deform_conv2d.
template <class T>
deform_shape require_forward(deform_arguments<T> const& from, matrix_view<const T> bias,
                             deform_conv_options const& options, feature_view<T> output) {
  constexpr const char* function = "deform_conv2d";
  const deform_shape shape = require_deform_conv(function, from, options);
  if (is_given(bias)) require_bias(function, "bias", bias, shape.outputs);
  require_features(function, "output", sizes_of(output), shape.images, shape.outputs, shape.out_height,
                   shape.out_width);
  const named_footprint written[] = {{"output", footprint_of(output)}};
  require_apart(function, written, parts_of(from));
  require_apart(function, written, {"bias", footprint_of(bias)});
  return shape;
}

/// Checks a call of deform_conv2d_backward.
template <class T>
deform_shape require_backward(deform_arguments<T> const& from, deform_conv_options const& options,
                              feature_view<const T> output_gradient, deform_conv_gradients<T> const& to) {
  constexpr const char* function = "deform_conv2d_backward";
  const deform_shape s = require_deform_conv(function, from, options);
  require_features(function, "output_gradient", sizes_of(output_gradient), s.images, s.outputs, s.out_height,
                   s.out_width);
  const index planes = s.offset_groups() * s.taps();
  const named_footprint written[] = {{"gradient of input", footprint_of(to.input)},
                                     {"gradient of offsets", footprint_of(to.offsets)},
                                     {"gradient of mask", footprint_of(to.mask)},
                                     {"gradient of weight", footprint_of(to.weight)},
                                     {"gradient of bias", footprint_of(to.bias)}};
  if (is_given(to.input))
    require_features(function, written[0].name, sizes_of(to.input), s.images, s.channels, s.height, s.width);
  if (is_given(to.offsets))
    require_features(function, written[1].name, sizes_of(to.offsets), s.images, 2 * planes, s.out_height, s.out_width);
  if (is_given(to.mask)) {
    if (!is_given(from.mask)) fail("%s: a gradient of mask is asked for, but there is no mask", function);
    require_features(function, written[2].name, sizes_of(to.mask), s.images, planes, s.out_height, s.out_width);
  }
  if (is_given(to.weight))
    require_features(function, written[3].name, sizes_of(to.weight), s.outputs, s.group_channels(), s.kernel_height,
                     s.kernel_width);
  if (is_given(to.bias)) require_bias(function, written[4].name, to.bias, s.outputs);
  require_apart(function, written, parts_of(from));
  require_apart(function, written, {"output_gradient", footprint_of(output_gradient)});
  require_apart_among(function, written);
  return s;
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
