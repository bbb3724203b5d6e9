// SPDX-License-Identifier: MIT
// A softmax over branches: dual numbers, conformance on the CPU, timm's numbers, threads, errors.
#include <hone/hone.hpp>

#include <conformance/branches.hpp>
#include <cpu/this_machine.hpp>
#include <structure/attention_values.hpp>
#include <structure/values_of.hpp>
#include <support/dual.hpp>
#include <support/message.hpp>

namespace {

namespace values = structure_values;
constexpr int images = values::images, channels = values::channels;
constexpr hone::index pixels = hone::index(values::height) * values::width;
const hone::cpu two(2);

template <std::size_t n, std::size_t m, std::size_t k>
void compare(int branches, int groups, double const (&y)[n], double const (&dx)[m], double const (&de)[k]) {
  const hone::index all = hone::index(branches) * channels;
  const auto x = values::numbers(1, hone::index(images) * all * pixels),
             dy = values::numbers(5, hone::index(images) * channels * pixels);
  auto e = values::numbers(3, images * all);
  for (double& number : e) number /= 4;
  std::vector<double> to(n, 99), by_x(m, 99), by_e(k, 99);
  const hone::image_view from{x.data(), images, all, pixels};
  const hone::matrix_view numbers{e.data(), images, all};
  hone::select_branches(two, from, numbers, hone::image_view{to.data(), images, channels, pixels}, {.groups = groups});
  CHECK(values::distance(to, y) < 1e-14);
  hone::select_branches_backward(two, from, numbers, {dy.data(), images, channels, pixels},
                                 hone::image_view{by_x.data(), images, all, pixels}, {by_e.data(), images, all},
                                 {.groups = groups});
  CHECK(values::distance(by_x, dx) < 1e-14);
  CHECK(values::distance(by_e, de) < 1e-13);
}

}  // namespace

TEST_CASE("the CPU passes the conformance cases of branches") { conformance::branches<on_this_machine>(); }

TEST_CASE("the softmax over branches has the derivatives of dual numbers") {
  for (int branches = 1; branches <= 8; ++branches)
    for (int by = 0; by < branches; ++by) {
      double w[8], s[8];
      support::dual e[8];
      support::dual sum(0);
      for (int b = 0; b < branches; ++b) {
        w[b] = double(b * 5 % 7) - 3, s[b] = double(b * 3 % 8) - 2.5;
        e[b] = support::dual(w[b], b == by ? 1 : 0);
      }
      hone::softmax_of_branches(e, branches);
      for (int b = 0; b < branches; ++b) sum = sum + e[b] * support::dual(s[b]);
      hone::softmax_of_branches(w, branches);
      hone::softmax_of_branches_backward(w, s, branches);
      CHECK(std::abs(s[by] - sum.d) < 1e-12);
    }
}

TEST_CASE("branches have the values and gradients of timm's selective kernels and split attention") {
  compare(2, 1, attention_values::selected_y, attention_values::selected_dx, attention_values::selected_de);
  compare(3, 1, attention_values::selected_3_y, attention_values::selected_3_dx, attention_values::selected_3_de);
  compare(2, 3, attention_values::split_y, attention_values::split_dx, attention_values::split_de);
}

// 8 MiB of output and more bypass the caches.
TEST_CASE("branches have the same bits for any number of threads, past the caches") {
  const hone::index n = 3, c = 201, p = 3999;
  std::vector<float> x(std::size_t(n * 2 * c * p)), e(std::size_t(n * 2 * c)), dy(std::size_t(n * c * p));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = float(support::noise(hone::index(i % 1009)));
  for (std::size_t i = 0; i < dy.size(); ++i) dy[i] = float(i % 7) - 3;
  for (std::size_t i = 0; i < e.size(); ++i) e[i] = float(i % 11) - 5;
  struct results {
    std::vector<float> y, dx, de;
    bool operator==(results const&) const = default;
  };
  const auto run = [&](int threads) {
    const hone::cpu cpu(threads);
    results to{std::vector<float>(dy.size(), 99), std::vector<float>(x.size(), 99), std::vector<float>(e.size(), 99)};
    const hone::image_view from{x.data(), n, 2 * c, p};
    hone::select_branches(cpu, from, {e.data(), n, 2 * c}, hone::image_view{to.y.data(), n, c, p});
    hone::select_branches_backward(cpu, from, {e.data(), n, 2 * c}, {dy.data(), n, c, p},
                                   hone::image_view{to.dx.data(), n, 2 * c, p}, {to.de.data(), n, 2 * c});
    return to;
  };
  const results one = run(1);
  CHECK(std::ranges::find(one.y, 99.0f) == one.y.end());
  CHECK(std::ranges::find(one.dx, 99.0f) == one.dx.end());
  for (const int threads : {2, 3, 8}) CHECK(run(threads) == one);
  for (const std::size_t i : {std::size_t(0), std::size_t(p * 200 + 77), dy.size() - 1}) {
    const std::size_t image = i / std::size_t(c * p), k = i / std::size_t(p) % std::size_t(c),
                      at = i + image * std::size_t(c * p), next = at + std::size_t(c * p);
    const std::size_t column = image * std::size_t(2 * c) + k;
    const double w = 1 / (1 + std::exp(double(e[column + std::size_t(c)]) - double(e[column])));
    CHECK(double(one.y[i]) == doctest::Approx(w * double(x[at]) + (1 - w) * double(x[next])).epsilon(1e-5));
    CHECK(double(one.dx[next]) == doctest::Approx((1 - w) * double(dy[i])).epsilon(1e-5));
  }
}

