// SPDX-License-Identifier: MIT
/// Layer scale and frozen batch normalisation on the CPU: forward and backward, each in one sweep, on planes (N x C x H
/// x W) and on rows (N x T x C).
#pragma once

#include <hone/cpu/structure/channel_runs.hpp>
#include <hone/cpu/structure/plane_cut.hpp>
#include <hone/structure/channel_scale.hpp>

#include <algorithm>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// Rows are cut into at most 64 parts, by the shape alone. The sums of a part are in A for 64 rows, and then in double.
struct row_parts {
  static constexpr index most = 64, together = 64;

  index rows, each;

  template <class T>
  explicit row_parts(matrix_view<T> v) noexcept
      : rows(v.rows), each(std::max({(v.rows + most - 1) / most, 16384 / std::max<index>(v.columns, 1), index(1)})) {}

  index count() const noexcept { return (rows + each - 1) / each; }
  index begin(index part) const noexcept { return part * each; }
  index end(index part) const noexcept { return std::min(rows, (part + 1) * each); }
};
template <class T>
index parts_of(matrix_view<T> v) noexcept {
  return row_parts(v).count();
}
template <class T>
index parts_of(image_view<T> v) noexcept {
  return v.images;
}

/// The numbers of all channels of one call, and sums per part and channel.
template <class A>
class channel_memory {
 public:
  channel_memory(detail::channel_parameters<A> const& of, index channels, index parts)
      : channels_(channels),
        room_(3 * arena::room_for<A>(padded(channels)) + arena::room_for<double>(std::size_t(channels)) +
              arena::room_for<double>(std::size_t(2 * channels * parts))) {
    arena memory(room_.data());
    for (A** strip : {&strips_.s, &strips_.t, &strips_.centre}) {
      *strip = memory.take<A>(padded(channels));
      std::fill_n(*strip, padded(channels), A(0));
    }
    inverse_ = memory.take<double>(std::size_t(channels));
    sums_ = memory.take<double>(std::size_t(2 * channels * parts));
    for (index c = 0; c < channels; ++c) {
      const detail::channel_affine<double> one = of.template at<double>(c);
      strips_.s[c] = detail::narrowed<A>(one.scale);
      strips_.t[c] = detail::narrowed<A>(one.shift);
      strips_.centre[c] = detail::narrowed<A>(one.centre);
      inverse_[c] = one.inverse;
    }
  }

  channel_strips<A> const& strips() const noexcept { return strips_; }
  /// Σ (x - centre) g of channel 0 of a part; Σ g is at [1], the next channel at [2].
  double* sums(index part) const noexcept { return sums_ + 2 * part * channels_; }

  /// Writes the gradients, each of which may be {}. The parts are added in order.
  void finish(index parts, std::span<A> by_scale, std::span<A> by_shift) const noexcept {
    for (index c = 0; c < channels_; ++c) {
      double products = 0, total = 0;
      for (index part = 0; part < parts; ++part) products += sums(part)[2 * c], total += sums(part)[2 * c + 1];
      if (!by_scale.empty()) by_scale[std::size_t(c)] = detail::narrowed<A>(products * inverse_[c]);
      if (!by_shift.empty()) by_shift[std::size_t(c)] = detail::narrowed<A>(total);
    }
  }

  static constexpr std::size_t padded(index channels) noexcept { return std::size_t(channels + pack<A>::size); }

 private:
  index channels_;
  scratch<scratch_for::channels> room_;
  channel_strips<A> strips_{};
  double *inverse_, *sums_;
};

template <class T, class Options, class A>
void scale_channels(cpu const& backend, image_view<const T> x, channel_memory<A> const& channels, image_view<T> y,
                    Options const& options) {
  T const* const residual = options.residual.data;
  const bool past_caches = passes_caches(y, {x.data, residual});
  const auto sweep = [&]<bool Residual>(std::bool_constant<Residual>, auto f) {
    for_planes(backend, plane_cut(x, past_caches), arena::room_for<T>(run_numbers),
               [&](index from, index to, std::byte* memory) {
                 plane_output<T> output(y, past_caches, reinterpret_cast<T*>(memory));
                 for (index p = from; p < to; ++p) {
                   const same_channel<A> numbers(channels.strips(), p % x.channels);
                   for_runs(p, x.pixels, [&](index at, index n) {
                     scale_channel_run<Residual, A>(f, numbers, x.data + at, Residual ? residual + at : nullptr,
                                                    output.room(at, n), n);
                   });
                 }
                 output.flush();
               });
  };
  detail::with_formula(options.activation,
                       [&](auto f) { residual ? sweep(std::true_type(), f) : sweep(std::false_type(), f); });
}
template <class T, class Options, class A>
void scale_channels(cpu const& backend, matrix_view<const T> x, channel_memory<A> const& channels, matrix_view<T> y,
                    Options const& options) {
  const row_parts parts(x);
  const auto sweep = [&]<bool Residual>(std::bool_constant<Residual>, auto f) {
    for_chunks(backend, parts.count(), 0, [&](index part, std::byte*) {
      for (index r = parts.begin(part); r < parts.end(part); ++r)
        scale_channel_run<Residual, A>(f, channel_each<A>{channels.strips()}, x.row(r),
                                       Residual ? options.residual.row(r) : nullptr, y.row(r), x.columns);
    });
  };
  detail::with_formula(options.activation, [&](auto f) {
    options.residual.data ? sweep(std::true_type(), f) : sweep(std::false_type(), f);
  });
}

