// SPDX-License-Identifier: MIT
// Plane reduction and plane scale on the CPU: conformance, PyTorch's numbers, threads, stores past the caches, errors.
#include <hone/hone.hpp>

#include <conformance/planes.hpp>
#include <cpu/this_machine.hpp>
#include <structure/values_of.hpp>
#include <support/message.hpp>

namespace {

namespace values = structure_values;
using values::channels, values::images, values::height, values::width;
constexpr hone::index planes = hone::index(images) * channels, all = planes * height * width;
const hone::cpu two(2);

template <class Gate, std::size_t n, std::size_t m>
void compare(Gate gate, hone::activation_function f, double const (&y)[n], double const (&dx)[n], double const (&de)[m],
             double const (&dr)[n]) {
  const auto x = values::numbers(1, all), e = values::numbers(3, planes), r = values::residuals(all),
             dy = values::numbers(5, all);
  std::vector<double> to(n, 99), by_x(n, 99), by_e(m, 99), by_r(n, 99);
  const auto image = [](auto& v) { return hone::image_view{v.data(), images, channels, height, width}; };
  const auto matrix = [](auto& v) { return hone::matrix_view{v.data(), images, channels}; };
  hone::scale_planes(two, gate, image(x), matrix(e), image(to), {.residual = image(r), .activation = f});
  hone::scale_planes_backward(two, gate, image(x), matrix(e), image(dy), image(by_x), matrix(by_e),
                              {.residual = image(r), .activation = f, .dresidual = image(by_r)});
  CHECK(values::distance(to, y) < 1e-14);
  CHECK(values::distance(by_x, dx) < 1e-14);
  CHECK(values::distance(by_e, de) < 1e-14);
  CHECK(values::distance(by_r, dr) < 1e-14);
}

}  // namespace

TEST_CASE("the CPU passes the conformance cases of planes") { conformance::planes<on_this_machine>(); }

