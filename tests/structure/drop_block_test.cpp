// SPDX-License-Identifier: MIT
// Drop block: gamma as in the paper, blocks inside the plane, its draws, its factors, its application.
#include <hone/hone.hpp>

#include <conformance/drop_block.hpp>
#include <cpu/this_machine.hpp>
#include <support/message.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace {

struct drawn {
  std::vector<std::uint8_t> mask;
  std::vector<float> factors;

  bool operator==(drawn const&) const = default;
};

drawn draw(hone::drop_block const& policy, hone::plane_size size, hone::index n, hone::index c, hone::index seed = 1,
           hone::index step = 2, hone::index branch = 3, int threads = 2) {
  drawn d{std::vector<std::uint8_t>(std::size_t(n * c * size.height * size.width), 9),
          std::vector<float>(std::size_t(n), 99)};
  hone::draw_blocks(hone::cpu(threads), policy, seed, step, branch, size,
                    hone::image_view{d.mask.data(), n, c, size.height, size.width}, std::span(d.factors));
  return d;
}

double dropped(std::vector<std::uint8_t> const& mask) {
  return double(std::count(mask.begin(), mask.end(), 0)) / double(mask.size());
}

}  // namespace

TEST_CASE("the CPU passes the conformance cases of drop block") { conformance::drop_blocks<on_this_machine>(); }

TEST_CASE("gamma is that of the paper") {
  const hone::drop_block policy{.rate = 0.1, .size = 7};
  CHECK(policy.gamma({56, 56}) == doctest::Approx(0.1 / 49 * 56 * 56 / (50.0 * 50)).epsilon(1e-15));
  CHECK(policy.gamma({28, 14}) == doctest::Approx(0.1 / 49 * 28 * 14 / (22.0 * 8)).epsilon(1e-15));
  CHECK((policy.block({5, 9}) == hone::plane_size{5, 7}));
  CHECK(policy.gamma({5, 9}) == doctest::Approx(0.1 / 35 * 45 / 3.0).epsilon(1e-15));  // a side that is too long is cut
  CHECK(policy.gamma({7, 3}) == doctest::Approx(0.1).epsilon(1e-15));                  // the plane as a whole
  CHECK((hone::drop_block{.rate = 1}.gamma({56, 56}) == 1 && hone::drop_block{.rate = 0}.gamma({56, 56}) == 0));
}

// The expectation of the paper's process, and not rate itself: a number is dropped unless no block that has it begins.
TEST_CASE("as many numbers are dropped as blocks that lie inside the plane with probability gamma would drop") {
  struct test_case {
    hone::drop_block policy;
    hone::plane_size size;
  };
  for (auto const& [policy, size] : {test_case{{.rate = 0.1, .size = 7}, {20, 30}},
                                     {{.rate = 0.3, .size = 4}, {9, 9}},
                                     {{.rate = 0.5, .size = 1}, {6, 7}},
                                     {{.rate = 0.2, .size = 5}, {5, 8}},
                                     {{.rate = 0.25, .size = 9}, {4, 3}}}) {
    const hone::plane_size b = policy.block(size);
    const double gamma = policy.gamma(size);
    double expected = 0;
    for (hone::index i = 0; i < size.height; ++i)
      for (hone::index j = 0; j < size.width; ++j) {
        const hone::index rows = std::min(i, size.height - b.height) - std::max<hone::index>(0, i - b.height + 1) + 1,
                          columns = std::min(j, size.width - b.width) - std::max<hone::index>(0, j - b.width + 1) + 1;
        expected += 1 - std::pow(1 - gamma, double(rows * columns));
      }
    expected /= double(size.height * size.width);
    const auto d = draw(policy, size, 40, 50);
    const double blocks = 2000 * double(size.height * size.width) / double(b.height * b.width);  // about independent
    CAPTURE(expected);
    CHECK(std::abs(dropped(d.mask) - expected) < 5 * std::sqrt(expected * (1 - expected) / blocks) + 1e-3);
  }
}

