// SPDX-License-Identifier: MIT
/// What every backend must answer for blend: one list, against the definition, number by number.
#pragma once

#include <conformance/batch.hpp>

#include <algorithm>
#include <limits>
#include <type_traits>

namespace conformance {

/// λ·own + (1-λ)·other, exactly where it is exact; what does not count is not looked at.
template <class Number = double, class Draw>
Number mixed_by_definition(Draw const& draw, index i, index feature, auto const& image) {
  const auto row = static_cast<std::size_t>(i);
  const index partner = draw.partner[row];
  if constexpr (requires { draw.boxes; }) {
    bool cut = true;
    if constexpr (requires { draw.cut; }) cut = draw.cut[row] != 0;
    const index pixel = feature % (draw.height * draw.width), y = pixel / draw.width, x = pixel % draw.width;
    const hone::pixel_box b = draw.boxes[row];
    if (cut) return image(x >= b.x1 && x < b.x2 && y >= b.y1 && y < b.y2 ? partner : i, feature);
  }
  const double lambda = draw.lambda[row];
  if (partner == i || lambda == 1) return image(i, feature);
  if (lambda == 0) return image(partner, feature);
  return static_cast<Number>(lambda * static_cast<double>(image(i, feature)) +
                             (1 - lambda) * static_cast<double>(image(partner, feature)));
}

template <class Device, class T, class Draw>
void check_blend(Draw const& draw, shape s, bool in_place) {
  CAPTURE(s.rows);
  CAPTURE(s.columns);
  CAPTURE(s.padding);
  CAPTURE(in_place);
  CAPTURE(sizeof(T));
  constexpr bool bytes = std::is_same_v<T, std::uint8_t>;
  const index stride = s.columns + s.padding;
  std::vector<T> host(static_cast<std::size_t>(s.rows * stride), static_cast<T>(77.0f));
  const auto place = [stride](index i, index f) { return static_cast<std::size_t>(i * stride + f); };
  for (index i = 0; i < s.rows; ++i)
    for (index f = 0; f < s.columns; ++f) {
      const index k = (i * 7919 + f * 104729) % 251;
      host[place(i, f)] = static_cast<T>(bytes ? static_cast<float>(k) : static_cast<float>(k - 125) / 16);
    }
  const auto number = [](T x) {
    if constexpr (std::is_same_v<T, double>)
      return x;
    else
      return static_cast<double>(static_cast<float>(x));
  };
  const auto image = [&](index i, index f) { return number(host[place(i, f)]); };

  const typename Device::template buffer<T> from(host), apart(std::vector<T>(host.size(), static_cast<T>(77.0f)));
  auto const& to = in_place ? from : apart;
  Device::blend(draw, hone::matrix_view<const T>{from.data(), s.rows, s.columns, stride},
                hone::matrix_view<T>{to.data(), s.rows, s.columns, stride});
  const std::vector<T> answer = to.host();
  index wrong = 0, padding = 0;
  for (index i = 0; i < s.rows; ++i) {
    for (index f = 0; f < s.columns; ++f) {
      const double expected = mixed_by_definition(draw, i, f, image), got = number(answer[place(i, f)]);
      const double rounding = sizeof(T) == 8                             ? 0x1p-50
                              : sizeof(T) == 4                           ? 0x1p-21
                              : std::is_same_v<T, typename Device::half> ? 0x1p-11
                                                                         : 0x1p-8;
      if constexpr (bytes)
        wrong += got != std::nearbyint(expected);
      else
        wrong += !(std::abs(got - expected) <=
                   rounding * (std::abs(expected) + (sizeof(T) == 2 ? 0 : 8)) + 1e-4 * (sizeof(T) == 2));
    }
    for (index f = s.columns; f < stride; ++f) padding += number(answer[place(i, f)]) != 77;
  }
  CHECK(wrong == 0);
  CHECK(padding == 0);
}

/// Of one kind of number: draws of every policy, and draws that a caller has filled.
template <class Device, class T>
void blends_of() {
  using hone::partners;
  for (const shape s : {shape{1, 1}, {2, 7}, {5, 33, 2}, {6, 1030}, {33, 784}, {150, 40, 8}}) {
    for (const bool in_place : {false, true}) {
      check_blend<Device, T>(hone::mixup{.alpha = 1}.draw(1, 2, s.rows), s, in_place);
      check_blend<Device, T>(hone::mixup{.alpha = 0.4, .per = hone::pair}.draw(1, 3, s.rows), s, in_place);
      check_blend<Device, T>(hone::mixup{.alpha = 2, .with = partners::any}.draw(1, 4, s.rows), s, in_place);
    }
    auto own = hone::mixup{.alpha = 1}.draw(1, 5, s.rows);  // partners that are no permutation, λ at its ends
    for (std::size_t i = 0; i < own.partner.size(); ++i) {
      own.partner[i] = index(i * i + 1) % s.rows;
      if (i % 3 < 2) own.lambda[i] = float(i % 3);
    }
    check_blend<Device, T>(own, s, false);
  }
  struct picture {
    index rows, channels, height, width, padding = 0;
  };
  for (const picture p : {picture{1, 1, 1, 1}, {4, 3, 5, 7}, {9, 1, 8, 8}, {40, 2, 4, 16, 16}, {7, 3, 20, 50, 1}}) {
    const shape s{p.rows, p.channels * p.height * p.width, p.padding};
    for (const bool in_place : {false, true}) {
      check_blend<Device, T>(hone::cutmix{}.draw(1, 6, p.rows, p.height, p.width), s, in_place);
      check_blend<Device, T>(hone::mixup_or_cutmix{.per = hone::sample}.draw(1, 7, p.rows, p.height, p.width), s,
                             in_place);
    }
    auto whole = hone::cutmix{.with = partners::any, .least = 1, .most = 1}.draw(1, 8, p.rows, p.height, p.width);
    check_blend<Device, T>(whole, s, false);
    for (auto& b : whole.boxes) b = {0, 0, 0, p.height};
    check_blend<Device, T>(whole, s, true);
  }
}

/// Masks of classes: every number is one of the row's own or of its partner's.
template <class Device, class T>
void copies_masks_of() {
  struct picture {
    index rows, channels, height, width;
  };
  for (const picture p : {picture{1, 1, 1, 1}, {9, 1, 8, 8}, {40, 2, 16, 16}, {7, 1, 21, 50}}) {
    const index features = p.channels * p.height * p.width;
    std::vector<T> host(static_cast<std::size_t>(p.rows * features));
    for (std::size_t k = 0; k < host.size(); ++k) host[k] = static_cast<T>(k * 7919 % 1000003);
    const auto image = [&](index i, index f) { return host[static_cast<std::size_t>(i * features + f)]; };
    auto both =
        hone::mixup_or_cutmix{.switch_probability = 1, .per = hone::sample}.draw(1, 7, p.rows, p.height, p.width);
    for (std::size_t i = 0; i < both.cut.size(); i += 3) both.cut[i] = 0, both.lambda[i] = static_cast<float>(i % 2);
    const auto looks = [&](auto const& draw, bool in_place) {
      const typename Device::template buffer<T> from(host), apart(host.size());
      auto const& to = in_place ? from : apart;
      Device::blend(draw, hone::matrix_view<const T>{from.data(), p.rows, features},
                    hone::matrix_view<T>{to.data(), p.rows, features});
      const std::vector<T> answer = to.host();
      index wrong = 0;
      for (index i = 0; i < p.rows; ++i)
        for (index f = 0; f < features; ++f)
          wrong += answer[static_cast<std::size_t>(i * features + f)] != mixed_by_definition<T>(draw, i, f, image);
      CHECK(wrong == 0);
    };
    for (const bool in_place : {false, true}) {
      looks(hone::cutmix{}.draw(1, 6, p.rows, p.height, p.width), in_place);
      looks(hone::cutmix{.per = hone::pair}.draw(1, 6, p.rows, p.height, p.width), in_place);
      looks(both, in_place);
    }
  }
}
template <class Device>
void copies_masks() {
  copies_masks_of<Device, std::int64_t>();
  copies_masks_of<Device, std::int32_t>();
  copies_masks_of<Device, std::uint16_t>();
  copies_masks_of<Device, std::int8_t>();
}

template <class Device>
void blends() {
  copies_masks<Device>();
  blends_of<Device, float>();
  blends_of<Device, double>();
  blends_of<Device, typename Device::half>();
  blends_of<Device, typename Device::bfloat16>();
  blends_of<Device, std::uint8_t>();
}

/// Every byte with every byte, at a λ that makes ties: to even.
template <class Device>
void bytes_are_rounded_to_even() {
  for (const float lambda : {0.5f, 0.25f, 0.7f, 0.3f, 1e-30f, 1 - 0x1p-24f}) {
    CAPTURE(lambda);
    std::vector<std::uint8_t> host(2 * 65536);
    for (std::size_t k = 0; k < 65536; ++k) host[k] = std::uint8_t(k >> 8), host[65536 + k] = std::uint8_t(k);
    const typename Device::template buffer<std::uint8_t> images(host), mixed(host.size());
    Device::blend(hone::mixup_draw{{lambda, 1}, {1, 1}}, hone::matrix_view<const std::uint8_t>{images.data(), 2, 65536},
                  hone::matrix_view<std::uint8_t>{mixed.data(), 2, 65536});
    const auto answer = mixed.host();
    int wrong = 0;
    for (std::size_t k = 0; k < 65536; ++k) {
      const double exact = double(k & 255) + double(lambda) * (double(k >> 8) - double(k & 255));
      wrong += answer[k] != std::nearbyint(exact);
    }
    CHECK(wrong == 0);
  }
}

/// A λ of 0 or 1, a row that is its own partner, and what lies outside of a box: NaN there reaches nothing.
template <class Device>
void what_does_not_count_may_be_nan() {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const typename Device::template buffer<float> images({nan, nan, nan, nan, 5, 6, 7, 8, nan, 1, 2, nan}), mixed(12);
  const hone::matrix_view<const float> in{images.data(), 3, 4};
  const hone::matrix_view<float> out{mixed.data(), 3, 4};
  Device::blend(hone::mixup_draw{{0, 1, 0.5f}, {1, 0, 2}}, in, out);
  std::vector<float> answer = mixed.host();
  CHECK(std::vector<float>(answer.begin(), answer.begin() + 8) == std::vector<float>{5, 6, 7, 8, 5, 6, 7, 8});
  CHECK(answer[9] == 1);
  CHECK(std::isnan(answer[8]));
  Device::blend(hone::cutmix_draw{{0.5f, 0.5f, 1}, {1, 2, 0}, {{0, 0, 2, 2}, {1, 0, 2, 1}, {0, 0, 0, 0}}, 2, 2}, in,
                out);
  answer = mixed.host();
  CHECK(std::vector<float>(answer.begin(), answer.begin() + 8) == std::vector<float>{5, 6, 7, 8, 5, 1, 7, 8});
}

}  // namespace conformance
