// SPDX-License-Identifier: MIT
// Average pools: PyTorch's values and gradients at odd sizes, constants, 16-bit images, threads, errors.
#include <hone/hone.hpp>

#include <doctest/doctest.h>
#include <structure/values_of.hpp>
#include <support/message.hpp>

namespace {

namespace values = structure_values;
const hone::cpu two(2);

struct pool {
  hone::plane_size size;
  hone::average_pool_options options;
};
pool pool_of(std::size_t i) {
  double const* p = values::pools + 5 * i;
  return {{hone::index(p[0]), hone::index(p[1])}, {hone::index(p[2]), hone::index(p[3]), p[4] != 0}};
}

template <std::size_t n, std::size_t m>
void compare(std::size_t i, double const (&size)[2], double const (&y)[n], double const (&dx)[m]) {
  CAPTURE(i);
  const pool p = pool_of(i);
  const auto to = hone::average_pool_size(p.size, p.options);
  CHECK((double(to.height) == size[0] && double(to.width) == size[1]));
  auto x = values::numbers(1, hone::index(m)), dy = values::numbers(5, hone::index(n));
  std::vector<double> seen(n, 99), gradient(m, 99);
  hone::average_pool(two, {x.data(), 2, 3, p.size.height, p.size.width}, p.size,
                     hone::image_view{seen.data(), 2, 3, to.height, to.width}, p.options);
  CHECK(values::distance(seen, y) < 1e-15);
  hone::average_pool_backward(two, {dy.data(), 2, 3, to.height, to.width}, p.size,
                              hone::image_view{gradient.data(), 2, 3, p.size.height, p.size.width}, p.options);
  CHECK(values::distance(gradient, dx) < 1e-15);
}

}  // namespace

TEST_CASE("average pools have the values and gradients of PyTorch, in ceil mode too") {
  compare(0, values::pool_0_size, values::pool_0_y, values::pool_0_dx);
  compare(1, values::pool_1_size, values::pool_1_y, values::pool_1_dx);
  compare(2, values::pool_2_size, values::pool_2_y, values::pool_2_dx);
  compare(3, values::pool_3_size, values::pool_3_y, values::pool_3_dx);
  compare(4, values::pool_4_size, values::pool_4_y, values::pool_4_dx);
  compare(5, values::pool_5_size, values::pool_5_y, values::pool_5_dx);
  compare(6, values::pool_6_size, values::pool_6_y, values::pool_6_dx);
  compare(7, values::pool_7_size, values::pool_7_y, values::pool_7_dx);
  compare(8, values::pool_8_size, values::pool_8_y, values::pool_8_dx);
}

TEST_CASE_TEMPLATE("a pool of a constant is the constant: the padding is not counted", T, float, Eigen::half,
                   Eigen::bfloat16) {
  const hone::plane_size size{13, 6}, to = hone::average_pool_size(size, {.size = 3, .stride = 2});
  CHECK(to == hone::plane_size{6, 3});
  const hone::index large = hone::index(5) * 41 * 13 * 6, small = hone::index(5) * 41 * 6 * 3;
  std::vector<T> x(std::size_t(large), T(3.0f)), y(std::size_t(small), T(99.0f)), again(y), dx(x);
  hone::average_pool(hone::cpu(1), {x.data(), 5, 41, 13, 6}, size, hone::image_view{y.data(), 5, 41, 6, 3},
                     {.size = 3, .stride = 2});
  for (const T v : y) CHECK(float(v) == 3);
  for (const int threads : {2, 3, 8}) {
    hone::average_pool(hone::cpu(threads), {x.data(), 5, 41, 13, 6}, size, hone::image_view{again.data(), 5, 41, 6, 3},
                       {.size = 3, .stride = 2});
    CHECK(again == y);
  }
  std::fill(y.begin(), y.end(), T(1.0f));
  hone::average_pool_backward(two, {y.data(), 5, 41, 6, 3}, size, hone::image_view{dx.data(), 5, 41, 13, 6},
                              {.size = 3, .stride = 2});
  double sum = 0;
  for (const T v : dx) sum += double(float(v));
  CHECK(sum == doctest::Approx(double(small)).epsilon(2e-3));  // every window gives its gradient away
}

TEST_CASE("a plane smaller than the windows has one window in ceil mode") {
  CHECK(hone::average_pool_size({1, 1}) == hone::plane_size{1, 1});
  CHECK(hone::average_pool_size({1, 2}, {.size = 3, .stride = 1}) == hone::plane_size{1, 1});
  const double x = 5;
  double y = 99, dx = 99;
  hone::average_pool(two, {&x, 1, 1, 1, 1}, {1, 1}, hone::image_view{&y, 1, 1, 1, 1});
  hone::average_pool_backward(two, {&x, 1, 1, 1, 1}, {1, 1}, hone::image_view{&dx, 1, 1, 1, 1});
  CHECK((y == 5 && dx == 5));
  hone::average_pool(two, {&x, 0, 3, 4, 4}, {4, 4}, hone::image_view{&y, 0, 3, 2, 2});
  CHECK(y == 5);
}

TEST_CASE("average pools: invalid arguments throw, and nothing is written") {
  std::vector<float> x(64, 1), y(64, 7);
  const auto said = [&](hone::image_view<float> from, hone::plane_size size, hone::image_view<float> to,
                        hone::average_pool_options options = {}) {
    return support::message([&] { hone::average_pool(two, from, size, to, options); });
  };
  const hone::image_view from{x.data(), 1, 2, 3, 5}, to{y.data(), 1, 2, 2, 3};
  CHECK(said(from, {5, 4}, to) == "average_pool: x has 15 pixels, size is 5 x 4");
  CHECK(said(from, {15, 1}, to) == "average_pool: y is 1 x 2 x 6, must be 1 x 2 x 8 (8 x 1)");
  CHECK(said(from, {3, 5}, {y.data(), 1, 3, 6}) == "average_pool: y is 1 x 3 x 6, must be 1 x 2 x 6 (2 x 3)");
  CHECK(said(from, {3, 5}, {x.data() + 29, 1, 2, 6}) ==
        "average_pool: y and x overlap, y begins 116 bytes after x; they must be apart");
  CHECK(said(from, {3, 5}, to, {.size = 0}) == "average_pool: size is 0, must be in [1, 2^31)");
  CHECK(said(from, {3, 5}, to, {.stride = 0}) == "average_pool: stride is 0, must be in [1, 2^31)");
  CHECK(said(from, {3, 5}, to, {.size = 4, .ceil = false}) ==
        "average_pool: height is 3, must be at least the size of the windows, 4");
  CHECK(said(from, {0, 5}, to) == "average_pool: height is 0, must be at least 1");
  CHECK(support::message([] { hone::average_pool_size({2, -1}); }) ==
        "average_pool_size: width is -1, must be at least 1");
  CHECK(y == std::vector<float>(64, 7));
}