/// Calls body(residual?, f) as the backward sweeps need it: without an activation the residual is not read.
template <class Options, class Body>
void with_backward_formula(Options const& options, Body const& body) {
  detail::with_formula(options.activation, [&](auto f) {
    if constexpr (!std::same_as<decltype(f), identity_formula>)
      if (options.residual.data) return body(std::true_type(), f);
    body(std::false_type(), f);
  });
}

template <class T, class Options, class A>
void scale_channels_backward(cpu const& backend, image_view<const T> x, channel_memory<A> const& channels,
                             image_view<const T> dy, image_view<T> dx, Options const& options) {
  const std::initializer_list<void const*> inputs = {x.data, dy.data, options.residual.data};
  const bool stream_dx = passes_caches(dx, inputs), stream_residual = passes_caches(options.dresidual, inputs);
  with_backward_formula(options, [&]<bool Residual>(std::bool_constant<Residual>, auto f) {
    for_planes(backend, plane_cut(x, stream_dx || stream_residual), 2 * arena::room_for<T>(run_numbers),
               [&](index from, index to, std::byte* memory) {
                 arena pieces(memory);
                 plane_output<T> of_x(dx, stream_dx, pieces.take<T>(run_numbers));
                 plane_output<T> of_residual(options.dresidual, stream_residual, pieces.take<T>(run_numbers));
                 for (index p = from; p < to; ++p) {
                   const index image = p / x.channels, c = p % x.channels;
                   const same_channel<A> numbers(channels.strips(), c);
                   double products = 0, total = 0;
                   for_runs(p, x.pixels, [&](index at, index n) {
                     sums_of_channel<A> sums;
                     scale_channel_run_backward<Residual, A>(
                         f, numbers, sums,
                         backward_run<T>{x.data + at, Residual ? options.residual.data + at : nullptr, dy.data + at,
                                         of_x.room(at, n), of_residual.room(at, n)},
                         n);
                     products += static_cast<double>(sum(sums.products)), total += static_cast<double>(sum(sums.total));
                   });
                   channels.sums(image)[2 * c] = products, channels.sums(image)[2 * c + 1] = total;
                 }
                 of_x.flush();
                 of_residual.flush();
               });
  });
}
template <class T, class Options, class A>
void scale_channels_backward(cpu const& backend, matrix_view<const T> x, channel_memory<A> const& channels,
                             matrix_view<const T> dy, matrix_view<T> dx, Options const& options) {
  const row_parts parts(x);
  const index columns = x.columns;
  const std::size_t padded = channel_memory<A>::padded(columns);
  with_backward_formula(options, [&]<bool Residual>(std::bool_constant<Residual>, auto f) {
    for_chunks(backend, parts.count(), 2 * arena::room_for<A>(padded) + arena::room_for<T>(padded),
               [&](index part, std::byte* memory) {
                 arena pieces(memory);
                 sums_of_each<A> sums{pieces.take<A>(padded), pieces.take<A>(padded)};
                 T* const unwanted = pieces.take<T>(padded);
                 double* const to = channels.sums(part);
                 std::fill_n(to, 2 * columns, 0.0);
                 for (index begin = parts.begin(part); begin < parts.end(part); begin += row_parts::together) {
                   std::fill_n(sums.products, padded, A(0));
                   std::fill_n(sums.total, padded, A(0));
                   for (index r = begin; r < std::min(begin + row_parts::together, parts.end(part)); ++r)
                     scale_channel_run_backward<Residual, A>(
                         f, channel_each<A>{channels.strips()}, sums,
                         backward_run<T>{x.row(r), Residual ? options.residual.row(r) : nullptr, dy.row(r),
                                         dx.data ? dx.row(r) : unwanted,
                                         options.dresidual.data ? options.dresidual.row(r) : unwanted},
                         columns);
                   for (index c = 0; c < columns; ++c)
                     to[2 * c] += static_cast<double>(sums.products[c]),
                         to[2 * c + 1] += static_cast<double>(sums.total[c]);
                 }
               });
  });
}

}  // namespace on_cpu

