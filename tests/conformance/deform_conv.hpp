// SPDX-License-Identifier: MIT
/// What every backend must answer for deform_conv2d: against the definition in double, number by number, and against
/// torchvision's answers.
#pragma once

#include <conformance/batch.hpp>
#include <conformance/deform_conv_values.hpp>

#include <algorithm>
#include <string>

namespace conformance {

using doubles = std::vector<double>;

/// The arguments of a call in double, all exact in every type, and its options.
struct deform_conv_problem {
  deform_conv_case of;
  hone::deform_conv_options options;
  index height, width;  // of the output
  doubles input, offsets, mask, weight, bias, gradient;

  index taps() const { return index(of.kernel[0]) * of.kernel[1]; }
  index planes() const { return of.groups[1] * taps(); }
  index pixels() const { return height * width; }
};

inline doubles formula(index count, index step, index size, index shift, double scale) {
  doubles x(static_cast<std::size_t>(count));
  for (index i = 0; i < count; ++i)
    x[static_cast<std::size_t>(i)] = static_cast<double>(i * step % size - shift) / scale;
  return x;
}

/// The arguments of deform_conv_values.py.
inline deform_conv_problem problem_of(deform_conv_case const& of) {
  deform_conv_problem p{of, {}, 0, 0, {}, {}, {}, {}, {}, {}};
  p.options.stride = {of.stride[0], of.stride[1]};
  p.options.padding = {of.padding[0], of.padding[1], of.padding[2], of.padding[3]};
  p.options.dilation = {of.dilation[0], of.dilation[1]};
  p.options.groups = of.groups[0], p.options.offset_groups = of.groups[1];
  const auto extent = [&](int size, int before, int after, int axis) {
    return (size + before + after - of.dilation[axis] * (of.kernel[axis] - 1) - 1) / of.stride[axis] + 1;
  };
  p.height = extent(of.height, of.padding[0], of.padding[1], 0);
  p.width = extent(of.width, of.padding[2], of.padding[3], 1);
  const index n = of.images;
  p.input = formula(n * of.channels * of.height * of.width, 37, 33, 16, 16);
  p.offsets = formula(2 * n * p.planes() * p.pixels(), 41, 193, 96, 32);
  if (of.mask) p.mask = formula(n * p.planes() * p.pixels(), 29, 17, 0, 16);
  p.weight = formula(index(of.outputs) * (of.channels / of.groups[0]) * p.taps(), 23, 31, 15, 16);
  p.bias = formula(of.outputs, 3, 7, 3, 4);
  p.gradient = formula(n * of.outputs * p.pixels(), 53, 29, 14, 16);
  return p;
}

struct deform_conv_answer {
  doubles output, input, offsets, mask, weight, bias;

