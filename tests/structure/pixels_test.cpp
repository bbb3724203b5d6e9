// SPDX-License-Identifier: MIT
// Pixel reduction and pixel scale on the CPU, and both reductions of planes in one sweep: conformance, PyTorch's
// numbers, threads, stores past the caches, errors.
#include <hone/hone.hpp>

#include <conformance/pixels.hpp>
#include <cpu/this_machine.hpp>
#include <structure/attention_values.hpp>
#include <structure/values_of.hpp>
#include <support/message.hpp>

namespace {

namespace values = structure_values;
using values::channels, values::images, values::height, values::width;
constexpr hone::index pixels = hone::index(height) * width, all = hone::index(images) * channels * pixels;
const hone::cpu two(2);

auto image_of(std::vector<double>& v) { return hone::image_view{v.data(), images, channels, pixels}; }

}  // namespace

TEST_CASE("the CPU passes the conformance cases of pixels") { conformance::pixels<on_this_machine>(); }

TEST_CASE("pixel reductions and pixel scale have the values and gradients of PyTorch") {
  auto x = values::numbers(1, all), dout = values::numbers(2, hone::index(2) * images * pixels),
       dy = values::numbers(5, all), e = values::numbers(3, images * pixels), r = values::residuals(all);
  std::vector<double> out(dout.size(), 99), first(e.size(), 99), dx(x), y(x), de(e), dr(x);
  hone::reduce_pixels(two, image_of(x), {out.data(), images, 2, pixels}, {first.data(), images, pixels});
  CHECK(values::distance(out, attention_values::reduced) < 1e-14);
  hone::reduce_pixels_backward(two, {dout.data(), images, 2, pixels}, {first.data(), images, pixels}, image_of(dx));
  CHECK(values::distance(dx, attention_values::reduced_dx) < 1e-14);
  const hone::matrix_view numbers{e.data(), images, pixels}, by{de.data(), images, pixels};
  hone::scale_pixels(two, hone::sigmoid_gate, image_of(x), numbers, image_of(y),
                     {.residual = image_of(r), .activation = hone::silu});
  CHECK(values::distance(y, attention_values::scaled_y) < 1e-14);
  hone::scale_pixels_backward(two, hone::sigmoid_gate, image_of(x), numbers, image_of(dy), image_of(dx), by,
                              {.residual = image_of(r), .activation = hone::silu, .dresidual = image_of(dr)});
  CHECK(values::distance(dx, attention_values::scaled_dx) < 1e-14);
  CHECK(values::distance(de, attention_values::scaled_de) < 1e-14);
  CHECK(values::distance(dr, attention_values::scaled_dresidual) < 1e-14);
}

// 8 MiB of output and more bypass the caches.
TEST_CASE("pixels have the same bits for any number of threads, past the caches, in place, and at any address") {
  const hone::index n = 2, c = 401, p = 2999;
  const auto size = std::size_t(n * c * p), numbers = std::size_t(n * p);
  std::vector<float> x(size + 1), r(size), dy(size), e(numbers);
  for (std::size_t i = 0; i < size; ++i)
    x[i] = float(support::noise(hone::index(i % 1009))), r[i] = float(i % 13) - 6, dy[i] = float(i % 7) - 3;
  for (std::size_t i = 0; i < numbers; ++i) e[i] = float(i % 11) - 5;
  const auto image = [&](auto* v) { return hone::image_view{v, n, c, p}; };
  struct results {
    std::vector<float> y, dx, dr, de, reduced, first;
    bool operator==(results const&) const = default;
  };
  const auto run = [&](int threads, std::size_t shift) {
    const hone::cpu cpu(threads);
    results to{std::vector<float>(size + shift, 99), std::vector<float>(size, 99),    std::vector<float>(size, 99),
               std::vector<float>(numbers, 99),      std::vector<float>(2 * numbers), std::vector<float>(numbers)};
    hone::scale_pixels(cpu, hone::sigmoid_gate, image(x.data()), {e.data(), n, p}, image(to.y.data() + shift),
                       {.residual = image(r.data()), .activation = hone::silu});
    hone::scale_pixels_backward(
        cpu, hone::sigmoid_gate, image(x.data()), {e.data(), n, p}, image(dy.data()), image(to.dx.data()),
        {to.de.data(), n, p},
        {.residual = image(r.data()), .activation = hone::silu, .dresidual = image(to.dr.data())});
    hone::reduce_pixels(cpu, image(x.data()), {to.reduced.data(), n, 2, p}, {to.first.data(), n, p});
    to.y.erase(to.y.begin(), to.y.begin() + std::ptrdiff_t(shift));
    return to;
  };
  const results one = run(1, 0);
  CHECK(std::ranges::find(one.y, 99.0f) == one.y.end());
  for (const int threads : {2, 3, 8}) CHECK(run(threads, 0) == one);
  CHECK(run(2, 1) == one);
  std::vector<float> place = x;
  hone::scale_pixels(two, hone::sigmoid_gate, image(place.data()), {e.data(), n, p}, image(place.data()),
                     {.residual = image(r.data()), .activation = hone::silu});
  place.resize(size);
  CHECK(place == one.y);
  for (const std::size_t i : {std::size_t(0), std::size_t(2998), size / 2 + 17, size - 1}) {
    const std::size_t pixel = i / std::size_t(c * p) * std::size_t(p) + i % std::size_t(p);
    const double u = double(x[i]) / (1 + std::exp(-double(e[pixel]))) + double(r[i]);
    CHECK(double(one.y[i]) == doctest::Approx(u / (1 + std::exp(-u))).epsilon(1e-5));
  }
}