TEST_CASE("plane scale has the values and gradients of PyTorch") {
#define COMPARE(gate, f)                                                                                    \
  compare(hone::gate##_gate, hone::activation_function::f, values::gate##_##f##_y, values::gate##_##f##_dx, \
          values::gate##_##f##_de, values::gate##_##f##_dresidual)
  COMPARE(identity, none);
  COMPARE(identity, relu);
  COMPARE(identity, silu);
  COMPARE(identity, hard_swish);
  COMPARE(sigmoid, none);
  COMPARE(sigmoid, relu);
  COMPARE(sigmoid, silu);
  COMPARE(sigmoid, hard_swish);
  COMPARE(hard_sigmoid, none);
  COMPARE(hard_sigmoid, relu);
  COMPARE(hard_sigmoid, silu);
  COMPARE(hard_sigmoid, hard_swish);
#undef COMPARE
}

TEST_CASE("plane reductions have the values and gradients of PyTorch") {
  const auto x = values::numbers(1, all), dout = values::numbers(2, planes);
  std::vector<double> out(std::size_t(planes), 99), dx(std::size_t(all), 99);
  const hone::image_view from{x.data(), images, channels, height, width};
  const hone::image_view to{dx.data(), images, channels, height, width};
  const hone::matrix_view numbers{out.data(), images, channels}, gradient{out.data(), images, channels};
  const hone::matrix_view given{dout.data(), images, channels};
  hone::reduce_planes(two, hone::plane_mean, from, numbers);
  CHECK(values::distance(out, values::mean) < 1e-14);
  hone::reduce_planes(two, hone::plane_max, from, numbers);
  CHECK(values::distance(out, values::max) == 0);
  hone::reduce_planes_backward(two, hone::plane_mean, {}, given, to);
  CHECK(values::distance(dx, values::mean_dx) < 1e-14);
  hone::reduce_planes_backward(two, hone::plane_max, from, given, to);
  CHECK(values::distance(dx, values::max_dx) == 0);
}

// 8 MiB of output and more bypass the caches: 14 MB here, with rows of planes that no pack divides.
TEST_CASE("planes have the same bits for any number of threads, past the caches, in place, and at any address") {
  const hone::index n = 3, c = 401, pixels = 2999;
  const auto size = std::size_t(n * c * pixels), numbers = std::size_t(n * c);
  std::vector<float> x(size + 1), r(size), dy(size), e(numbers);
  for (std::size_t i = 0; i < size; ++i)
    x[i] = float(support::noise(hone::index(i % 1009))), r[i] = float(i % 13) - 6, dy[i] = float(i % 7) - 3;
  for (std::size_t i = 0; i < numbers; ++i) e[i] = float(i % 11) - 5;
  struct results {
    std::vector<float> y, dx, dr, de, mean;
    bool operator==(results const&) const = default;
  };
  const auto image = [&](auto* p) { return hone::image_view{p, n, c, pixels}; };
  const auto run = [&](int threads, std::size_t shift) {
    const hone::cpu cpu(threads);
    results to{std::vector<float>(size + shift, 99), std::vector<float>(size, 99), std::vector<float>(size, 99),
               std::vector<float>(numbers, 99), std::vector<float>(numbers, 99)};
    hone::scale_planes(cpu, hone::sigmoid_gate, image(x.data()), {e.data(), n, c}, image(to.y.data() + shift),
                       {.residual = image(r.data()), .activation = hone::silu});
    hone::scale_planes_backward(
        cpu, hone::sigmoid_gate, image(x.data()), {e.data(), n, c}, image(dy.data()), image(to.dx.data()),
        {to.de.data(), n, c},
        {.residual = image(r.data()), .activation = hone::silu, .dresidual = image(to.dr.data())});
    hone::reduce_planes(cpu, hone::plane_mean, image(x.data()), {to.mean.data(), n, c});
    to.y.erase(to.y.begin(), to.y.begin() + std::ptrdiff_t(shift));
    return to;
  };
  const results one = run(1, 0);
  CHECK(std::ranges::find(one.y, 99.0f) == one.y.end());
  for (const int threads : {2, 3, 8}) CHECK(run(threads, 0) == one);
  CHECK(run(2, 1) == one);
  std::vector<float> place = x;
  hone::scale_planes(two, hone::sigmoid_gate, image(place.data()), {e.data(), n, c}, image(place.data()),
                     {.residual = image(r.data()), .activation = hone::silu});
  place.resize(size);
  CHECK(place == one.y);
  for (const hone::index k : {hone::index(0), hone::index(2998), hone::index(2048 * 501), hone::index(size) - 1}) {
    const auto i = std::size_t(k);
    const double p = 1 / (1 + std::exp(-double(e[i / std::size_t(pixels)]))), u = double(x[i]) * p + double(r[i]);
    CHECK(double(one.y[i]) == doctest::Approx(u / (1 + std::exp(-u))).epsilon(1e-5));
  }
}

TEST_CASE("numbers of planes lie in rows with a stride, and what is between is left alone") {
  const hone::index n = 2, c = 3, pixels = 5, stride = 7;
  std::vector<float> x(30, 1), y(30, 99), e(std::size_t(n * stride), 99), de(e);
  for (const std::size_t i : {0u, 1u, 2u, 7u, 8u, 9u}) e[i] = float(i);
  const hone::image_view from{x.data(), n, c, pixels};
  hone::scale_planes(two, hone::identity_gate, from, {e.data(), n, c, stride},
                     hone::image_view{y.data(), n, c, pixels});
  for (std::size_t i = 0; i < 30; ++i) CHECK(y[i] == e[i / 15 * 7 + i % 15 / 5]);
  hone::reduce_planes(two, hone::plane_mean, hone::image_view{y.data(), n, c, pixels}, {de.data(), n, c, stride});
  CHECK(de == e);
}

TEST_CASE("planes: invalid arguments throw, and nothing is written") {
  std::vector<float> x(64, 1), y(64, 7), e(16, 1), out(16, 7);
  using image = hone::image_view<float>;
  using matrix = hone::matrix_view<float>;
  const image good{x.data(), 2, 3, 4}, to{y.data(), 2, 3, 4};
  const matrix numbers{e.data(), 2, 3}, answer{out.data(), 2, 3};
  const auto reduces = [&](image from, matrix o) {
    return support::message([&] { hone::reduce_planes(two, hone::plane_mean, from, o); });
  };
  CHECK(reduces(good, {out.data(), 3, 2}) == "reduce_planes: out is 3 x 2, x has 2 x 3 planes");
  CHECK(reduces({x.data(), 2, 3, 0}, answer) == "reduce_planes: x is 2 x 3 x 0, planes must have pixels");
  CHECK(reduces({x.data(), -2, 3, 4}, answer) == "reduce_planes: x is -2 x 3 x 4, sizes must not be negative");
  CHECK(reduces({static_cast<float*>(nullptr), 2, 3, 4}, answer) == "reduce_planes: x is 2 x 3 x 4 but has no data");
  CHECK(reduces(good, {static_cast<float*>(nullptr), 2, 3}) == "reduce_planes: out is 2 x 3 but has no data");
  CHECK(reduces(good, {x.data() + 23, 2, 3}) ==
        "reduce_planes: out and x overlap, out begins 92 bytes after x; they must be apart");
  const auto spreads = [&](image from, matrix d, image o) {
    return support::message([&] { hone::reduce_planes_backward(two, hone::plane_max, from, d, o); });
  };
  CHECK(spreads({x.data(), 2, 3, 5}, numbers, to) == "reduce_planes_backward: x is 2 x 3 x 5, dx is 2 x 3 x 4");
  CHECK(spreads(good, {e.data(), 2, 4}, to) == "reduce_planes_backward: dout is 2 x 4, dx has 2 x 3 planes");
  CHECK(spreads(good, numbers, {x.data() + 1, 2, 3, 4}) ==
        "reduce_planes_backward: dx and x overlap in part, dx begins 4 bytes after x; they must be the same or apart");
  CHECK(spreads({}, numbers, to) == "reduce_planes_backward: x is 0 x 0 x 0, dx is 2 x 3 x 4");

  const auto scales = [&](image from, matrix g, image o, hone::plane_scale_options<float> options = {}) {
    return support::message([&] { hone::scale_planes(two, hone::sigmoid_gate, from, g, o, options); });
  };
  CHECK(scales(good, {e.data(), 2, 4}, to) == "scale_planes: e is 2 x 4, x has 2 x 3 planes");
  CHECK(scales(good, {e.data(), 2, 1}, to) == "scale_planes: e is 2 x 1, x has 2 x 3 planes");
  CHECK(scales(good, numbers, {y.data(), 2, 3, 5}) == "scale_planes: y is 2 x 3 x 5, x is 2 x 3 x 4");
  CHECK(scales(good, numbers, {x.data() + 4, 2, 3, 4}) ==
        "scale_planes: y and x overlap in part, y begins 16 bytes after x; they must be the same or apart");
  CHECK(scales(good, numbers, to, {.residual = image{x.data(), 2, 4, 3}}) ==
        "scale_planes: residual is 2 x 4 x 3, x is 2 x 3 x 4");
  CHECK(
      scales(good, numbers, to, {.residual = image{y.data() + 1, 2, 3, 4}}) ==
      "scale_planes: y and residual overlap in part, y begins -4 bytes after residual; they must be the same or apart");
  CHECK(scales(good, {y.data() + 3, 2, 3}, to) ==
        "scale_planes: y and e overlap, y begins -12 bytes after e; they must be apart");
  CHECK(scales(good, numbers, to, {.activation = hone::activation_function(9)}) ==
        "scale_planes: activation is 9, must be no_activation, relu, silu or hard_swish");

  std::vector<float> dy(64, 1);
  const image given{dy.data(), 2, 3, 4};
  const auto back = [&](image d, image dx, matrix de, hone::plane_scale_backward_options<float> options = {}) {
    return support::message(
        [&] { hone::scale_planes_backward(two, hone::sigmoid_gate, good, numbers, d, dx, de, options); });
  };
  CHECK(back({dy.data(), 2, 3, 3}, to, answer) == "scale_planes_backward: dy is 2 x 3 x 3, x is 2 x 3 x 4");
  CHECK(back(given, {y.data(), 1, 3, 4}, answer) == "scale_planes_backward: dx is 1 x 3 x 4, x is 2 x 3 x 4");
  CHECK(back(given, to, {out.data(), 1, 3}) == "scale_planes_backward: de is 1 x 3, x has 2 x 3 planes");
  CHECK(back(given, to, answer, {.dresidual = to}) ==
        "scale_planes_backward: dresidual and dx overlap, dresidual begins 0 bytes after dx; they must be apart");
  CHECK(back(given, to, answer, {.added = matrix{e.data(), 3, 2}}) ==
        "scale_planes_backward: added is 3 x 2, x has 2 x 3 planes");
  CHECK(back(given, to, {dy.data(), 2, 3}) ==
        "scale_planes_backward: de and dy overlap, de begins 0 bytes after dy; they must be apart");
  CHECK(y == std::vector<float>(64, 7));
  CHECK(out == std::vector<float>(16, 7));
}
