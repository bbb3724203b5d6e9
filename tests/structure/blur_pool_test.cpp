// SPDX-License-Identifier: MIT
// Pools of planes on the CPU: conformance. Blur pool: timm's values and gradients, constants, threads, errors.
#include <hone/hone.hpp>

#include <conformance/pools.hpp>
#include <cpu/this_machine.hpp>
#include <structure/layers_values.hpp>
#include <structure/values_of.hpp>
#include <support/message.hpp>

namespace {

namespace values = layers_values;
using structure_values::distance, structure_values::numbers;
const hone::cpu two(2);

template <std::size_t n, std::size_t m>
void compare(std::size_t i, double const (&size)[2], double const (&y)[n], double const (&dx)[m]) {
  CAPTURE(i);
  double const* p = values::blurs + 4 * i;
  const hone::plane_size of{hone::index(p[0]), hone::index(p[1])};
  const hone::blur_pool_options options{hone::index(p[2]), hone::index(p[3])};
  const auto to = hone::blur_pool_size(of, options);
  CHECK((double(to.height) == size[0] && double(to.width) == size[1]));
  auto x = numbers(1, hone::index(m)), dy = numbers(5, hone::index(n));
  std::vector<double> seen(n, 99), gradient(m, 99);
  hone::blur_pool(two, {x.data(), 1, 2, of.height, of.width}, of,
                  hone::image_view{seen.data(), 1, 2, to.height, to.width}, options);
  CHECK(distance(seen, y) < 1e-15);
  hone::blur_pool_backward(two, {dy.data(), 1, 2, to.height, to.width}, of,
                           hone::image_view{gradient.data(), 1, 2, of.height, of.width}, options);
  CHECK(distance(gradient, dx) < 1e-15);
}

}  // namespace

TEST_CASE("the CPU passes the conformance cases of pools") { conformance::pools<on_this_machine>(); }

TEST_CASE("blur pools have the values and gradients of timm") {
  compare(0, values::blur_0_size, values::blur_0_y, values::blur_0_dx);
  compare(1, values::blur_1_size, values::blur_1_y, values::blur_1_dx);
  compare(2, values::blur_2_size, values::blur_2_y, values::blur_2_dx);
  compare(3, values::blur_3_size, values::blur_3_y, values::blur_3_dx);
  compare(4, values::blur_4_size, values::blur_4_y, values::blur_4_dx);
  compare(5, values::blur_5_size, values::blur_5_y, values::blur_5_dx);
  compare(6, values::blur_6_size, values::blur_6_y, values::blur_6_dx);
  compare(7, values::blur_7_size, values::blur_7_y, values::blur_7_dx);
  compare(8, values::blur_8_size, values::blur_8_y, values::blur_8_dx);
}

TEST_CASE_TEMPLATE("a blurred constant is the constant, and a gradient is neither lost nor made", T, float, Eigen::half,
                   Eigen::bfloat16) {
  const hone::plane_size size{13, 6}, to = hone::blur_pool_size(size);
  CHECK(to == hone::plane_size{7, 3});
  const hone::index large = hone::index(5) * 41 * 13 * 6, small = hone::index(5) * 41 * 7 * 3;
  std::vector<T> x(std::size_t(large), T(3.0f)), y(std::size_t(small), T(99.0f)), dx(x), again(x);
  hone::blur_pool(two, {x.data(), 5, 41, 13, 6}, size, hone::image_view{y.data(), 5, 41, 7, 3});
  for (const T v : y) CHECK(float(v) == 3);
  std::fill(y.begin(), y.end(), T(1.0f));
  const auto back = [&](int threads, std::vector<T>& to_x) {
    hone::blur_pool_backward(hone::cpu(threads), {y.data(), 5, 41, 7, 3}, size,
                             hone::image_view{to_x.data(), 5, 41, 13, 6});
  };
  back(1, dx);
  double sum = 0;
  for (const T v : dx) sum += double(float(v));
  CHECK(sum == double(small));  // the weights are fractions of a power of two
  for (const int threads : {2, 3, 8}) {
    back(threads, again);
    CHECK(again == dx);
  }
}

TEST_CASE("planes smaller than the padding are reflected more than once; those of one pixel are that pixel") {
  const std::vector<double> x{1, 5};
  double y = 99;
  hone::blur_pool(two, {x.data(), 1, 1, 1, 1}, {1, 1}, hone::image_view{&y, 1, 1, 1, 1}, {.size = 7, .stride = 1});
  CHECK(y == 1);
  std::vector<double> line(2, 99);
  hone::blur_pool(two, {x.data(), 1, 1, 1, 2}, {1, 2}, hone::image_view{line.data(), 1, 1, 1, 2},
                  {.size = 7, .stride = 1});  // 5 1 5 1 5 1 5 and 1 5 1 5 1 5 1
  CHECK(line == std::vector<double>{3, 3});
  hone::blur_pool(two, {x.data(), 1, 1, 1, 2}, {1, 2}, hone::image_view{line.data(), 1, 1, 1, 2},
                  {.size = 3, .stride = 1});
  CHECK(line == std::vector<double>{3, 3});
  CHECK(hone::blur_pool_size({1, 1}, {.size = 6, .stride = 1}) == hone::plane_size{1, 1});
}

TEST_CASE("blur pools: invalid arguments throw, and nothing is written") {
  std::vector<float> x(64, 1), y(64, 7);
  const auto said = [&](hone::image_view<float> from, hone::plane_size size, hone::image_view<float> to,
                        hone::blur_pool_options options = {}) {
    return support::message([&] { hone::blur_pool(two, from, size, to, options); });
  };
  const hone::image_view from{x.data(), 1, 2, 3, 5}, to{y.data(), 1, 2, 2, 3};
  CHECK(said(from, {5, 4}, to) == "blur_pool: x has 15 pixels, size is 5 x 4");
  CHECK(said(from, {3, 5}, {y.data(), 1, 3, 6}) == "blur_pool: y is 1 x 3 x 6, must be 1 x 2 x 6 (2 x 3)");
  CHECK(said(from, {3, 5}, {x.data() + 29, 1, 2, 6}) ==
        "blur_pool: y and x overlap, y begins 116 bytes after x; they must be apart");
  CHECK(said(from, {3, 5}, to, {.size = 0}) == "blur_pool: size is 0, must be in [1, 7]");
  CHECK(said(from, {3, 5}, to, {.size = 8}) == "blur_pool: size is 8, must be in [1, 7]");
  CHECK(said(from, {3, 5}, to, {.stride = 0}) == "blur_pool: stride is 0, must be in [1, 2^30)");
  CHECK(said(from, {0, 5}, to) == "blur_pool: height is 0, must be at least 1");
  CHECK(said(from, {3, hone::index(1) << 30}, to) == "blur_pool: width is 1073741824, must be less than 2^30");
  CHECK(support::message([&] { hone::blur_pool_backward(two, {x.data(), 1, 2, 5}, {3, 5}, to); }) ==
        "blur_pool_backward: dx has 6 pixels, size is 3 x 5");
  CHECK(y == std::vector<float>(64, 7));
}
