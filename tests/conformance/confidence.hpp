// SPDX-License-Identifier: MIT
/// What every backend must answer for confidences, and for confidence losses as they are composed.
#pragma once

#include <conformance/elements.hpp>

#include <algorithm>
#include <limits>

namespace conformance {

#if defined(__CUDACC__)
#pragma nv_diag_suppress 20208  // of long double, which no device is asked for here
#endif

/// σ(o)^(1-α) σ(u)^α, and its logit as PP-YOLO clips it, in long double: near 1 the odds are a small difference.
inline long double fused(double o, double u, double alpha, bool logit) {
  const auto softplus = [](long double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); };
  const long double s = (1 - static_cast<long double>(alpha)) * softplus(-o) + alpha * softplus(-u);
  if (!logit) return std::exp(-s);
  const long double least = 1e-7L;
  return -std::log(std::clamp(std::expm1(s), least, 1 / least - 1));
}

template <class Device, class T>
void fused_confidences(std::vector<shape> const& shapes) {
  for (const shape s : shapes) {
    CAPTURE(s.rows);
    CAPTURE(s.columns);
    const padded<Device, T> b(s);
    const auto o = b.filled([](index i, index c) { return 20 * std::sin(1.3 * double(i * 31 + c)); });
    const auto u = b.filled([](index i, index c) { return 20 * std::sin(0.7 * double(i * 17 + c) + 1); });
    const typename Device::template buffer<T> objectness(o), iou(u), out(o), in_place(u);
    for (const double alpha : {0.0, 0.4, 0.5, 1.0})
      for (const bool logits : {false, true}) {
        CAPTURE(alpha);
        CAPTURE(logits);
        Device::fused_confidence(b.view(objectness), b.view(iou), b.view(out), {.alpha = alpha, .logits = logits});
        const auto seen = out.host();
        bool right = true;
        for (index i = 0; i < s.rows; ++i)
          for (index c = 0; c < s.columns; ++c) {
            const auto expected = double(fused(b.at(o, i, c), b.at(u, i, c), alpha, logits));
            right = right && std::abs(b.at(seen, i, c) - expected) <= tolerance<T> * std::abs(expected) + 1e-6;
          }
        CHECK(right);
        CHECK(b.padding_is_untouched(seen));
      }
    Device::fused_confidence(b.view(objectness), b.view(in_place), b.view(in_place), {.alpha = 1});
    const auto alone = in_place.host();
    Device::fused_confidence(b.view(iou), b.view(iou), b.view(out), {.alpha = 0});
    CHECK(alone == out.host());
  }
}

/// Nothing is lost at the ends: small confidences keep their digits, infinite logits have their limits, NaN stays.
template <class Device>
void extreme_confidences() {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  const std::vector<float> o{-40, 40, -inf, inf, inf, -200, nan, 0}, u{-40, 40, -inf, inf, -inf, 200, 0, nan};
  const typename Device::template buffer<float> objectness(o), iou(u), out(o.size());
  const auto ask = [&](hone::fused_confidence_options options) {
    const auto view = [&](auto const& buffer) { return hone::matrix_view{buffer.data(), 1, o.size()}; };
    Device::fused_confidence(view(objectness), view(iou), view(out), options);
    return out.host();
  };
  const auto p = ask({}), z = ask({.logits = true}), wide = ask({.logits = true, .epsilon = 1e-12});
  CHECK(double(p[0]) == doctest::Approx(std::exp(-40.0)).epsilon(1e-5));
  CHECK((p[1] == 1 && p[2] == 0 && p[3] == 1 && p[4] == 0));
  CHECK(close(double(p[5]), std::exp(-100.0), 1e-6));
  CHECK((std::isnan(p[6]) && std::isnan(p[7]) && std::isnan(z[6]) && std::isnan(z[7])));
  const double limit = std::log(1e7);
  CHECK(close(double(z[0]), -limit, 1e-5));
  CHECK(close(double(z[1]), limit, 1e-5));
  CHECK(close(double(z[2]), -limit, 1e-5));
  CHECK(close(double(z[3]), limit, 1e-5));
  CHECK(close(double(wide[3]), std::log(1e12), 1e-5));
  for (const double tiny : {1e-30, 1e-38, 1e-39, 1e-46, 1e-300, 5e-324}) {  // down to numbers that no float is
    const auto least = ask({.logits = true, .epsilon = tiny});
    const double most = std::log(std::max(tiny, double(std::numeric_limits<float>::min())));
    CHECK(close(double(least[2]), most, 1e-4));
    CHECK(close(double(least[3]), -most, 1e-4));
    CHECK((std::isfinite(least[5]) && std::isfinite(least[4])));
  }
  const auto of_iou = ask({.alpha = 1});  // what the other is does not matter
  CHECK((of_iou[4] == 0 && of_iou[5] == 1 && close(double(of_iou[6]), 0.5, 1e-6)));
}

