// SPDX-License-Identifier: MIT
/// Channel attention: a branch makes a number e for every plane from the means of the planes, and y = x gate(e). The
/// branches are views of the caller's parameters: squeeze-and-excitation, effective squeeze-and-excitation and
/// efficient channel attention.
#pragma once

#include <hone/structure/plane_gate.hpp>
#include <hone/structure/plane_scale.hpp>

#include <array>
#include <cmath>
#include <span>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Squeeze-and-excitation (Hu et al. 2018, arXiv 1709.01507): e = expand f(reduce q + reduce_bias) + expand_bias for
/// the means q of the channels. A is the type of the arithmetic, float for 16-bit images. reduce is width x channels,
/// expand channels x width, as the weights of 1 x 1 convolutions are; a bias may be {}. As gradients, what is written.
template <class A, plane_gate Gate = sigmoid_gate_formula>
struct squeeze_excite {
  using number = A;

  matrix_view<A> reduce;
  std::span<A> reduce_bias;
  matrix_view<A> expand;
  std::span<A> expand_bias;
  activation_function activation = relu;  ///< f
  Gate gate = {};
};

/// Effective squeeze-and-excitation (Lee, Park 2020, arXiv 1911.06667): e = weight q + bias, weight channels x
/// channels.
template <class A, plane_gate Gate = hard_sigmoid_gate_formula>
struct effective_squeeze_excite {
  using number = A;

  matrix_view<A> weight;
  std::span<A> bias;
  Gate gate = {};
};

/// Efficient channel attention (Wang et al. 2020, arXiv 1910.03151): e is the correlation of q with a kernel of odd
/// size over the channels, which are padded with zeros.
template <class A, plane_gate Gate = sigmoid_gate_formula>
struct efficient_channel_attention {
  using number = A;

  std::span<A> kernel;
  Gate gate = {};
};

/// Returns the width of a squeeze-and-excitation: ratio · channels rounded to a multiple of the divisor, at least one
/// of them, as timm's make_divisible with round_limit 0.
inline index squeeze_excite_width(integer channels, real ratio = 1.0 / 16, integer divisor = 8) {
  detail::require(channels.value >= 1, "squeeze_excite_width", "channels", channels.value, "at least 1");
  detail::require_positive("squeeze_excite_width", "ratio", ratio.value);
  detail::require(divisor.value >= 1, "squeeze_excite_width", "divisor", divisor.value, "at least 1");
  const auto by = static_cast<double>(divisor.value), wanted = static_cast<double>(channels.value) * ratio.value;
  const index multiples = static_cast<index>(std::floor(std::floor(wanted + by / 2) / by));
  return (multiples > 1 ? multiples : 1) * divisor.value;
}

/// Returns the kernel size of efficient channel attention: (log2(channels) + beta) / gamma, rounded down to an integer,
/// the next odd number from it on, at least 3.
inline index efficient_channel_attention_size(integer channels, real gamma = 2, real beta = 1) {
  constexpr const char* function = "efficient_channel_attention_size";
  detail::require(channels.value >= 1, function, "channels", channels.value, "at least 1");
  detail::require_positive(function, "gamma", gamma.value);
  detail::require(detail::finite(beta.value), function, "beta", beta.value, "finite");
  const double size = std::abs((std::log2(static_cast<double>(channels.value)) + beta.value) / gamma.value);
  const index odd = static_cast<index>(size) / 2 * 2 + 1;
  return odd > 3 ? odd : 3;
}

/// Returns the number of parameters of a branch.
template <class A, class Gate>
index parameters_of(squeeze_excite<A, Gate> const& b) {
  return b.reduce.rows * b.reduce.columns + b.expand.rows * b.expand.columns +
         static_cast<index>(b.reduce_bias.size() + b.expand_bias.size());
}
template <class A, class Gate>
index parameters_of(effective_squeeze_excite<A, Gate> const& b) {
  return b.weight.rows * b.weight.columns + static_cast<index>(b.bias.size());
}
template <class A, class Gate>
index parameters_of(efficient_channel_attention<A, Gate> const& b) {
  return static_cast<index>(b.kernel.size());
}

