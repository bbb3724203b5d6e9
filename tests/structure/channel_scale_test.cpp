// SPDX-License-Identifier: MIT
// Layer scale and frozen batch normalisation on the CPU: conformance, timm's and torchvision's numbers, dual numbers,
// threads, errors.
#include <hone/hone.hpp>

#include <conformance/channel_scale.hpp>
#include <cpu/this_machine.hpp>
#include <structure/layers_values.hpp>
#include <structure/values_of.hpp>
#include <support/dual.hpp>
#include <support/message.hpp>

namespace {

namespace values = layers_values;
using structure_values::channels, structure_values::images, structure_values::height, structure_values::width;
using structure_values::distance, structure_values::numbers, structure_values::residuals;
constexpr hone::index pixels = hone::index(height) * width, all = hone::index(images) * channels * pixels;
const hone::cpu two(2);

hone::image_view<double> image(std::vector<double>& v) { return {v.data(), images, channels, height, width}; }
hone::matrix_view<double> rows(std::vector<double>& v) { return {v.data(), hone::index(images) * pixels, channels}; }

template <std::size_t n, std::size_t m>
void compare_norm(hone::activation_function f, double const (&y)[n], double const (&dx)[n], double const (&dscale)[m],
                  double const (&dshift)[m], double const (&dresidual)[n]) {
  CAPTURE(int(f));
  auto x = numbers(1, all), r = residuals(all), dy = numbers(5, all);
  const auto mean = numbers(8, channels), scale = numbers(10, channels), shift = numbers(11, channels);
  auto variance = numbers(9, channels);
  for (double& v : variance) v = std::abs(v);
  std::vector<double> to(n, 99), by_x(n, 99), by_r(n, 99), by_scale(m, 99), by_shift(m, 99);
  const hone::batch_norm_view<double> norm{mean, variance, scale, shift};
  hone::frozen_batch_norm(two, image(x), norm, image(to), {.residual = image(r), .activation = f});
  hone::frozen_batch_norm_backward(two, image(x), norm, image(dy), image(by_x), {by_scale, by_shift},
                                   {.residual = image(r), .activation = f, .dresidual = image(by_r)});
  CHECK(distance(to, y) < 1e-14);
  CHECK(distance(by_x, dx) < 1e-14);
  CHECK(distance(by_scale, dscale) < 1e-13);
  CHECK(distance(by_shift, dshift) < 1e-14);
  CHECK(distance(by_r, dresidual) < 1e-14);
}

}  // namespace

TEST_CASE("the CPU passes the conformance cases of channel scales") { conformance::channel_scales<on_this_machine>(); }

TEST_CASE("layer scale has the values and gradients of timm, on planes and on rows") {
  auto x = numbers(1, all), dy = numbers(5, all), r = residuals(all), rest = numbers(4, all);
  const auto gamma = numbers(3, channels);
  std::vector<double> y(std::size_t(all), 99), dx(y), dgamma(channels, 99);
  hone::layer_scale(two, image(x), gamma, image(y), {.residual = image(r)});
  hone::layer_scale_backward(two, image(x), gamma, image(dy), image(dx), dgamma);
  CHECK(distance(y, values::layer_scale_y) < 1e-15);
  CHECK(distance(dx, values::layer_scale_dx) < 1e-15);
  CHECK(distance(dgamma, values::layer_scale_dgamma) < 1e-14);
  hone::layer_scale(two, rows(x), gamma, rows(y), {.residual = rows(rest)});
  hone::layer_scale_backward(two, rows(x), gamma, rows(dy), rows(dx), dgamma);
  CHECK(distance(y, values::row_scale_y) < 1e-15);
  CHECK(distance(dx, values::row_scale_dx) < 1e-15);
  CHECK(distance(dgamma, values::row_scale_dgamma) < 1e-14);
}

TEST_CASE("layer scale starts as its paper says, and for 24 layers as timm") {
  CHECK((hone::layer_scale_start(1) == 0.1 && hone::layer_scale_start(18) == 0.1));
  CHECK((hone::layer_scale_start(19) == 1e-5 && hone::layer_scale_start(24) == values::layer_scale_initial[0]));
  CHECK(hone::layer_scale_start(36) == 1e-6);
  CHECK(support::message([] { hone::layer_scale_start(0); }) == "layer_scale_start: layers is 0, must be at least 1");
}

