// SPDX-License-Identifier: MIT
/// Scale and shift per channel: layer scale and frozen batch normalisation. Their formulas, options and checks.
#pragma once

#include <hone/structure/batch_norm.hpp>
#include <hone/structure/plane_check.hpp>
#include <hone/structure/plane_scale.hpp>

#include <span>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// What is added to a scaled channel, and the activation of the sum. View is image_view or matrix_view.
template <template <class> class View, class T>
struct channel_scale_options {
  View<const T> residual = {};                     ///< the shape of x
  activation_function activation = no_activation;  ///< relu, silu, hard_swish
};

/// residual and activation as in the forward pass.
template <template <class> class View, class T>
struct channel_scale_backward_options {
  View<const T> residual = {};
  activation_function activation = no_activation;
  View<T> dresidual = {};  ///< if given, receives the gradient by the residual
};

/// Where the gradients by the parameters of a batch normalisation go; each may be {}.
template <class A>
struct batch_norm_gradients {
  std::span<A> scale = {}, shift = {};
};

/// The first value of a layer scale's gamma for a network of so many layers (Touvron et al. 2021, arXiv 2103.17239,
/// section 2): 0.1 up to 18, 1e-5 up to 24, 1e-6 for deeper ones. timm's LayerScale begins at 1e-5 unless told
/// otherwise.
inline double layer_scale_start(integer layers) {
  detail::require(layers.value >= 1, "layer_scale_start", "layers", layers.value, "at least 1");
  return layers.value <= 18 ? 0.1 : layers.value <= 24 ? 1e-5 : 1e-6;
}

namespace detail {

/// How a channel is scaled: u = x scale + shift. The gradient by its parameter is inverse Σ (x - centre) g.
template <operand V>
struct channel_affine {
  V scale, shift, centre, inverse;
};
template <operand V>
HONE_HD channel_affine<V> layer_scale_affine(V gamma) {
  return {gamma, V(0), V(0), V(1)};
}
template <operand V>
HONE_HD channel_affine<V> batch_norm_affine(V mean, V variance, V scale, V shift, V epsilon) {
  const V inverse = V(1) / sqrt(variance + epsilon), by = scale * inverse;
  return {by, shift - mean * by, mean, inverse};
}

/// The parameters of the channels, in the caller's memory: those of a batch normalisation, or a scale alone.
template <class A>
struct channel_parameters {
  A const *scale, *mean = nullptr, *variance = nullptr, *shift = nullptr;
  double epsilon = 0;

  template <operand V>
  HONE_HD channel_affine<V> at(index c) const {
    if (!variance) return layer_scale_affine(V(scale[c]));
    return batch_norm_affine(V(mean[c]), V(variance[c]), V(scale[c]), V(shift[c]), V(epsilon));
  }
};
template <class A>
channel_parameters<A> channel_parameters_of(batch_norm_view<A> const& norm) {
  return {norm.scale.data(), norm.mean.data(), norm.variance.data(), norm.shift.data(), norm.epsilon.value};
}

/// The checks of one call: its views have the shape of x, its numbers are one per channel, and outputs overlap nothing
/// but what they may replace.
template <class View>
class channel_check {
 public:
  channel_check(const char* function, View x, activation_function activation) : function_(function), x_(x) {
    require_valid(x, "x", function);
    require_activation(function, activation);
  }

