// SPDX-License-Identifier: MIT
// Mixing samples on the CPU: the conformance cases of every backend, threads, and invalid arguments.
#include <hone/hone.hpp>

#include <conformance/mixing.hpp>
#include <cpu/this_machine.hpp>
#include <support/message.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace {

using support::message;
using view = hone::matrix_view<float>;

const hone::cpu cpu(2);

}  // namespace

TEST_CASE("the CPU passes the conformance cases of blend") {
  conformance::blends<on_this_machine>();
  conformance::bytes_are_rounded_to_even<on_this_machine>();
  conformance::what_does_not_count_may_be_nan<on_this_machine>();
}

// From 8 MiB on the output goes past the caches, and images are met in pieces.
TEST_CASE("blend of large images is bit-identical for any number of threads, in place or not") {
  const hone::index n = 24, height = 160, width = 211, features = 3 * height * width;
  std::vector<float> images(std::size_t(n * features));
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = float(i % 1009);
  std::vector<float> one(images.size()), two(images.size()), place(images.size());
  const auto check = [&](auto const& draw) {
    std::ranges::fill(one, 7.0f);
    std::ranges::fill(two, 7.0f);
    std::ranges::copy(images, place.begin());
    hone::blend(hone::cpu(1), draw, view{images.data(), n, features}, view{one.data(), n, features});
    hone::blend(hone::cpu(3), draw, view{images.data(), n, features}, view{two.data(), n, features});
    hone::blend(cpu, draw, view{place.data(), n, features}, view{place.data(), n, features});
    CHECK(std::memcmp(one.data(), two.data(), one.size() * sizeof(float)) == 0);
    CHECK(std::memcmp(one.data(), place.data(), one.size() * sizeof(float)) == 0);
    int wrong = 0;
    for (hone::index i = 0; i < n; ++i)
      for (hone::index f = 0; f < features; ++f) {
        const double expected = conformance::mixed_by_definition(
            draw, i, f, [&](hone::index r, hone::index k) { return double(images[std::size_t(r * features + k)]); });
        wrong += !(std::abs(double(one[std::size_t(i * features + f)]) - expected) <= 2e-4);
      }
    CHECK(wrong == 0);
  };
  check(hone::mixup{.alpha = 1}.draw(1, 1, n));
  check(hone::mixup{.alpha = 1, .per = hone::pair}.draw(1, 1, n));
  check(hone::cutmix{}.draw(1, 1, n, height, width));
}

TEST_CASE("blend of no rows or no columns does nothing") {
  hone::blend(cpu, hone::mixup{}.draw(1, 1, 0), view{nullptr, 0, 5}, view{nullptr, 0, 5});
  hone::blend(cpu, hone::mixup{}.draw(1, 1, 3), view{nullptr, 3, 0}, view{nullptr, 3, 0});
}

TEST_CASE("blend: integers with a fractional λ throw, and so do sizes larger than memory") {
  std::vector<std::int64_t> in(32), out(in.size(), 7);
  const hone::matrix_view masks{in.data(), 4, 8}, to{out.data(), 4, 8};
  auto draw = hone::mixup_or_cutmix{.switch_probability = 1, .per = hone::sample}.draw(1, 2, 4, 2, 4);
  draw.cut[2] = 0, draw.lambda[2] = 0.25f;
  CHECK(message([&] { hone::blend(cpu, draw, masks, to); }) ==
        "blend: row 2 is mixed up by a lambda of 0.25, integers are only copied");
  CHECK(out == std::vector<std::int64_t>(out.size(), 7));
  const hone::index large = hone::index(1) << 62;
  float* const none = nullptr;
  float some[8] = {};
  const auto up = hone::mixup{}.draw(1, 2, 4);
  for (float* const data : {none, some})
    for (const auto& [rows, columns] : {std::pair{large, hone::index(4)},
                                        {hone::index(4), large},
                                        {large, large},
                                        {hone::index(1) << 32, large / 2}}) {
      const hone::matrix_view huge{data, rows, columns};
      const std::string size = std::to_string(rows) + " x " + std::to_string(columns);
      CHECK(message([&] { hone::blend(cpu, up, huge, huge); }) ==
            "blend: images is " + size +
                (data ? " with a row_stride of " + std::to_string(columns) + ", more than memory can hold"
                      : " but has no data"));
    }
  const hone::matrix_view<float> far_apart{some, 4, 2, large};
  CHECK(message([&] { hone::blend(cpu, up, far_apart, far_apart); }) ==
        "blend: images is 4 x 2 with a row_stride of " + std::to_string(large) + ", more than memory can hold");
}

