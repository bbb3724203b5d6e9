// SPDX-License-Identifier: MIT
#include "torch_doctest.hpp"

#include <hone/adapt/torch/blend.hpp>
#include <hone/sample/mixup_or_cutmix.hpp>

#include <support/message.hpp>

namespace {

const hone::cpu one{1};
constexpr std::int64_t n = 6, channels = 3, height = 5, width = 7;

template <class Draw>
torch::Tensor expected(Draw const& draw, torch::Tensor const& x) {
  auto y = torch::empty_like(x);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto k = static_cast<std::size_t>(i);
    const auto other = x[draw.partner[k]];
    if constexpr (requires { draw.boxes; }) {
      const auto b = draw.boxes[k];
      y[i] = x[i];
      y[i].slice(-2, b.y1, b.y2).slice(-1, b.x1, b.x2) = other.slice(-2, b.y1, b.y2).slice(-1, b.x1, b.x2);
    } else {
      y[i] = draw.lambda[k] * x[i] + (1 - draw.lambda[k]) * other;
    }
  }
  return y;
}

}  // namespace

TEST_CASE("torch blend: mixup and cutmix of images in every memory format") {
  const auto mixed = hone::mixup{.alpha = 1}.draw(1, 2, n);
  const auto cut = hone::cutmix{}.draw(1, 2, n, height, width);
  const auto x = torch::randn({n, channels, height, width}, torch::kDouble);
  for (auto const& images :
       {x, x.contiguous(torch::MemoryFormat::ChannelsLast), x.permute({0, 1, 3, 2}).contiguous().permute({0, 1, 3, 2}),
        torch::randn({2 * n, channels, height, width}, torch::kDouble).slice(0, 0, 2 * n, 2)}) {
    const auto before = images.clone();
    CHECK(hone::adapt::blend(one, mixed, images).allclose(expected(mixed, images), 1e-6, 1e-7));
    const auto pasted = hone::adapt::blend(one, cut, images);
    CHECK(pasted.equal(expected(cut, images)));
    CHECK(images.equal(before));
  }
  const auto last = x.contiguous(torch::MemoryFormat::ChannelsLast);
  CHECK(hone::adapt::blend(one, cut, last).is_contiguous(torch::MemoryFormat::ChannelsLast));
  CHECK(hone::adapt::blend(one, mixed, last).is_contiguous(torch::MemoryFormat::ChannelsLast));
  CHECK(hone::adapt::blend(one, mixed, torch::ones({n, 4})).sizes() == torch::IntArrayRef({n, 4}));
}

TEST_CASE("torch blend: other dtypes; masks are cut, never mixed") {
  const auto mixed = hone::mixup{.alpha = 1}.draw(1, 2, n);
  const auto cut = hone::cutmix{}.draw(1, 2, n, height, width);
  const auto x = torch::randint(0, 100, {n, height, width}, torch::kLong);
  for (const auto type : {torch::kLong, torch::kInt, torch::kShort, torch::kChar, torch::kByte, torch::kFloat,
                          torch::kHalf, torch::kBFloat16}) {
    CHECK(hone::adapt::blend(one, cut, x.to(type)).equal(expected(cut, x).to(type)));
  }
  CHECK(hone::adapt::blend(one, cut, x.gt(50)).equal(expected(cut, x).gt(50)));
  const auto bytes = hone::adapt::blend(one, mixed, x.to(torch::kByte));
  CHECK((bytes.to(torch::kDouble) - expected(mixed, x.to(torch::kDouble))).abs().max().item<double>() < 0.5001);
  CHECK(support::message([&] { hone::adapt::blend(one, mixed, x); }) ==
        "blend: images is Long, must be floating or Byte; by a draw with boxes also other integers, which are copied");
}

TEST_CASE("torch blend refuses images that are not those of the draw") {
  const auto cut = hone::cutmix{}.draw(1, 2, n, height, width);
  CHECK(support::message([&] { hone::adapt::blend(one, cut, torch::ones({n, channels, width, height})); }) ==
        "blend: images is 6 x 3 x 7 x 5 with strides 105, 35, 5, 1, the draw is for height 5 and width 7");
  CHECK(support::message([&] {
          hone::adapt::blend(one, cut, torch::ones({n, channels * height * width}));
        }).find("the draw is for height 5 and width 7") != std::string::npos);
  CHECK(support::message([&] { hone::adapt::blend(one, cut, torch::ones({n - 1, channels, height, width})); }) ==
        "blend: the draw has 6 lambdas for 5 rows");
  CHECK(support::message([&] {
          hone::adapt::blend(one, cut, torch::ones({n, channels, height, width}).set_requires_grad(true));
        }) == "blend: images require a gradient, and blend has none");
  CHECK(support::message([&] { hone::adapt::blend(one, cut, torch::Tensor()); }) ==
        "blend: images is an undefined tensor");
  CHECK(support::message([&] {
          hone::adapt::blend(one, cut, torch::ones({n, n}).to_sparse());
        }).find("must be dense") != std::string::npos);
  CHECK(hone::adapt::blend(one, hone::mixup{}.draw(1, 2, 0), torch::ones({0, 1, 5, 7})).size(0) == 0);
}