TEST_CASE("a frozen batch normalisation has the values and gradients of torchvision, with what is added to it") {
  CHECK(hone::batch_norm_view<float>().epsilon == values::frozen_epsilon[0]);
#define COMPARE(f)                                                                            \
  compare_norm(hone::activation_function::f, values::frozen_##f##_y, values::frozen_##f##_dx, \
               values::frozen_##f##_dscale, values::frozen_##f##_dshift, values::frozen_##f##_dresidual)
  COMPARE(none);
  COMPARE(relu);
  COMPARE(silu);
  COMPARE(hard_swish);
#undef COMPARE
}

// The gradients of one number: x and the residual are a plane of one pixel, dy is 1.
TEST_CASE("the gradients of a channel agree with dual numbers") {
  using support::dual;
  double worst = 0;
  for (const auto f : {hone::no_activation, hone::relu, hone::silu, hone::hard_swish})
    for (int k = 0; k < 50; ++k) {
      const double x = support::noise(k), mean = support::noise(k + 100), variance = std::exp(support::noise(k + 200)),
                   scale = support::noise(k + 300), shift = support::noise(k + 400), r = support::noise(k + 500),
                   epsilon = 1e-3, one = 1;
      double dx = 99, dscale = 99, dshift = 99, dr = 99;
      const auto plane = [](auto* p) { return hone::image_view{p, 1, 1, 1}; };
      hone::frozen_batch_norm_backward(two, plane(&x), {{&mean, 1}, {&variance, 1}, {&scale, 1}, {&shift, 1}, epsilon},
                                       plane(&one), plane(&dx), {{&dscale, 1}, {&dshift, 1}},
                                       {.residual = plane(&r), .activation = f, .dresidual = plane(&dr)});
      const double seen[] = {dx, dscale, dshift, dr};
      for (int by = 0; by < 4; ++by) {
        const auto number = [&](int i, double v) { return dual(v, i == by ? 1 : 0); };
        const auto of = hone::detail::batch_norm_affine(dual(mean), dual(variance), number(1, scale), number(2, shift),
                                                        dual(epsilon));
        const dual u = number(0, x) * of.scale + of.shift + number(3, r);
        double right = 0;
        hone::detail::with_formula(f, [&](auto formula) { right = formula(u).value.d; });
        worst = std::max(worst, std::abs(seen[by] - right) / (1 + std::abs(right)));
      }
    }
  CHECK(worst < 1e-12);
}

// Σ x g - mean Σ g would have lost these digits in float.
TEST_CASE("the gradient by a scale keeps its digits where the mean is large") {
  const hone::index n = 5000;
  std::vector<float> x(std::size_t(n), 4096), dy(x.size(), 1), dx(x.size());
  for (std::size_t i = 0; i < x.size(); i += 2) x[i] += 1.0f / 64;
  const std::vector<float> mean{4096}, variance{1}, scale{1}, shift{0};
  float dscale = 99;
  const auto plane = [&](auto& v) { return hone::image_view{v.data(), 1, 1, n}; };
  hone::frozen_batch_norm_backward(two, plane(x), {mean, variance, scale, shift, 0}, plane(dy), plane(dx),
                                   {{&dscale, 1}, {}});
  CHECK(dscale == 2500.0f / 64);
}

TEST_CASE("channels have the same bits for any number of threads, past the caches, on planes and on rows") {
  const hone::index n = 3, c = 401, p = 2999;
  const auto size = std::size_t(n * c * p);
  std::vector<float> x(size), dy(size), gamma(static_cast<std::size_t>(c));
  for (std::size_t i = 0; i < size; ++i) x[i] = float(support::noise(hone::index(i % 1009))), dy[i] = float(i % 7) - 3;
  for (std::size_t i = 0; i < gamma.size(); ++i) gamma[i] = float(i % 11) - 5;
  struct results {
    std::vector<float> y, dx, dgamma;
    bool operator==(results const&) const = default;
  };
  const auto run = [&](int threads, auto view) {
    const hone::cpu cpu(threads);
    results to{std::vector<float>(size, 99), std::vector<float>(size, 99), std::vector<float>(gamma.size(), 99)};
    hone::layer_scale(cpu, view(x), gamma, view(to.y), {.activation = hone::silu});
    hone::layer_scale_backward(cpu, view(x), gamma, view(dy), view(to.dx), to.dgamma, {.activation = hone::silu});
    return to;
  };
  const auto planes = [&](auto& v) { return hone::image_view{v.data(), n, c, p}; };
  const auto matrix = [&](auto& v) { return hone::matrix_view{v.data(), n * p, c}; };
  const results of_planes = run(1, planes), of_rows = run(1, matrix);
  CHECK(std::ranges::find(of_planes.y, 99.0f) == of_planes.y.end());
  for (const int threads : {2, 3, 8}) {
    CHECK(run(threads, planes) == of_planes);
    CHECK(run(threads, matrix) == of_rows);
  }
}

TEST_CASE("NaN and infinities stay in their numbers, and a derivative of 0 removes any dy") {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  std::vector<float> x{nan, inf, -inf, 1}, dy{1, 1, inf, 1}, y(4, 99), dx(4, 99), dgamma(4, 99);
  const std::vector<float> gamma{1, 2, 2, -1};
  const auto row = [](auto& v) { return hone::matrix_view{v.data(), 1, 4}; };
  hone::layer_scale(two, row(x), gamma, row(y), {.activation = hone::relu});
  hone::layer_scale_backward(two, row(x), gamma, row(dy), row(dx), dgamma, {.activation = hone::relu});
  CHECK((std::isnan(y[0]) && y[1] == inf && y[2] == 0 && y[3] == 0));
  CHECK((dx[1] == 2 && dx[2] == 0 && dx[3] == 0 && dgamma[3] == 0));
}

TEST_CASE("channel scales: invalid arguments throw, and nothing is written") {
  std::vector<float> x(64, 1), y(64, 7), dy(64, 1), gamma(3, 1), negative{1, -1, 1}, two_numbers(2, 1), out(3, 7);
  using image = hone::image_view<float>;
  const image good{x.data(), 2, 3, 4}, to{y.data(), 2, 3, 4};
  const auto said = [&](image from, std::span<float> g, image o, image residual = {}) {
    return support::message([&] { hone::layer_scale(two, from, g, o, {.residual = residual}); });
  };
  CHECK(said(good, two_numbers, to) == "layer_scale: gamma has 2 numbers, x has 3 channels");
  CHECK(said(good, gamma, {y.data(), 2, 3, 5}) == "layer_scale: y is 2 x 3 x 5, x is 2 x 3 x 4");
  CHECK(said(good, gamma, {x.data() + 4, 2, 3, 4}) ==
        "layer_scale: y and x overlap in part, y begins 16 bytes after x; they must be the same or apart");
  CHECK(said(good, gamma, to, {x.data(), 2, 4, 3}) == "layer_scale: residual is 2 x 4 x 3, x is 2 x 3 x 4");
  CHECK(said(good, std::span(y).first(3), to) ==
        "layer_scale: y and gamma overlap, y begins 0 bytes after gamma; they must be apart");
  CHECK(support::message([&] { hone::layer_scale(two, {x.data(), 4, 3}, gamma, hone::matrix_view{y.data(), 3, 4}); }) ==
        "layer_scale: y is 3 x 4, x is 4 x 3");
  const auto back = [&](image d, image dx, std::span<float> dgamma, image dresidual = {}) {
    return support::message(
        [&] { hone::layer_scale_backward(two, good, gamma, d, dx, dgamma, {.dresidual = dresidual}); });
  };
  const image given{dy.data(), 2, 3, 4};
  CHECK(back({dy.data(), 2, 3, 3}, to, out) == "layer_scale_backward: dy is 2 x 3 x 3, x is 2 x 3 x 4");
  CHECK(back(given, to, two_numbers) == "layer_scale_backward: dgamma has 2 numbers, x has 3 channels");
  CHECK(back(given, to, out, to) ==
        "layer_scale_backward: dresidual and dx overlap, dresidual begins 0 bytes after dx; they must be apart");
  CHECK(back(given, to, gamma) ==
        "layer_scale_backward: dgamma and gamma overlap, dgamma begins 0 bytes after gamma; they must be apart");
  const auto norm_said = [&](hone::batch_norm_view<float> norm) {
    return support::message([&] { hone::frozen_batch_norm(two, good, norm, to); });
  };
  CHECK(norm_said({gamma, gamma, gamma, two_numbers}) == "frozen_batch_norm: shift has 2 numbers, x has 3 channels");
  CHECK(norm_said({gamma, negative, gamma, gamma}) ==
        "frozen_batch_norm: variance is -1, must be at least 0, and positive and finite with epsilon");
  CHECK(norm_said({gamma, gamma, gamma, gamma, -1}) ==
        "frozen_batch_norm: epsilon is -1, must be finite and at least 0");
  CHECK(support::message([&] {
          hone::frozen_batch_norm_backward(two, good, {gamma, gamma, gamma, gamma}, given, to, {out, out});
        }) ==
        "frozen_batch_norm_backward: gradients.scale and gradients.shift overlap, gradients.scale begins 0 bytes "
        "after gradients.shift; they must be apart");
  CHECK(y == std::vector<float>(64, 7));
  CHECK(out == std::vector<float>(3, 7));
}