// A mask that blocks cut at the border would leave is found: there, dropped numbers would be in no full block.
TEST_CASE("every dropped number is in a block that lies inside the plane and is dropped as a whole") {
  const hone::plane_size size{13, 11};
  for (const hone::index b : {1, 2, 3, 6, 11}) {
    const auto d = draw({.rate = 0.4, .size = b}, size, 8, 8);
    std::size_t alone = 0;
    for (std::size_t p = 0; p < 64; ++p) {
      const auto kept = [&](hone::index i, hone::index j) {
        return d.mask[p * 143 + std::size_t(i * size.width + j)] != 0;
      };
      std::vector<bool> covered(143);
      for (hone::index i = 0; i + b <= size.height; ++i)
        for (hone::index j = 0; j + b <= size.width; ++j) {
          bool whole = true;
          for (hone::index k = 0; k < b * b; ++k) whole = whole && !kept(i + k / b, j + k % b);
          for (hone::index k = 0; whole && k < b * b; ++k) covered[std::size_t((i + k / b) * 11 + j + k % b)] = true;
        }
      for (std::size_t i = 0; i < 143; ++i) alone += d.mask[p * 143 + i] == 0 && !covered[i];
    }
    CHECK(alone == 0);
    CHECK(dropped(d.mask) > 0.1);
  }
}

TEST_CASE("the factor of a sample is its numbers over its kept numbers, or 1") {
  const hone::plane_size size{8, 8};
  const auto d = draw({.rate = 0.3, .size = 3}, size, 5, 4),
             plain = draw({.rate = 0.3, .size = 3, .scale_by_kept = false}, size, 5, 4);
  CHECK(d.mask == plain.mask);
  CHECK(plain.factors == std::vector<float>(5, 1));
  for (std::size_t i = 0; i < 5; ++i) {
    const auto kept =
        std::count(d.mask.begin() + std::ptrdiff_t(i) * 256, d.mask.begin() + std::ptrdiff_t(i + 1) * 256, 1);
    CHECK(d.factors[i] == float(256.0 / double(kept)));
  }
}

TEST_CASE("seeds, steps, layers, samples and channels have draws of their own, and the same arguments the same") {
  const hone::drop_block half{.rate = 0.5, .size = 1};
  const hone::plane_size size{16, 16};
  const auto d = draw(half, size, 8, 8);
  for (const int threads : {1, 3, 8}) CHECK(draw(half, size, 8, 8, 1, 2, 3, threads) == d);
  const auto alike = [](auto a, auto b, std::size_t n) {
    double same = 0;
    for (std::size_t i = 0; i < n; ++i) same += a[i] == b[i];
    return same / double(n);
  };
  for (auto const& other : {draw(half, size, 8, 8, 2), draw(half, size, 8, 8, 1, 3), draw(half, size, 8, 8, 1, 2, 4)})
    CHECK(std::abs(alike(d.mask.data(), other.mask.data(), d.mask.size()) - 0.5) < 4 * 0.5 / 128);
  for (const std::size_t plane : {1u, 8u, 9u, 63u})  // channels of a sample, samples, both
    CHECK(std::abs(alike(d.mask.data(), d.mask.data() + plane * 256, 256) - 0.5) < 4 * 0.5 / 16);
  const auto few = draw(half, size, 2, 8);  // the draw of a sample does not depend on the others
  CHECK(std::equal(few.mask.begin(), few.mask.end(), d.mask.begin()));
  const auto shared = draw({.rate = 0.5, .size = 1, .shared = true}, size, 8, 1);
  CHECK(std::equal(shared.mask.begin(), shared.mask.begin() + 256, d.mask.begin()));  // that of the first channel
}

TEST_CASE("drop block: a rate of 0 keeps everything, one of 1 drops everything, and nothing becomes NaN") {
  for (const hone::index size : {1, 3, 99}) {
    const auto none = draw({.rate = 0, .size = size}, {5, 6}, 2, 3),
               every = draw({.rate = 1, .size = size}, {5, 6}, 2, 3);
    CHECK(none == drawn{std::vector<std::uint8_t>(180, 1), {1, 1}});
    CHECK(every == drawn{std::vector<std::uint8_t>(180, 0), {0, 0}});
  }
  CHECK(draw({.rate = 0.5}, {1, 1}, 0, 3).mask.empty());
  const auto one = draw({.rate = 0.5}, {1, 1}, 64, 1);  // planes of one pixel
  for (std::size_t i = 0; i < 64; ++i) CHECK(one.factors[i] == float(one.mask[i]));
}