TEST_CASE("blend: an invalid draw or view throws, and nothing is written") {
  std::vector<float> images(64, 0.5f), mixed(64, 7.0f);
  const view in{images.data(), 4, 8}, out{mixed.data(), 4, 8};
  const auto draw = hone::mixup{.alpha = 1}.draw(1, 0, 4);
  const auto cut = hone::cutmix{.alpha = 1}.draw(1, 0, 4, 2, 4);
  const auto said = [&](auto const& d, view from, view to) {
    std::string text = message([&] { hone::blend(cpu, d, from, to); });
    CHECK(mixed == std::vector<float>(64, 7.0f));
    CHECK(images == std::vector<float>(64, 0.5f));
    return text;
  };
  const auto spoilt = [&](auto d, auto spoil) {
    spoil(d);
    return said(d, in, out);
  };
  CHECK(said(draw, in, view{mixed.data(), 3, 8}) == "blend: mixed is 3 x 8, images is 4 x 8");
  CHECK(said(draw, in, view{mixed.data(), 4, 7}) == "blend: mixed is 4 x 7, images is 4 x 8");
  CHECK(said(draw, in, view{nullptr, 4, 8}) == "blend: mixed is 4 x 8 but has no data");
  CHECK(said(draw, view{images.data(), 4, 8, 7}, out) ==
        "blend: images has a row_stride of 7, must be at least its 8 columns");
  CHECK(said(draw, view{images.data(), -4, 8}, view{mixed.data(), -4, 8}) ==
        "blend: images is -4 x 8, sizes must not be negative");
  CHECK(said(draw, view{images.data(), 3, 8}, view{mixed.data(), 3, 8}) == "blend: the draw has 4 lambdas for 3 rows");
  CHECK(spoilt(draw, [](auto& d) { d.partner.pop_back(); }) == "blend: the draw has 3 partners for 4 rows");
  CHECK(spoilt(draw, [](auto& d) { d.partner[2] = 4; }) == "blend: partner of row 2 is 4, must be in [0, 4)");
  CHECK(spoilt(draw, [](auto& d) { d.partner[1] = -1; }) == "blend: partner of row 1 is -1, must be in [0, 4)");
  CHECK(spoilt(draw, [](auto& d) { d.lambda[2] = -0.5f; }) == "blend: lambda of row 2 is -0.5, must be in [0, 1]");
  CHECK(spoilt(draw, [](auto& d) { d.lambda[0] = 1.5f; }) == "blend: lambda of row 0 is 1.5, must be in [0, 1]");
  CHECK(spoilt(draw, [](auto& d) { d.lambda[3] = NAN; }).find("blend: lambda of row 3 is") == 0);
  CHECK(spoilt(cut, [](auto& d) { d.boxes.pop_back(); }) == "blend: the draw has 3 boxes for 4 rows");
  CHECK(spoilt(cut, [](auto& d) { d.boxes[1] = {0, 0, 5, 2}; }) ==
        "blend: box of row 1 is (0, 0, 5, 2), must be in an image of height 2 and width 4");
  CHECK(spoilt(cut, [](auto& d) { d.boxes[1] = {2, 0, 1, 2}; }) ==
        "blend: box of row 1 is (2, 0, 1, 2), must be in an image of height 2 and width 4");
  CHECK(spoilt(cut, [](auto& d) { d.boxes[3] = {-1, 0, 1, 2}; }) ==
        "blend: box of row 3 is (-1, 0, 1, 2), must be in an image of height 2 and width 4");
  CHECK(spoilt(cut, [](auto& d) { d.boxes[3] = {0, 2, 1, 1}; }) ==
        "blend: box of row 3 is (0, 2, 1, 1), must be in an image of height 2 and width 4");
  CHECK(spoilt(cut, [](auto& d) { d.boxes[3] = {0, -1, 1, 1}; }) ==
        "blend: box of row 3 is (0, -1, 1, 1), must be in an image of height 2 and width 4");
  CHECK(spoilt(cut, [](auto& d) { d.boxes[3] = {0, 0, 1, 3}; }) ==
        "blend: box of row 3 is (0, 0, 1, 3), must be in an image of height 2 and width 4");
  CHECK(spoilt(cut, [](auto& d) { d.height = 0, d.boxes.assign(4, {}); }) ==
        "blend: height is 0, must be in [1, 2^31)");
  CHECK(spoilt(cut, [](auto& d) { d.height = 3; }) == "blend: images have 8 features, must be channels of 3 x 4");
  CHECK(spoilt(hone::mixup_or_cutmix{}.draw(1, 0, 4, 2, 4), [](auto& d) { d.cut.clear(); }) ==
        "blend: the draw has 0 cuts for 4 rows");
  CHECK(said(draw, in, view{images.data() + 8, 4, 8}) ==
        "blend: images and mixed overlap at 4 rows of 8 and 8, must be the same or apart");
  CHECK(said(draw, view{images.data(), 4, 6, 8}, view{images.data(), 4, 6, 7}) ==
        "blend: images and mixed overlap at 4 rows of 8 and 7, must be the same or apart");
  auto loose = draw;
  loose.partner = {1, 2, 1, 0};
  CHECK(said(loose, in, in) ==
        "blend: images and mixed are the same, so that partners must be a permutation of 0 to 3");
}
