// SPDX-License-Identifier: MIT
/// What the lists of cases for every backend share: padded matrices in host and device memory, and how an objective is
/// asked for all of its outputs.
///
/// A Device says how a backend is reached:
///   buffer<T>       memory of its own: from a std::vector<T> or a size; data(), begin(), end(), host()
///   evaluate(...)   hone::evaluate on it, waited for;  half, bfloat16  its 16-bit types
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

namespace conformance {

using hone::index;

struct shape {
  index rows, columns, padding = 0;
};

/// The largest relative error that a type may show; 16-bit types round the gradient.
template <class T>
inline constexpr double tolerance = sizeof(T) == 8   ? 1e-13
                                    : sizeof(T) == 4 ? 4e-6
                                                     : 1e-2;

inline bool close(double a, double b, double bound) { return std::abs(a - b) <= bound * (1 + std::abs(b)); }

/// A matrix's shape, with padding that nobody may read into an answer, or write.
template <class Device, class T>
struct padded {
  template <class X>
  using buffer = typename Device::template buffer<X>;
  using A = hone::accumulator_t<T>;
  static constexpr float untouched = 77;

  shape size;
  index stride;

  explicit padded(shape s) : size(s), stride(s.columns + s.padding) {}

  hone::matrix_view<T> view(buffer<T> const& b) const { return {b.data(), size.rows, size.columns, stride}; }

  /// Whether T has such a number: an integer is never NaN or infinite.
  static bool exists(float x) {
    if constexpr (std::is_integral_v<T>)
      return x >= float((std::numeric_limits<T>::lowest)()) && x <= float((std::numeric_limits<T>::max)());
    return true;
  }
  template <class Number>
  std::vector<T> filled(Number number) const {
    std::vector<T> v(static_cast<std::size_t>(size.rows * stride), static_cast<T>(untouched));
    for (index i = 0; i < size.rows; ++i)
      for (index c = 0; c < size.columns; ++c) {
        const auto x = static_cast<float>(number(i, c));
        v[std::size_t(i * stride + c)] = exists(x) ? static_cast<T>(x) : T(0.0f);
      }
    return v;
  }
  double at(std::vector<T> const& v, index i, index c) const {
    return static_cast<double>(static_cast<A>(v[std::size_t(i * stride + c)]));
  }
  bool padding_is_untouched(std::vector<T> const& v) const {
    for (index i = 0; i < size.rows; ++i)
      for (index c = size.columns; c < stride; ++c)
        if (at(v, i, c) != double(untouched)) return false;
    return true;
  }
};

/// All outputs of an evaluate, on the host.
template <class T>
struct answers {
  std::vector<T> gradient;
  std::vector<hone::accumulator_t<T>> unreduced;
  double value;
};

/// A gradient of the prediction's shape in other memory, and one that is not asked for, whose distances are no sizes of
/// anything: nobody may step by them.
template <class T>
hone::matrix_view<T> gradient_in(T* data, hone::matrix_view<const T> of) {
  return {data, of.rows, of.columns, of.row_stride};
}
template <class T>
hone::image_view<T> gradient_in(T* data, hone::image_view<const T> of) {
  return {data, of.images, of.channels, of.pixels};
}
template <class T>
hone::matrix_view<T> no_gradient(hone::matrix_view<const T>) {
  return {static_cast<T*>(nullptr), 0, 0, 7777777};
}
template <class T>
hone::image_view<T> no_gradient(hone::image_view<const T>) {
  return {static_cast<T*>(nullptr), 0, 0, 7777777};
}

/// Evaluates once for every choice of outputs: each must have the bits that it has in `all`, but the value, for a sum
/// may be cut otherwise. Before a call the gradient holds `before`. Large predictions are asked for one output at a
/// time.
template <class Device, class T, class Objective, template <class> class View>
void answers_alone_are_those_of_all(Objective const& objective, View<const T> prediction, answers<T> const& all,
                                    std::vector<T> const& before, hone::reduction how) {
  using A = hone::accumulator_t<T>;
  const auto same = []<class X>(std::vector<X> const& a, std::vector<X> const& b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(X)) == 0);
  };
  for (const int asked : {1, 2, 4, 3, 5, 6}) {
    if (asked == 3 && before.size() > 4096) break;
    CAPTURE(asked);  // 1: value, 2: unreduced, 4: gradient
    const typename Device::template buffer<T> gradient(before);
    const typename Device::template buffer<A> unreduced(all.unreduced.size()), value(1);
    Device::evaluate(objective, prediction,
                     hone::outputs<T, View>{.gradient = (asked & 4) != 0 ? gradient_in(gradient.data(), prediction)
                                                                         : no_gradient(prediction),
                                            .unreduced = (asked & 2) != 0 ? unreduced.data() : nullptr,
                                            .value = (asked & 1) != 0 ? value.data() : nullptr},
                     how);
    if ((asked & 4) != 0) CHECK_MESSAGE(same(gradient.host(), all.gradient), "gradient");
    if ((asked & 2) != 0) CHECK_MESSAGE(same(unreduced.host(), all.unreduced), "unreduced");
    if ((asked & 1) != 0) CHECK_MESSAGE(close(double(value.host()[0]), all.value, tolerance<A>), "value");
  }
}

/// All outputs, and each choice of them. The gradient is written where `prediction` has been copied to, or, in place,
/// over its own copy.
template <class Device, class T, class Objective>
answers<T> ask(padded<Device, T> const& b, Objective const& objective, std::vector<T> const& prediction, index losses,
               hone::reduction how, bool in_place = false) {
  using A = hone::accumulator_t<T>;
  const typename Device::template buffer<T> from(prediction), gradient(prediction);
  const typename Device::template buffer<A> unreduced(static_cast<std::size_t>(losses)), value(1);
  const hone::matrix_view<const T> view = b.view(in_place ? gradient : from);
  Device::evaluate(objective, view,
                   hone::outputs<T>{.gradient = b.view(gradient), .unreduced = unreduced.data(), .value = value.data()},
                   how);
  const answers<T> all{gradient.host(), unreduced.host(), double(value.host()[0])};
  answers_alone_are_those_of_all<Device, T>(objective, hone::matrix_view<const T>(b.view(from)), all, prediction, how);
  return all;
}

/// From pixels that fit one tile to channels so many that on CUDA not even 32 pixels fit, and more than a block of
/// those.
struct image_shape {
  index images, channels, pixels;
};
inline constexpr image_shape image_shapes[] = {{2, 5, 9}, {1, 19, 384}, {3, 150, 20}, {2, 500, 6}, {1, 130, 300}};

/// Rows of pixels as images hold them: N x C x pixels.
template <class T>
std::vector<T> planes_of(std::vector<T> const& rows, index channels, index pixels) {
  std::vector<T> planes(rows.size());
  for (index i = 0; i < index(rows.size()) / channels; ++i)
    for (index c = 0; c < channels; ++c)
      planes[std::size_t((i / pixels * channels + c) * pixels + i % pixels)] = rows[std::size_t(i * channels + c)];
  return planes;
}

/// body(batch) for every shape, which a failure then tells.
template <class Batch, class Body>
void each_batch(std::vector<shape> const& shapes, Body const& body) {
  for (const shape s : shapes) {
    CAPTURE(s.rows);
    CAPTURE(s.columns);
    CAPTURE(s.padding);
    body(Batch(s));
  }
}

}  // namespace conformance
