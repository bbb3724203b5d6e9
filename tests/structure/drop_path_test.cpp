// SPDX-License-Identifier: MIT
// Drop path: its draws, its ends, and a row that is dropped.
#include <hone/hone.hpp>

#include <doctest/doctest.h>
#include <support/message.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace {

std::vector<float> drawn(hone::drop_path const& policy, hone::index seed, hone::index step, hone::index branch,
                         std::size_t n = 4096) {
  std::vector<float> f(n, 99);
  policy.draw(seed, step, branch, std::span(f));
  return f;
}

}  // namespace

TEST_CASE("drop path keeps 1 - rate of the samples, divided by it or not") {
  for (const double rate : {0.1, 0.25, 0.5, 0.9}) {
    const auto f = drawn({.rate = rate}, 1, 2, 3, 100000),
               plain = drawn({.rate = rate, .scale_by_keep = false}, 1, 2, 3, 100000);
    std::size_t kept = 0, wrong = 0;
    for (std::size_t i = 0; i < f.size(); ++i) {
      kept += f[i] != 0;
      wrong += !(f[i] == 0 || f[i] == float(1 / (1 - rate))) || plain[i] != (f[i] == 0 ? 0.0f : 1.0f);
    }
    CHECK(wrong == 0);
    CHECK(std::abs(double(kept) / 1e5 - (1 - rate)) < 4 * std::sqrt(rate * (1 - rate) / 1e5));
  }
}

TEST_CASE("drop path: branches, steps and seeds have draws of their own, and the same arguments the same") {
  const hone::drop_path half{.rate = 0.5};
  const auto f = drawn(half, 1, 2, 3);
  CHECK(drawn(half, 1, 2, 3) == f);
  for (auto const& other : {drawn(half, 1, 2, 4), drawn(half, 1, 3, 3), drawn(half, 2, 2, 3)}) {
    std::ptrdiff_t same = 0;
    for (std::size_t i = 0; i < f.size(); ++i) same += other[i] == f[i];
    CHECK(std::abs(double(same) / 4096 - 0.5) < 4 * 0.5 / 64);
  }
  const auto few = drawn(half, 1, 2, 3, 10);  // the draw of a sample does not depend on the others
  CHECK(std::equal(few.begin(), few.end(), f.begin()));
}

TEST_CASE("drop path: a rate of 0 keeps everything as it is, one of 1 drops everything") {
  for (const bool scale : {false, true}) {
    CHECK(drawn({.rate = 0, .scale_by_keep = scale}, 1, 2, 3, 99) == std::vector<float>(99, 1));
    CHECK(drawn({.rate = 1, .scale_by_keep = scale}, 1, 2, 3, 99) == std::vector<float>(99, 0));
  }
  CHECK(hone::drop_path_rate(0.3, 0, 1) == 0);
  CHECK(hone::drop_path_rate(0.25, 0, 5) == 0);
  CHECK(hone::drop_path_rate(0.25, 2, 5) == 0.125);
  CHECK(hone::drop_path_rate(0.25, 4, 5) == 0.25);
}

TEST_CASE("samples are scaled as planes of one image, the residual is added in the same sweep") {
  std::vector<float> x{1, 2, 3, 4, 5, 6}, shortcut{1, 1, 1, 1, 1, 1}, y(6, 99), f{0, 2};
  hone::scale_planes(hone::cpu(1), hone::identity_gate, {x.data(), 1, 2, 3}, {f.data(), 1, 2},
                     hone::image_view{y.data(), 1, 2, 3}, {.residual = {shortcut.data(), 1, 2, 3}});
  CHECK(y == std::vector<float>{1, 1, 1, 9, 11, 13});
}

TEST_CASE("drop path: invalid arguments throw") {
  std::vector<float> f(3, 99);
  const auto said = [&](double rate, hone::index branch) {
    return support::message([&] { hone::drop_path{.rate = rate}.draw(1, 2, branch, std::span(f)); });
  };
  CHECK(said(-0.1, 0) == "drop_path: rate is -0.1, must be in [0, 1]");
  CHECK(said(1.5, 0) == "drop_path: rate is 1.5, must be in [0, 1]");
  CHECK(said(std::nan(""), 0) == "drop_path: rate is nan, must be in [0, 1]");
  CHECK(said(0.5, -1) == "drop_path: branch is -1, must be in [0, 2^24)");
  CHECK(said(0.5, hone::index(1) << 24) == "drop_path: branch is 16777216, must be in [0, 2^24)");
  CHECK(f == std::vector<float>(3, 99));
  CHECK(support::message([] { hone::drop_path_rate(2, 0, 1); }) == "drop_path_rate: rate is 2, must be in [0, 1]");
  CHECK(support::message([] { hone::drop_path_rate(0, 3, 3); }) ==
        "drop_path_rate: block is 3, must be in [0, blocks)");
  CHECK(support::message([] { hone::drop_path_rate(0, 0, 0); }) == "drop_path_rate: blocks is 0, must be at least 1");
}