/// A confidence loss: binary cross entropy of n x 1 logits that lie `stride` apart, with a target and a weight each.
template <class Device>
void confidence_losses() {
  const index n = 321, stride = 6;
  std::vector<float> x, t, w;
  for (index i = 0; i < n * stride; ++i) x.push_back(float(6 * std::sin(1.7 * double(i))));
  for (index i = 0; i < n; ++i) t.push_back(i % 7 ? 0 : float(i % 5) / 4), w.push_back(float(i % 3) / 2);
  const typename Device::template buffer<float> logits(x), target(t), weight(w), gradient(x), value(1);
  const auto view = [&](auto const& b) { return hone::matrix_view<const float>{b.data() + 4, n, 1, stride}; };
  Device::evaluate(hone::weigh_rows(hone::binary_cross_entropy(hone::matrix_view<const float>{target.data(), n, 1}),
                                    std::span<const float>(weight.data(), std::size_t(n))),
                   view(logits),
                   hone::outputs<float>{.gradient = {gradient.data() + 4, n, 1, stride}, .value = value.data()},
                   hone::mean_over(2));
  const auto seen = gradient.host();
  double total = 0, worst = 0;
  for (index i = 0; i < n * stride; ++i) {
    const auto k = std::size_t(i / stride);
    const double z = double(x[std::size_t(i)]), p = 1 / (1 + std::exp(-z)), weigh = double(w[k]) / 2;
    if (i % stride != 4) {
      worst = std::max(worst, std::abs(z - double(seen[std::size_t(i)])));  // other channels are left as they are
      continue;
    }
    total -= weigh * (double(t[k]) * std::log(p) + (1 - double(t[k])) * std::log1p(-p));
    worst = std::max(worst, std::abs(double(seen[std::size_t(i)]) - weigh * (p - double(t[k]))));
  }
  CHECK(worst < 1e-6);
  CHECK(close(double(value.host()[0]), total, 4e-6));
}

template <class Device>
void confidences() {
  const std::vector<shape> all{{0, 5},    {3, 0},     {1, 1},     {37, 1, 4}, {7, 33},
                               {5, 1001}, {6, 13, 3}, {9, 16, 8}, {2, 3000}};
  fused_confidences<Device, float>(all);
  fused_confidences<Device, double>({{7, 33}, {40, 1, 7}});
  fused_confidences<Device, typename Device::half>(all);
  fused_confidences<Device, typename Device::bfloat16>({{7, 33}, {40, 1, 7}});
  extreme_confidences<Device>();
  confidence_losses<Device>();
  element_loss<Device, float>(
      [](auto targets) { return hone::binary_cross_entropy(targets, {.positive = 0.75, .negative = 0.125}); },
      hone::smoothed_binary_cross_entropy_formula{0.75, 0.125}, {{7, 80}, {5, 33, 7}});
}

}  // namespace conformance
