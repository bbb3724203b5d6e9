// SPDX-License-Identifier: MIT
/// What every backend must answer where a result does not fit into its type: a finite number stays finite.
#pragma once

#include <conformance/batch.hpp>

#include <cmath>
#include <limits>

namespace conformance {

/// The gradient of an objective of n numbers in T, as float.
template <class Device, class T, class Objective, class View>
std::vector<float> narrow_gradient(Objective const& objective, typename Device::template buffer<T> const& x, View of) {
  const typename Device::template buffer<T> gradient(x.host());
  of.data = gradient.data();
  View from = of;
  from.data = x.data();
  hone::outputs<T> out{};
  out.gradient = of;
  Device::evaluate(objective, from, out, hone::sum);
  std::vector<float> answer;
  for (const T g : gradient.host()) answer.push_back(static_cast<float>(g));
  return answer;
}

/// `most` is the largest number of T, and `factor` beyond it, but not beyond float.
template <class Device, class T>
void narrow_gradients(float most, float factor) {
  const auto numbers = [](std::vector<float> const& x) {
    std::vector<T> y;
    for (const float number : x) y.push_back(static_cast<T>(number));
    return y;
  };
  using buffer = typename Device::template buffer<T>;
  const float nan = std::nanf("");

  for (const index columns : {3, 16, 64, 67}) {  // elements and rows, in place and through scratch
    CAPTURE(columns);
    std::vector<float> logits(static_cast<std::size_t>(2 * columns));
    for (std::size_t i = 0; i < logits.size(); ++i) logits[i] = i % 2 ? 30.0f : -30.0f;
    logits[1] = nan;
    const buffer x(numbers(logits)), t(numbers(std::vector<float>(logits.size(), 1.0f)));
    const auto elements = narrow_gradient<Device, T>(
        factor * hone::binary_cross_entropy(hone::matrix_view<const T>{t.data(), 2, columns}), x,
        hone::matrix_view<T>{nullptr, 2, columns});
    for (std::size_t i = 0; i < logits.size(); ++i) {
      CAPTURE(i);
      CHECK((i == 1 ? std::isnan(elements[i]) : i % 2 ? std::abs(elements[i]) < most : elements[i] == -most));
    }
    const typename Device::template buffer<int> labels(std::vector<int>{0, int(columns % 2)});
    const auto rows = narrow_gradient<Device, T>(factor * hone::cross_entropy(hone::classes(labels)), x,
                                                 hone::matrix_view<T>{nullptr, 2, columns});
    const auto second = static_cast<std::size_t>(columns);
    CHECK(rows[second + std::size_t(columns % 2)] == -most);  // the label's logit is -30
    for (std::size_t i = 0; i < logits.size(); ++i) CHECK((i < second ? std::isnan(rows[i]) : std::isfinite(rows[i])));
  }
}

/// CIoU's slope by a width of 6e-8 is -74105.
template <class Device>
void narrow_boxes() {
  using T = typename Device::half;
  const auto numbers = [](std::vector<float> const& x) {
    std::vector<T> y;
    for (const float number : x) y.push_back(static_cast<T>(number));
    return y;
  };
  const typename Device::template buffer<T> box(numbers({.2646f, .6406f, 5.96e-8f, 1.9e-6f})),
      target(numbers({.26f, .64f, 3, .75f}));
  const auto boxes =
      narrow_gradient<Device, T>(hone::ciou_loss(hone::matrix_view<const T>{target.data(), 1, 4}, hone::centers), box,
                                 hone::matrix_view<T>{nullptr, 1, 4});
  CHECK(boxes[2] == -65504);
  for (const float g : boxes) CHECK(std::isfinite(g));
}

/// A sum beyond float, which double holds.
template <class Device>
void narrow_value() {
  const typename Device::template buffer<float> x(std::vector<float>(16)), value(1);
  const typename Device::template buffer<int> labels(std::vector<int>(8));
  Device::evaluate(2e38 * hone::cross_entropy(hone::classes(labels)), hone::matrix_view<const float>{x.data(), 8, 2},
                   hone::outputs<float>{.value = value.data()}, hone::sum);
  CHECK(value.host()[0] == std::numeric_limits<float>::max());
}

template <class Device>
void narrowing() {
  narrow_gradients<Device, typename Device::half>(65504, 1e6f);
  narrow_gradients<Device, typename Device::bfloat16>(0x1.fep127f, 0x1.ffcp127f);
  narrow_boxes<Device>();
  narrow_value<Device>();
}

}  // namespace conformance
