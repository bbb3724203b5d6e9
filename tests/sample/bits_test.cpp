// SPDX-License-Identifier: MIT
// Draws are bit-identical under every compiler and flag. tests/cuda/mixing_test.cu compares those of the device with
// them.
#include <hone/sample/mixup_or_cutmix.hpp>

#include <doctest/doctest.h>

#include <bit>

namespace {

/// FNV-1a over everything in a draw.
template <class Draw>
std::uint64_t hash(Draw const& draw) {
  std::uint64_t h = 0xcbf29ce484222325;
  const auto add = [&](std::uint64_t x) { h = (h ^ x) * 0x100000001b3; };
  for (const float l : draw.lambda) add(std::bit_cast<std::uint32_t>(l));
  for (const hone::index p : draw.partner) add(std::uint64_t(p));
  if constexpr (requires { draw.boxes; })
    for (auto const& b : draw.boxes)
      add(std::uint64_t(b.x1)), add(std::uint64_t(b.y1)), add(std::uint64_t(b.x2)), add(std::uint64_t(b.y2));
  return h;
}

}  // namespace

TEST_CASE("draws have the recorded bits") {
  CHECK(hash(hone::mixup{.alpha = 0.1}.draw(1, 2, 5000)) == 1186213675215457832u);
  CHECK(hash(hone::mixup{.alpha = 1, .per = hone::pair}.draw(-7, std::int64_t(1) << 40, 5001)) ==
        17353646681494478159u);
  CHECK(hash(hone::mixup{.alpha = 8, .with = hone::partners::any}.draw(3, 0, 5000)) == 9666901137223028353u);
  CHECK(hash(hone::cutmix{.alpha = 0.7}.draw(4, 5, 5000, 224, 97)) == 722391286585262032u);
  CHECK(hash(hone::cutmix{.least = 0.2, .most = 0.9}.draw(4, 5, 5000, 224, 97)) == 12200142594502073841u);
  CHECK(hash(hone::mixup_or_cutmix{.per = hone::sample}.draw(6, 7, 5000, 32, 32)) == 6280881846848253396u);
}