  template <class A>
  void one_per_channel(const char* name, std::span<A> numbers) const {
    if (static_cast<index>(numbers.size()) != columns_of(x_))
      fail("%s: %s has %zu numbers, x has %jd channels", function_, name, numbers.size(),
           std::intmax_t(columns_of(x_)));
  }
  /// An input of the shape of x; it may be absent if `optional`.
  template <class Other>
  void input(const char* name, Other v, bool optional) const {
    if (!optional || given(v)) require_like_planes(function_, name, v, "x", x_);
  }
  /// An output of the shape of x that may replace x, `second` or the residual, and is apart from the parameters.
  template <class Out, class Second, class Parameters>
  void output(const char* name, Out out, const char* second_name, Second second, Second residual,
              Parameters const& parameters) const {
    require_like_planes(function_, name, out, "x", x_);
    require_same_or_apart(function_, name, footprint_of(out), "x", footprint_of(x_));
    if (second_name) require_same_or_apart(function_, name, footprint_of(out), second_name, footprint_of(second));
    require_same_or_apart(function_, name, footprint_of(out), "residual", footprint_of(residual));
    parameters.each([&](const char* of, auto numbers) {
      require_apart(function_, name, footprint_of(out), of, footprint_of(numbers));
    });
  }

 private:
  const char* function_;
  View x_;
};

/// The parameters of a call with their names.
template <class A>
struct gamma_parameter {
  std::span<const A> gamma;

  template <class Body>
  void each(Body const& body) const {
    body("gamma", gamma);
  }
};
template <class A>
struct norm_parameters {
  batch_norm_view<A> norm;

  template <class Body>
  void each(Body const& body) const {
    body("mean", norm.mean), body("variance", norm.variance), body("scale", norm.scale), body("shift", norm.shift);
  }
};

template <class View, class Parameters, class Out, class Options>
void require_scaled(const char* function, View x, Parameters const& parameters, Out y, Options const& options) {
  const channel_check check(function, x, options.activation);
  parameters.each([&](const char* name, auto numbers) { check.one_per_channel(name, numbers); });
  check.input("residual", options.residual, true);
  check.output("y", y, nullptr, x, options.residual, parameters);
}
/// Also checks the gradients by the parameters, which may be absent and are apart from everything.
template <class View, class Parameters, class Out, class Gradients, class Options>
void require_scaled_backward(const char* function, View x, Parameters const& parameters, View dy, Out dx,
                             Gradients const& gradients, Options const& options) {
  const channel_check check(function, x, options.activation);
  parameters.each([&](const char* name, auto numbers) { check.one_per_channel(name, numbers); });
  check.input("dy", dy, false);
  check.input("residual", options.residual, true);
  const auto outputs = [&](auto const& body) {
    if (given(dx)) body("dx", dx);
    if (given(options.dresidual)) body("dresidual", options.dresidual);
  };
  outputs([&](const char* name, Out out) { check.output(name, out, "dy", dy, options.residual, parameters); });
  if (given(dx) && given(options.dresidual))
    require_apart(function, "dresidual", footprint_of(options.dresidual), "dx", footprint_of(dx));
  gradients.each([&](const char* name, auto numbers) {
    if (numbers.empty()) return;
    check.one_per_channel(name, numbers);
    const footprint place = footprint_of(numbers);
    outputs([&](const char* other, Out out) { require_apart(function, name, place, other, footprint_of(out)); });
    require_apart(function, name, place, "x", footprint_of(x));
    require_apart(function, name, place, "dy", footprint_of(dy));
    require_apart(function, name, place, "residual", footprint_of(options.residual));
    parameters.each(
        [&](const char* other, auto those) { require_apart(function, name, place, other, footprint_of(those)); });
    gradients.each([&](const char* other, auto those) {
      if (other != name) require_apart(function, name, place, other, footprint_of(those));
    });
  });
}

template <class A>
struct gamma_gradient {
  std::span<A> gamma;

  template <class Body>
  void each(Body const& body) const {
    body("dgamma", gamma);
  }
};
template <class A>
struct norm_gradients {
  batch_norm_gradients<A> of;

  template <class Body>
  void each(Body const& body) const {
    const char *const scale = "gradients.scale", *const shift = "gradients.shift";
    body(scale, of.scale), body(shift, of.shift);
  }
};

template <class A>
void require_epsilon(const char* function, batch_norm_view<A> const& norm) {
  require(norm.epsilon >= 0 && finite(norm.epsilon), function, "epsilon", norm.epsilon.value, "finite and at least 0");
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