/// What recalibrate writes for its backward pass: the means of the planes and the numbers of the gates, images x
/// channels, and for squeeze_excite the hidden numbers before and after f, images x width. The backward pass takes
/// another one, in which it writes the gradients by the first.
template <class A>
struct recalibration_numbers {
  matrix_view<A> squeezed, excited, hidden = {}, activated = {};
};

namespace detail {

inline void require_bias(const char* function, const char* name, std::size_t size, index outputs) {
  if (size != 0 && static_cast<index>(size) != outputs)
    fail("%s: %s has %zu numbers, must have %jd or none", function, name, size, std::intmax_t(outputs));
}
template <class A>
void require_matrix(const char* function, const char* name, matrix_view<A> v, index rows, index columns) {
  require_valid(v, name, function);
  if (v.rows != rows || v.columns != columns)
    fail("%s: %s is %jd x %jd, must be %jd x %jd", function, name, std::intmax_t(v.rows), std::intmax_t(v.columns),
         std::intmax_t(rows), std::intmax_t(columns));
}

/// The checks of a branch and its numbers.
template <class W, class Gate, class A>
void require_branch(const char* function, squeeze_excite<W, Gate> const& b, index images, index channels,
                    recalibration_numbers<A> const& n) {
  const index width = b.reduce.rows;
  require_matrix(function, "reduce", b.reduce, width, channels);
  require_matrix(function, "expand", b.expand, channels, width);
  require_bias(function, "reduce_bias", b.reduce_bias.size(), width);
  require_bias(function, "expand_bias", b.expand_bias.size(), channels);
  require_activation(function, b.activation);
  require_matrix(function, "hidden", n.hidden, images, width);
  require_matrix(function, "activated", n.activated, images, width);
}
template <class W, class Gate, class A>
void require_branch(const char* function, effective_squeeze_excite<W, Gate> const& b, index, index channels,
                    recalibration_numbers<A> const&) {
  require_matrix(function, "weight", b.weight, channels, channels);
  require_bias(function, "bias", b.bias.size(), channels);
}
template <class W, class Gate, class A>
void require_branch(const char* function, efficient_channel_attention<W, Gate> const& b, index, index,
                    recalibration_numbers<A> const&) {
  if (b.kernel.size() % 2 == 0) fail("%s: kernel has %zu numbers, must have an odd number", function, b.kernel.size());
}

/// The parameters of a branch, and the numbers of a call.
template <class W, class Gate>
std::array<named_footprint, 4> parts_of(squeeze_excite<W, Gate> const& b) {
  return {{{"reduce", footprint_of(b.reduce)},
           {"reduce_bias", footprint_of(b.reduce_bias)},
           {"expand", footprint_of(b.expand)},
           {"expand_bias", footprint_of(b.expand_bias)}}};
}
template <class W, class Gate>
std::array<named_footprint, 2> parts_of(effective_squeeze_excite<W, Gate> const& b) {
  return {{{"weight", footprint_of(b.weight)}, {"bias", footprint_of(b.bias)}}};
}
template <class W, class Gate>
std::array<named_footprint, 1> parts_of(efficient_channel_attention<W, Gate> const& b) {
  return {{{"kernel", footprint_of(b.kernel)}}};
}
template <class A>
std::array<named_footprint, 4> parts_of(recalibration_numbers<A> const& n) {
  return {{{"squeezed", footprint_of(n.squeezed)},
           {"excited", footprint_of(n.excited)},
           {"hidden", footprint_of(n.hidden)},
           {"activated", footprint_of(n.activated)}}};
}

/// Fails unless the numbers of a call have their shapes and are apart from each other and from an image.
template <class A, class T>
void require_numbers(const char* function, recalibration_numbers<A> const& n, const char* name, image_view<T> x) {
  require_matrix(function, "squeezed", n.squeezed, x.images, x.channels);
  require_matrix(function, "excited", n.excited, x.images, x.channels);
  require_apart(function, parts_of(n), {name, footprint_of(x)});
  require_apart_among(function, parts_of(n));
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