TEST_CASE("branches: invalid arguments throw, and nothing is written") {
  std::vector<float> x(64, 1), y(64, 7), e(16, 1), out(16, 7);
  using image = hone::image_view<float>;
  using matrix = hone::matrix_view<float>;
  const image good{x.data(), 2, 6, 4}, to{y.data(), 2, 3, 4};
  const matrix numbers{e.data(), 2, 6};
  const auto selects = [&](image from, matrix of_e, image o, hone::branch_selection_options options = {}) {
    return support::message([&] { hone::select_branches(two, from, of_e, o, options); });
  };
  CHECK(selects({x.data(), 2, 7, 4}, numbers, to) ==
        "select_branches: x is 2 x 7 x 4, y is 2 x 3 x 4: there must be whole branches");
  CHECK(selects({x.data(), 1, 6, 4}, numbers, to) ==
        "select_branches: x is 1 x 6 x 4, y is 2 x 3 x 4: there must be whole branches");
  CHECK(selects({x.data(), 1, 9, 4}, numbers, {y.data(), 1, 1, 4}) ==
        "select_branches: number of branches is 9, must be in [1, 8]");
  CHECK(selects({x.data(), 2, 2, 4}, numbers, to) ==
        "select_branches: x is 2 x 2 x 4, y is 2 x 3 x 4: there must be whole branches");
  CHECK(selects(good, {e.data(), 2, 3}, to) ==
        "select_branches: e is 2 x 3, must be 2 x 6: 2 branches of the 3 channels of y");
  CHECK(selects(good, numbers, to, {.groups = 2}) == "select_branches: groups is 2, must be a divisor of the channels");
  CHECK(selects(good, numbers, to, {.groups = 0}) == "select_branches: groups is 0, must be a divisor of the channels");
  CHECK(selects(good, numbers, {x.data() + 12, 2, 3, 4}) ==
        "select_branches: y and x overlap, y begins 48 bytes after x; they must be apart");
  CHECK(selects(good, {y.data(), 2, 6}, to) ==
        "select_branches: y and e overlap, y begins 0 bytes after e; they must be apart");
  const hone::image_view<const float> several[] = {{x.data(), 2, 3, 4}, {x.data() + 24, 2, 3, 3}};
  CHECK(support::message([&] { hone::select_branches(two, several, numbers, to); }) ==
        "select_branches: x is 2 x 3 x 3, y is 2 x 3 x 4");
  CHECK(support::message([&] {
          hone::select_branches(two, std::span<const hone::image_view<const float>>(), numbers, to);
        }) == "select_branches: number of branches is 0, must be in [1, 8]");

  std::vector<float> dy(24, 1), dx(48, 7);
  const auto back = [&](image d, matrix de) {
    return support::message([&] { hone::select_branches_backward(two, good, numbers, {dy.data(), 2, 3, 4}, d, de); });
  };
  const matrix answer{out.data(), 2, 6};
  CHECK(back({dx.data(), 2, 3, 4}, answer) == "select_branches_backward: dx has 1 branches, x has 2");
  CHECK(back({dx.data(), 2, 6, 4}, {out.data(), 2, 5}) ==
        "select_branches_backward: de is 2 x 5, must be 2 x 6: 2 branches of the 3 channels of dy");
  CHECK(back({dx.data(), 2, 6, 4}, {dx.data(), 2, 6}) ==
        "select_branches_backward: dx and de overlap, dx begins 0 bytes after de; they must be apart");
  CHECK(back({x.data() + 12, 2, 6, 4}, answer).substr(0, 43) == "select_branches_backward: dx and x overlap,");
  const hone::image_view<const float> from[] = {{x.data(), 2, 3, 4}, {x.data() + 24, 2, 3, 4}};
  const image crossed[] = {{x.data() + 24, 2, 3, 4}, {x.data(), 2, 3, 4}};
  CHECK(support::message([&] {
          hone::select_branches_backward(two, from, numbers, image{dy.data(), 2, 3, 4}, crossed, answer);
        }) == "select_branches_backward: dx and x overlap, dx begins 0 bytes after x; they must be apart");
  CHECK(y == std::vector<float>(64, 7));
  CHECK(out == std::vector<float>(16, 7));
  CHECK(dx == std::vector<float>(48, 7));
  CHECK(x == std::vector<float>(64, 1));
}