  template <class Body>
  static void each(Body const& body) {
    body(&deform_conv_answer::output, &deform_conv_value::output, "output");
    body(&deform_conv_answer::input, &deform_conv_value::input, "input");
    body(&deform_conv_answer::offsets, &deform_conv_value::offsets, "offsets");
    body(&deform_conv_answer::mask, &deform_conv_value::mask, "mask");
    body(&deform_conv_answer::weight, &deform_conv_value::weight, "weight");
    body(&deform_conv_answer::bias, &deform_conv_value::bias, "bias");
  }
};

/// The derivative of max(0, 1 - |t|) by t at a kink, from the right, but at the two ends of the pixels as the border
/// says.
inline double hat_slope(double position, index pixel, index extent, hone::deform_border border) {
  const double t = position - static_cast<double>(pixel);
  if (border == hone::deform_border::none && (position == -1 || position == static_cast<double>(extent))) return 0;
  if (border == hone::deform_border::inward && position == static_cast<double>(extent)) return t == 1 ? -1 : 0;
  return t >= -1 && t < 0 ? 1 : t >= 0 && t < 1 ? -1 : 0;
}

/// The definition: every pixel weighs max(0, 1 - |y - p_y|) max(0, 1 - |x - p_x|) in every tap.
inline deform_conv_answer by_definition(deform_conv_problem const& p) {
  deform_conv_case const& s = p.of;
  const auto at = [](doubles const& x, index i) { return x[static_cast<std::size_t>(i)]; };
  const auto zeros = [](doubles const& x) { return doubles(x.size(), 0.0); };
  deform_conv_answer a{zeros(p.gradient), zeros(p.input),  zeros(p.offsets),
                       zeros(p.mask),     zeros(p.weight), zeros(p.bias)};
  const auto add = [](doubles& x, index i, double y) { x[static_cast<std::size_t>(i)] += y; };
  const index of_group = s.channels / s.groups[0], outputs = s.outputs / s.groups[0];
  for (index n = 0; n < s.images; ++n)
    for (index y = 0; y < p.height; ++y)
      for (index x = 0; x < p.width; ++x) {
        const index pixel = y * p.width + x;
        for (index o = 0; o < s.outputs; ++o) {
          const index here = (n * s.outputs + o) * p.pixels() + pixel;
          add(a.output, here, at(p.bias, o));
          add(a.bias, o, at(p.gradient, here));
        }
        for (index c = 0; c < s.channels; ++c)
          for (index tap = 0; tap < p.taps(); ++tap) {
            const index plane = n * p.planes() + c / (s.channels / s.groups[1]) * p.taps() + tap;
            const index by_y = 2 * plane * p.pixels() + pixel, by_x = by_y + p.pixels(),
                        by_mask = plane * p.pixels() + pixel;
            const double factor = p.mask.empty() ? 1 : at(p.mask, by_mask);
            const double py = static_cast<double>(y * s.stride[0] - s.padding[0] + tap / s.kernel[1] * s.dilation[0]) +
                              at(p.offsets, by_y),
                         px = static_cast<double>(x * s.stride[1] - s.padding[2] + tap % s.kernel[1] * s.dilation[1]) +
                              at(p.offsets, by_x);
            double back = 0;  // the gradient of the column's number
            const index group = c / of_group;
            for (index o = group * outputs; o < (group + 1) * outputs; ++o)
              back += at(p.weight, (o * of_group + c % of_group) * p.taps() + tap) *
                      at(p.gradient, (n * s.outputs + o) * p.pixels() + pixel);
            double value = 0;
            for (index v = 0; v < s.height; ++v)
              for (index u = 0; u < s.width; ++u) {
                const index place = ((n * s.channels + c) * s.height + v) * s.width + u;
                const double wy = std::max(0.0, 1 - std::abs(py - static_cast<double>(v))),
                             wx = std::max(0.0, 1 - std::abs(px - static_cast<double>(u)));
                value += wy * wx * at(p.input, place);
                add(a.input, place, factor * wy * wx * back);
                add(a.offsets, by_y,
                    factor * back * hat_slope(py, v, s.height, p.options.border) * wx * at(p.input, place));
                add(a.offsets, by_x,
                    factor * back * wy * hat_slope(px, u, s.width, p.options.border) * at(p.input, place));
              }
            if (!p.mask.empty()) add(a.mask, by_mask, back * value);
            for (index o = group * outputs; o < (group + 1) * outputs; ++o) {
              const index w = (o * of_group + c % of_group) * p.taps() + tap,
                          here = (n * s.outputs + o) * p.pixels() + pixel;
              add(a.output, here, at(p.weight, w) * factor * value);
              add(a.weight, w, at(p.gradient, here) * factor * value);
            }
          }
      }
  return a;
}

template <class T>
std::vector<T> converted(doubles const& x) {
  std::vector<T> to(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) to[i] = static_cast<T>(static_cast<float>(x[i]));
  return to;
}
template <class T>
doubles widened(std::vector<T> const& x) {
  doubles to(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    if constexpr (std::is_same_v<T, double>)
      to[i] = x[i];
    else
      to[i] = static_cast<double>(static_cast<float>(x[i]));
  }
  return to;
}

/// What a backend answers. `wanted` says which gradients are asked for, in the order of deform_conv_gradients.
template <class Device, class T>
deform_conv_answer deform_conv_of(deform_conv_problem const& p, std::string const& wanted = "iomwb") {
  using A = hone::accumulator_t<T>;
  using numbers = typename Device::template buffer<T>;
  using positions = typename Device::template buffer<A>;
  deform_conv_case const& s = p.of;
  const numbers input(converted<T>(p.input)), weight(converted<T>(p.weight)), bias(converted<T>(p.bias)),
      gradient(converted<T>(p.gradient));
  const positions offsets(converted<A>(p.offsets)), mask(converted<A>(p.mask));
  const auto nan = [](doubles const& x) { return doubles(x.size(), std::numeric_limits<double>::quiet_NaN()); };
  const numbers output(converted<T>(nan(p.gradient))), to_input(converted<T>(nan(p.input))),
      to_weight(converted<T>(nan(p.weight))), to_bias(converted<T>(nan(p.bias)));
  const positions to_offsets(converted<A>(nan(p.offsets))), to_mask(converted<A>(nan(p.mask)));

  const auto image = [&](auto* data) { return hone::feature_view(data, s.images, s.channels, s.height, s.width); };
  const auto maps = [&](auto* data, index channels) {
    return hone::feature_view(data, s.images, channels, p.height, p.width);
  };
  const auto kernel = [&](auto* data) {
    return hone::feature_view(data, s.outputs, s.channels / s.groups[0], s.kernel[0], s.kernel[1]);
  };
  const bool masked = !p.mask.empty();
  const auto has = [&](char c) { return wanted.find(c) != std::string::npos; };
  hone::deform_conv_gradients<T> to;
  if (has('i')) to.input = image(to_input.data());
  if (has('o')) to.offsets = maps(to_offsets.data(), 2 * p.planes());
  if (has('m') && masked) to.mask = maps(to_mask.data(), p.planes());
  if (has('w')) to.weight = kernel(to_weight.data());
  if (has('b')) to.bias = {to_bias.data(), 1, s.outputs};
  const hone::feature_view<const A> mask_view = masked ? maps(mask.data(), p.planes()) : hone::feature_view<A>();
  Device::call([&](auto&& backend) {
    hone::deform_conv2d(backend, image(input.data()), maps(offsets.data(), 2 * p.planes()), mask_view,
                        kernel(weight.data()), {bias.data(), 1, s.outputs}, p.options, maps(output.data(), s.outputs));
    hone::deform_conv2d_backward(backend, image(input.data()), maps(offsets.data(), 2 * p.planes()), mask_view,
                                 kernel(weight.data()), p.options, maps(gradient.data(), s.outputs), to);
  });
  return {widened(output.host()),  widened(to_input.host()),  widened(to_offsets.host()),
          widened(to_mask.host()), widened(to_weight.host()), widened(to_bias.host())};
}

/// Compares all numbers with the definition. The sums are of about N, C and taps numbers of about 1.
template <class Device, class T>
void check_deform_conv(deform_conv_problem const& p) {
  CAPTURE(sizeof(T));
  const deform_conv_answer expected = by_definition(p), got = deform_conv_of<Device, T>(p);
  deform_conv_answer::each([&](auto member, auto, const char* name) {
    CAPTURE(name);
    doubles const &e = expected.*member, &g = got.*member;
    REQUIRE(e.size() == g.size());
    double largest = 0;
    for (const double x : e) largest = std::max(largest, std::abs(x));
    index wrong = 0;
    for (std::size_t i = 0; i < e.size(); ++i)
      wrong += !(std::abs(g[i] - e[i]) <= tolerance<T> * (std::abs(e[i]) + 0.1 * largest));
    CHECK(wrong == 0);
  });
}

template <class Device, class T>
void deform_conv_matches_definition() {
  int number = 0;
  for (deform_conv_value const& value : deform_conv_values) {
    CAPTURE(++number);
    check_deform_conv<Device, T>(problem_of(value.of));
  }
}

/// Exact in double but for the order of sums.
template <class Device>
void deform_conv_matches_torchvision() {
  for (deform_conv_value const& value : deform_conv_values) {
    deform_conv_problem p = problem_of(value.of);
    p.options = hone::parity::torchvision_deform_conv(p.options);
    const deform_conv_answer got = deform_conv_of<Device, double>(p);
    deform_conv_answer::each([&](auto member, auto torchvision, const char* name) {
      CAPTURE(name);
      double sums[2] = {0, 0}, size = 0;
      for (std::size_t i = 0; i < (got.*member).size(); ++i) {
        const double x = (got.*member)[i];
        sums[0] += x, size += std::abs(x);
        sums[1] += x * static_cast<double>(index(i * 7919 % 101) - 50) / 50;
      }
      CHECK(std::abs(sums[0] - (value.*torchvision)[0]) <= 1e-12 * size);
      CHECK(std::abs(sums[1] - (value.*torchvision)[1]) <= 1e-12 * size);
    });
  }
}

/// One pixel of 1, one tap per output pixel, positions -1, -0.5, 0, 0.5 and 1 = height: value 0, .5, 1, .5, 0.
template <class Device>
void deform_conv_border_is_stated() {
  deform_conv_problem p = problem_of({1, 1, 1, 1, 1, {1, 1}, {1, 1}, {2, 2, 0, 0}, {1, 1}, {1, 1}, true});
  p.input = {1}, p.weight = {1}, p.bias = {0};
  p.gradient = {1, 1, 1, 1, 1}, p.mask = {1, 1, 1, 1, 1};
  p.offsets = {1, 0.5, 0, -0.5, -1, 0, 0, 0, 0, 0};
  const auto slopes = [&](hone::deform_conv_options options) {
    p.options = options;
    const deform_conv_answer a = deform_conv_of<Device, float>(p);
    CHECK(a.output == doubles{0, 0.5, 1, 0.5, 0});
    CHECK(a.mask == doubles{0, 0.5, 1, 0.5, 0});
    CHECK(a.input == doubles{2});
    return doubles(a.offsets.begin(), a.offsets.begin() + 5);
  };
  const hone::deform_conv_options own = p.options;
  CHECK(slopes(own) == doubles{1, 1, -1, -1, -1});
  CHECK(slopes(hone::parity::torchvision_deform_conv(own)) == doubles{1, 1, -1, -1, 0});
  CHECK(slopes(hone::parity::mmcv_deform_conv(own)) == doubles{0, 1, -1, -1, 0});
}

/// All offsets 0: a convolution. The same sums in another order.
template <class Device>
void deform_conv_of_zero_offsets_convolves() {
  deform_conv_problem p = problem_of({2, 5, 6, 7, 4, {3, 3}, {2, 1}, {1, 0, 2, 1}, {1, 2}, {1, 1}, false});
  std::fill(p.offsets.begin(), p.offsets.end(), 0.0);
  const deform_conv_answer got = deform_conv_of<Device, float>(p);
  index wrong = 0;
  for (index n = 0; n < 2; ++n)
    for (index o = 0; o < 4; ++o)
      for (index y = 0; y < p.height; ++y)
        for (index x = 0; x < p.width; ++x) {
          double sum = p.bias[std::size_t(o)];
          for (index c = 0; c < 5; ++c)
            for (index i = 0; i < 3; ++i)
              for (index j = 0; j < 3; ++j) {
                const index v = 2 * y - 1 + i, u = x - 2 + 2 * j;
                if (v >= 0 && v < 6 && u >= 0 && u < 7)
                  sum += p.weight[std::size_t(((o * 5 + c) * 3 + i) * 3 + j)] *
                         p.input[std::size_t(((n * 5 + c) * 6 + v) * 7 + u)];
              }
          const double answer = got.output[std::size_t(((n * 4 + o) * p.height + y) * p.width + x)];
          wrong += !(std::abs(answer - sum) <= 1e-5);
        }
  CHECK(wrong == 0);
}

/// An infinite or very large offset is outside; NaN gives NaN in its own output pixel only, and nothing to the input.
template <class Device>
void deform_conv_of_offsets_that_are_no_positions() {
  constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  deform_conv_problem p = problem_of({1, 2, 1, 6, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, {1, 1}, true});
  p.offsets = {0, inf, -inf, 1e30, nan, 0, 0, 0, 0, 0, 0, nan};
  std::fill(p.mask.begin(), p.mask.end(), 1.0);
  std::fill(p.input.begin(), p.input.end(), 1.0);
  std::fill(p.gradient.begin(), p.gradient.end(), 1.0);
  p.weight = {1, 1}, p.bias = {0.5};
  const deform_conv_answer a = deform_conv_of<Device, float>(p);
  const auto check = [](doubles const& x, std::size_t first, double own) {
    CHECK(x[first] == own);
    for (std::size_t i = 1; i < 4; ++i) CHECK(x[first + i] == own - 2);
    for (std::size_t i = 4; i < 6; ++i) CHECK(std::isnan(x[first + i]));
  };
  check(a.output, 0, 2.5);
  check(a.mask, 0, 2);
  for (std::size_t i = 0; i < 12; ++i) CHECK(std::isnan(a.offsets[i]) == (i % 6 >= 4));
  for (std::size_t i = 1; i < 4; ++i) CHECK((a.offsets[i] == 0 && a.offsets[6 + i] == 0));
  CHECK(a.input == doubles{1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0});
  CHECK((std::isnan(a.weight[0]) && std::isnan(a.weight[1])));
}

/// Each gradient alone has the bits that it has with the others.
template <class Device>
void deform_conv_gradients_are_optional() {
  const deform_conv_problem p = problem_of(deform_conv_values[1].of);
  const deform_conv_answer all = deform_conv_of<Device, float>(p);
  const auto same = [&](const char* wanted, auto member) {
    CAPTURE(wanted);
    CHECK(deform_conv_of<Device, float>(p, wanted).*member == all.*member);
  };
  same("i", &deform_conv_answer::input);
  same("o", &deform_conv_answer::offsets);
  same("m", &deform_conv_answer::mask);
  same("w", &deform_conv_answer::weight);
  same("b", &deform_conv_answer::bias);
}

/// Without images the gradients of weight and bias are 0.
template <class Device>
void deform_conv_of_no_images() {
  const deform_conv_answer a =
      deform_conv_of<Device, float>(problem_of({0, 2, 3, 3, 2, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, {1, 1}, true}));
  CHECK(a.output.empty());
  CHECK(a.weight == doubles(2 * 2 * 9, 0.0));
  CHECK(a.bias == doubles{0, 0});
}

}  // namespace conformance