/// Writes y = f(x gamma + residual), with one gamma per channel: layer scale (Touvron et al. 2021, arXiv 2103.17239). x
/// is an image_view, or a matrix_view of rows x channels (N x T x C); gamma is float for 16-bit numbers:
///
///     hone::layer_scale(cpu, x, gamma, y, {.residual = shortcut})
///
/// Every number is read once and written once. y may be x or the residual; but the backward pass reads x, and both if
/// there is an activation. Throws hone::invalid_argument, and writes nothing, if a shape does not fit or memory
/// overlaps otherwise.
template <template <class> class View, class T>
void layer_scale(cpu const& backend, std::type_identity_t<View<const T>> x,
                 std::type_identity_t<std::span<const accumulator_t<T>>> gamma, View<T> y,
                 std::type_identity_t<channel_scale_options<View, T>> const& options = {}) {
  using A = accumulator_t<T>;
  static_assert(!std::is_const_v<T>, "layer_scale: y is written, its type is const");
  static_assert(element<T>, "layer_scale: y must be of float, double or a 16-bit type");
  detail::require_scaled("layer_scale", x, detail::gamma_parameter<A>{gamma}, y, options);
  const on_cpu::channel_memory<A> channels({gamma.data()}, detail::columns_of(x), 0);
  on_cpu::scale_channels<T>(backend, x, channels, y, options);
}

/// Writes the gradients of layer_scale in one sweep: with g = dy f'(x gamma + residual), dx = g gamma, dgamma = Σ x g
/// over images and pixels, or rows, and options.dresidual = g. dx, dgamma and dresidual may each be {}; dx and
/// dresidual may each be x, dy or the residual. A derivative of 0 gives a gradient of 0, whatever dy is. Sums are added
/// in a fixed order. Throws as layer_scale does.
template <template <class> class View, class T>
void layer_scale_backward(cpu const& backend, std::type_identity_t<View<const T>> x,
                          std::type_identity_t<std::span<const accumulator_t<T>>> gamma,
                          std::type_identity_t<View<const T>> dy, View<T> dx,
                          std::type_identity_t<std::span<accumulator_t<T>>> dgamma,
                          std::type_identity_t<channel_scale_backward_options<View, T>> const& options = {}) {
  using A = accumulator_t<T>;
  static_assert(!std::is_const_v<T>, "layer_scale_backward: dx is written, its type is const");
  static_assert(element<T>, "layer_scale_backward: dx must be of float, double or a 16-bit type");
  detail::require_scaled_backward("layer_scale_backward", x, detail::gamma_parameter<A>{gamma}, dy, dx,
                                  detail::gamma_gradient<A>{dgamma}, options);
  const index parts = on_cpu::parts_of(x);
  const on_cpu::channel_memory<A> channels({gamma.data()}, detail::columns_of(x), parts);
  on_cpu::scale_channels_backward<T>(backend, x, channels, dy, dx, options);
  channels.finish(parts, dgamma, {});
}

/// Writes y = f((x - mean) / sqrt(variance + epsilon) · scale + shift + residual) per channel, with the fixed
/// statistics of `norm`, as x s + t with s and t of the channel:
///
///     hone::frozen_batch_norm(cpu, x, {mean, variance, scale, shift}, y, {.activation = hone::relu})
///
/// x is an image_view, or a matrix_view of rows x channels. Every number is read once and written once. y may be x or
/// the residual. Throws hone::invalid_argument, and writes nothing, if a shape does not fit, a variance plus epsilon is
/// not finite and positive, or memory overlaps otherwise.
template <template <class> class View, class T>
void frozen_batch_norm(cpu const& backend, std::type_identity_t<View<const T>> x,
                       std::type_identity_t<batch_norm_view<accumulator_t<T>>> const& norm, View<T> y,
                       std::type_identity_t<channel_scale_options<View, T>> const& options = {}) {
  using A = accumulator_t<T>;
  static_assert(!std::is_const_v<T>, "frozen_batch_norm: y is written, its type is const");
  static_assert(element<T>, "frozen_batch_norm: y must be of float, double or a 16-bit type");
  constexpr const char* function = "frozen_batch_norm";
  detail::require_scaled(function, x, detail::norm_parameters<A>{norm}, y, options);
  detail::require_epsilon(function, norm);
  detail::require_variances(function, norm);
  const on_cpu::channel_memory<A> channels(detail::channel_parameters_of(norm), detail::columns_of(x), 0);
  on_cpu::scale_channels<T>(backend, x, channels, y, options);
}

/// Writes the gradients of frozen_batch_norm in one sweep: with g = dy f'(…), dx = g s, gradients.scale = Σ g (x -
/// mean) / sqrt(variance + epsilon), gradients.shift = Σ g, and options.dresidual = g. Each may be {}; dx and dresidual
/// may each be x, dy or the residual; the gradients are apart from all inputs. Sums are added in a fixed order. Throws
/// as frozen_batch_norm does.
template <template <class> class View, class T>
void frozen_batch_norm_backward(cpu const& backend, std::type_identity_t<View<const T>> x,
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
  detail::require_variances(function, norm);
  const index parts = on_cpu::parts_of(x);
  const on_cpu::channel_memory<A> channels(detail::channel_parameters_of(norm), detail::columns_of(x), parts);
  on_cpu::scale_channels_backward<T>(backend, x, channels, dy, dx, options);
  channels.finish(parts, gradients.scale, gradients.shift);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
