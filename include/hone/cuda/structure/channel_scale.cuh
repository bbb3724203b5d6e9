// SPDX-License-Identifier: MIT
/// Layer scale and frozen batch normalisation on CUDA: one kernel forward; backward one kernel, and one more for the
/// gradients by the parameters.
#pragma once

#include <hone/cuda/structure/channel_kernels.cuh>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cuda {

template <class T, class View>
void scale_channels(const char* name, cuda& backend, View x, detail::channel_parameters<accumulator_t<T>> const& of,
                    channel_arguments<T> const& all, activation_function activation) {
  const channel_grid grid(x);
  if (grid.empty()) return;
  const device_of_stream device(backend.placed());
  detail::with_formula(activation,
                       [&]<class F>(F f) { grid.template launch_kernel<false>(name, backend.stream(), f, of, all); });
}

template <class T, class View>
void scale_channels_backward(const char* name, cuda& backend, View x,
                             detail::channel_parameters<accumulator_t<T>> const& of, channel_arguments<T> all,
                             activation_function activation, batch_norm_gradients<accumulator_t<T>> const& gradients) {
  const channel_grid grid(x);
  const index channels = detail::columns_of(x);
  const bool sums = !gradients.scale.empty() || !gradients.shift.empty();
  if (sums) {
    backend.reserve(channel_workspace_bytes(x));
    all.sums = reinterpret_cast<double*>(workspace_of_kernels(backend));
  }
  const device_of_stream device(backend.placed());
  if (!grid.empty())
    detail::with_formula(activation,
                         [&]<class F>(F f) { grid.template launch_kernel<true>(name, backend.stream(), f, of, all); });
  if (sums)
    launch(name, channel_gradients_kernel<accumulator_t<T>>, {blocks_for(channels), block_threads}, backend.stream(),
           static_cast<double const*>(all.sums), grid.empty() ? index(0) : grid.parts, channels, of,
           gradients.scale.data(), gradients.shift.data());
}

}  // namespace on_cuda

/// Returns the bytes of workspace that layer_scale_backward and frozen_batch_norm_backward need for an x of this shape.
template <class T>
std::size_t channel_workspace_bytes(image_view<T> x) noexcept {
  return on_cuda::channel_workspace_bytes(x);
}
template <class T>
std::size_t channel_workspace_bytes(matrix_view<T> x) noexcept {
  return on_cuda::channel_workspace_bytes(x);
}

/// Enqueues hone::layer_scale, as documented for the CPU, as one kernel. All memory is on the device.
template <template <class> class View, class T>
void layer_scale(cuda& backend, std::type_identity_t<View<const T>> x,
                 std::type_identity_t<std::span<const accumulator_t<T>>> gamma, View<T> y,
                 std::type_identity_t<channel_scale_options<View, T>> const& options = {}) {
  using A = accumulator_t<T>;
  static_assert(!std::is_const_v<T>, "layer_scale: y is written, its type is const");
  static_assert(element<T>, "layer_scale: y must be of float, double or a 16-bit type");
  detail::require_scaled("layer_scale", x, detail::gamma_parameter<A>{gamma}, y, options);
  on_cuda::scale_channels<T>("layer_scale: kernel", backend, x, {gamma.data()},
                             on_cuda::forward_arguments<T>(x, y, options), options.activation);
}

/// Enqueues hone::layer_scale_backward, as documented for the CPU. The same bits in every run.
template <template <class> class View, class T>
void layer_scale_backward(cuda& backend, std::type_identity_t<View<const T>> x,
                          std::type_identity_t<std::span<const accumulator_t<T>>> gamma,
                          std::type_identity_t<View<const T>> dy, View<T> dx,
                          std::type_identity_t<std::span<accumulator_t<T>>> dgamma,
                          std::type_identity_t<channel_scale_backward_options<View, T>> const& options = {}) {
  using A = accumulator_t<T>;
  static_assert(!std::is_const_v<T>, "layer_scale_backward: dx is written, its type is const");
  static_assert(element<T>, "layer_scale_backward: dx must be of float, double or a 16-bit type");
  detail::require_scaled_backward("layer_scale_backward", x, detail::gamma_parameter<A>{gamma}, dy, dx,
                                  detail::gamma_gradient<A>{dgamma}, options);
  on_cuda::scale_channels_backward<T>("layer_scale_backward: kernel", backend, x, {gamma.data()},
                                      on_cuda::backward_arguments<T>(x, dy, dx, options), options.activation,
                                      {dgamma, {}});
}

/// Enqueues hone::frozen_batch_norm, as documented for the CPU, as one kernel. The variances, which are on the device,
/// are not checked.
template <template <class> class View, class T>
void frozen_batch_norm(cuda& backend, std::type_identity_t<View<const T>> x,
                       std::type_identity_t<batch_norm_view<accumulator_t<T>>> const& norm, View<T> y,
                       std::type_identity_t<channel_scale_options<View, T>> const& options = {}) {
  using A = accumulator_t<T>;
  static_assert(!std::is_const_v<T>, "frozen_batch_norm: y is written, its type is const");
  static_assert(element<T>, "frozen_batch_norm: y must be of float, double or a 16-bit type");
  constexpr const char* function = "frozen_batch_norm";
  detail::require_scaled(function, x, detail::norm_parameters<A>{norm}, y, options);
  detail::require_epsilon(function, norm);
  on_cuda::scale_channels<T>("frozen_batch_norm: kernel", backend, x, detail::channel_parameters_of(norm),
                             on_cuda::forward_arguments<T>(x, y, options), options.activation);
}

/// Enqueues hone::frozen_batch_norm_backward, as documented for the CPU. The same bits in every run.
template <template <class> class View, class T>
void frozen_batch_norm_backward(cuda& backend, std::type_identity_t<View<const T>> x,
                                std::type_identity_t<batch_norm_view<accumulator_t<T>>> const& norm,
                                std::type_identity_t<View<const T>> dy, View<T> dx,
                                std::type_identity_t<batch_norm_gradients<accumulator_t<T>>> const& gradients = {},
                                std::type_identity_t<channel_scale_backward_options<View, T>> const& options = {}) {
  using A = accumulator_t<T>;
  static_assert(!std::is_const_v<T>, "frozen_batch_norm_backward: dx is written, its type is const");
  static_assert(element<T>, "frozen_batch_norm_backward: dx must be of float, double or a 16-bit type");
  constexpr const char* function = "frozen_batch_norm_backward";
  detail::require_scaled_backward(function, x, detail::norm_parameters<A>{norm}, dy, dx,
                                  detail::norm_gradients<A>{gradients}, options);
  detail::require_epsilon(function, norm);
  on_cuda::scale_channels_backward<T>(
      "frozen_batch_norm_backward: kernel", backend, x, detail::channel_parameters_of(norm),
      on_cuda::backward_arguments<T>(x, dy, dx, options), options.activation, gradients);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