TEST_CASE("means and maxima of planes in one sweep are those of two sweeps") {
  const hone::index n = 3, c = 5, p = 4099;
  std::vector<float> x(std::size_t(n * c * p)), both(std::size_t(n * 2 * c)), once(std::size_t(n * c)), dx(x),
      dboth(both);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = float(support::noise(hone::index(i)));
  x[std::size_t(p)] = std::nanf(""), x[std::size_t(2 * p) + 9] = -std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < dboth.size(); ++i) dboth[i] = float(i) + 1;
  const hone::image_view from{x.data(), n, c, p}, to{dx.data(), n, c, p};
  const hone::matrix_view squeezed{both.data(), n, 2 * c};
  hone::reduce_planes(two, hone::plane_mean_and_max, from, squeezed);
  const auto half_is = [&](int half) {
    bool same = true;
    for (hone::index i = 0; i < n; ++i)
      same =
          same && support::same_bytes(squeezed.row(i) + half * c, once.data() + i * c, std::size_t(c) * sizeof(float));
    return same;
  };
  hone::reduce_planes(two, hone::plane_mean, from, {once.data(), n, c});
  CHECK(half_is(0));
  hone::reduce_planes(two, hone::plane_max, from, {once.data(), n, c});
  CHECK(half_is(1));
  hone::reduce_planes_backward(two, hone::plane_mean_and_max, from, {dboth.data(), n, 2 * c}, to);
  std::vector<float> of_mean(x.size()), of_max(x.size());
  hone::reduce_planes_backward(two, hone::plane_mean, {}, {dboth.data(), n, c, 2 * c},
                               hone::image_view{of_mean.data(), n, c, p});
  hone::reduce_planes_backward(two, hone::plane_max, from, {dboth.data() + c, n, c, 2 * c},
                               hone::image_view{of_max.data(), n, c, p});
  hone::index wrong = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    wrong += !(std::abs(dx[i] - (of_mean[i] + of_max[i])) <= 1e-6f * std::abs(dx[i]));
  CHECK(wrong == 0);
  CHECK(dx[std::size_t(p)] == doctest::Approx(double(dboth[6])).epsilon(1e-3));                       // the NaN's
  hone::reduce_planes_backward(two, hone::plane_mean_and_max, from, {dboth.data(), n, 2 * c}, from);  // in place
  CHECK(x == dx);
}