TEST_CASE_TEMPLATE("masked numbers are 0 whatever they are, others are scaled, in place too", T, float, double,
                   Eigen::half, Eigen::bfloat16) {
  using A = hone::accumulator_t<T>;
  const A inf = std::numeric_limits<A>::infinity();
  std::vector<T> x{T(A(1)), T(inf), T(A(3)), T(-inf), T(A(5)), T(std::nan("")), T(A(7)), T(A(8))}, y(8, T(99.0f));
  const std::vector<std::uint8_t> mask{1, 0, 1, 0, 1, 0, 0, 1}, one_channel{1, 0, 1, 0};
  const std::vector<A> factors{2}, per_sample{2, 4};
  const hone::image_view<const std::uint8_t> kept{mask.data(), 1, 2, 4};
  hone::drop_blocks(hone::cpu(2), {x.data(), 1, 2, 4}, kept, factors, hone::image_view{y.data(), 1, 2, 4});
  const std::vector<T> right{T(A(2)), T(A(0)), T(A(6)), T(A(0)), T(A(10)), T(A(0)), T(A(0)), T(A(16))};
  CHECK(y == right);
  std::vector<T> place = x;
  hone::drop_blocks(hone::cpu(2), {place.data(), 1, 2, 4}, kept, factors, hone::image_view{place.data(), 1, 2, 4});
  CHECK(place == right);
  x[5] = T(A(6));
  hone::drop_blocks(hone::cpu(2), {x.data(), 2, 2, 2}, {one_channel.data(), 2, 1, 2}, per_sample,
                    hone::image_view{y.data(), 2, 2, 2});
  CHECK(y == std::vector<T>{T(A(2)), T(A(0)), T(A(6)), T(A(0)), T(A(20)), T(A(0)), T(A(28)), T(A(0))});
}

TEST_CASE("drop block: invalid arguments throw, and nothing is written") {
  std::vector<std::uint8_t> mask(64, 9);
  std::vector<float> factors(2, 99), x(64, 1), y(64, 7);
  const hone::image_view to{mask.data(), 2, 3, 2, 5};
  const auto said = [&](hone::drop_block policy, hone::plane_size size, hone::index branch = 0, std::size_t n = 2) {
    return support::message(
        [&] { hone::draw_blocks(hone::cpu(1), policy, 1, 2, branch, size, to, std::span(factors).first(n)); });
  };
  CHECK(said({.rate = 1.5}, {2, 5}) == "draw_blocks: rate is 1.5, must be in [0, 1]");
  CHECK(said({.rate = std::nan("")}, {2, 5}) == "draw_blocks: rate is nan, must be in [0, 1]");
  CHECK(said({.size = 0}, {2, 5}) == "draw_blocks: size is 0, must be at least 1");
  CHECK(said({}, {2, 5}, -1) == "draw_blocks: branch is -1, must be in [0, 2^24)");
  CHECK(said({}, {5, 3}) == "draw_blocks: mask has 10 pixels, size is 5 x 3");
  CHECK(said({}, {0, 5}) == "draw_blocks: height is 0, must be at least 1");
  CHECK(said({}, {2, 5}, 0, 1) == "draw_blocks: factors has 1 numbers for 2 samples");
  CHECK(said({.shared = true}, {2, 5}) == "draw_blocks: mask has 3 channels, must have 1 if the channels share it");
  CHECK(factors == std::vector<float>(2, 99));
  CHECK(mask == std::vector<std::uint8_t>(64, 9));
  const auto drops = [&](hone::image_view<const std::uint8_t> m, hone::image_view<float> o, std::size_t n = 2) {
    return support::message(
        [&] { hone::drop_blocks(hone::cpu(1), {x.data(), 2, 3, 4}, m, std::span(factors).first(n), o); });
  };
  const hone::image_view out{y.data(), 2, 3, 4};
  CHECK(drops({mask.data(), 2, 2, 4}, out) == "drop_blocks: mask is 2 x 2 x 4, x is 2 x 3 x 4");
  CHECK(drops({mask.data(), 2, 3, 4}, out, 1) == "drop_blocks: factors has 1 numbers for 2 samples");
  CHECK(drops({mask.data(), 2, 3, 4}, {y.data(), 2, 3, 5}) == "drop_blocks: y is 2 x 3 x 5, x is 2 x 3 x 4");
  CHECK(drops({mask.data(), 2, 3, 4}, {x.data() + 1, 2, 3, 4}) ==
        "drop_blocks: y and x overlap in part, y begins 4 bytes after x; they must be the same or apart");
  CHECK(y == std::vector<float>(64, 7));
}