TEST_CASE("pixels: invalid arguments throw, and nothing is written") {
  std::vector<float> x(64, 1), y(64, 7), e(16, 1), out(32, 7);
  using image = hone::image_view<float>;
  using matrix = hone::matrix_view<float>;
  const image good{x.data(), 2, 3, 4}, to{y.data(), 2, 3, 4}, reduced{out.data(), 2, 2, 4};
  const matrix numbers{e.data(), 2, 4}, answer{out.data(), 2, 4};
  const auto reduces = [&](image from, image o, matrix first = {}) {
    return support::message([&] { hone::reduce_pixels(two, from, o, first); });
  };
  CHECK(reduces(good, {out.data(), 2, 3, 4}) == "reduce_pixels: out is 2 x 3 x 4, must be 2 x 2 x 4 as x is 2 x 3 x 4");
  CHECK(reduces(good, {out.data(), 2, 2, 3}) == "reduce_pixels: out is 2 x 2 x 3, must be 2 x 2 x 4 as x is 2 x 3 x 4");
  CHECK(reduces({x.data(), 2, 0, 4}, reduced) == "reduce_pixels: x has 0 channels, must have 1 to 2^24");
  CHECK(reduces(good, reduced, {e.data(), 2, 3}) == "reduce_pixels: first is 2 x 3, x has 2 images of 4 pixels");
  CHECK(reduces(good, {x.data() + 8, 2, 2, 4}) ==
        "reduce_pixels: out and x overlap, out begins 32 bytes after x; they must be apart");
  CHECK(reduces(good, reduced, answer) ==
        "reduce_pixels: first and out overlap, first begins 0 bytes after out; they must be apart");
  CHECK(support::message([&] { hone::reduce_pixels_backward(two, reduced, {e.data(), 1, 4}, to); }) ==
        "reduce_pixels_backward: first is 1 x 4, dx has 2 images of 4 pixels");
  CHECK(support::message([&] { hone::reduce_pixels_backward(two, {y.data(), 2, 2, 4}, numbers, to); }) ==
        "reduce_pixels_backward: dx and dout overlap, dx begins 0 bytes after dout; they must be apart");
  CHECK(support::message([&] { hone::reduce_planes(two, hone::plane_mean_and_max, good, {out.data(), 2, 3}); }) ==
        "reduce_planes: out is 2 x 3, must be 2 x 6: two numbers per plane of x");
  CHECK(support::message([&] {
          hone::reduce_planes_backward(two, hone::plane_mean_and_max, {}, {out.data(), 2, 6}, to);
        }) == "reduce_planes_backward: x is 0 x 0 x 0, dx is 2 x 3 x 4");

  const auto scales = [&](image from, matrix g, image o, hone::plane_scale_options<float> options = {}) {
    return support::message([&] { hone::scale_pixels(two, hone::sigmoid_gate, from, g, o, options); });
  };
  CHECK(scales(good, {e.data(), 2, 3}, to) == "scale_pixels: e is 2 x 3, x has 2 images of 4 pixels");
  CHECK(scales(good, {e.data(), 2, 12}, to) ==  // a gate with a number per channel in place of one
        "scale_pixels: e is 2 x 12, x has 2 images of 4 pixels");
  CHECK(scales(good, numbers, {y.data(), 2, 3, 5}) == "scale_pixels: y is 2 x 3 x 5, x is 2 x 3 x 4");
  CHECK(scales(good, numbers, {x.data() + 4, 2, 3, 4}) ==
        "scale_pixels: y and x overlap in part, y begins 16 bytes after x; they must be the same or apart");
  CHECK(scales(good, numbers, to, {.residual = image{x.data(), 2, 4, 3}}) ==
        "scale_pixels: residual is 2 x 4 x 3, x is 2 x 3 x 4");
  CHECK(scales(good, numbers, to, {.activation = hone::activation_function(9)}) ==
        "scale_pixels: activation is 9, must be no_activation, relu, silu or hard_swish");

  std::vector<float> dy(64, 1);
  const auto back = [&](image dx, matrix de, hone::pixel_scale_backward_options<float> options = {}) {
    return support::message([&] {
      hone::scale_pixels_backward(two, hone::sigmoid_gate, good, numbers, image{dy.data(), 2, 3, 4}, dx, de, options);
    });
  };
  CHECK(back({y.data(), 1, 3, 4}, answer) == "scale_pixels_backward: dx is 1 x 3 x 4, x is 2 x 3 x 4");
  CHECK(back(to, {out.data(), 2, 3}) == "scale_pixels_backward: de is 2 x 3, x has 2 images of 4 pixels");
  CHECK(back(to, answer, {.dreduced = image{out.data() + 8, 2, 1, 4}}) ==
        "scale_pixels_backward: dreduced is 2 x 1 x 4, must be 2 x 2 x 4 as x is 2 x 3 x 4");
  CHECK(back(to, answer, {.dreduced = image{dy.data(), 2, 2, 4}}) ==
        "scale_pixels_backward: first is 0 x 0, x has 2 images of 4 pixels");
  CHECK(back(to, {dy.data(), 2, 4}) ==
        "scale_pixels_backward: de and dy overlap, de begins 0 bytes after dy; they must be apart");
  CHECK(back(to, answer, {.dresidual = to}) ==
        "scale_pixels_backward: dresidual and dx overlap, dresidual begins 0 bytes after dx; they must be apart");
  CHECK(y == std::vector<float>(64, 7));
  CHECK(out == std::vector<float>(32, 7));
}
