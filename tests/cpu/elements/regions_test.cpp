// SPDX-License-Identifier: MIT
// What evaluate guarantees for region losses of sigmoids on the CPU: bits, left out elements, reductions, and errors.
#include <hone/hone.hpp>

#include <support/message.hpp>
#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace {

std::vector<float> logits(hone::index count) {
  std::vector<float> x;
  x.reserve(static_cast<std::size_t>(count));
  for (const double v : support::noise(0, count)) x.push_back(static_cast<float>(v));
  return x;
}
std::vector<float> masks(hone::index count) {
  std::vector<float> t;
  t.reserve(static_cast<std::size_t>(count));
  for (hone::index i = 0; i < count; ++i) t.push_back(i % 5 < 2 ? 1.0f : i % 5 == 2 ? 0.25f : 0.0f);
  return t;
}

struct answer {
  double value;
  std::vector<float> gradient;

  bool operator==(answer const&) const = default;
};
template <class Objective, class View>
answer ask(Objective const& objective, View x, int threads = 1, hone::reduction how = hone::mean) {
  std::vector<float> g(static_cast<std::size_t>(hone::detail::rows_of(x) * hone::detail::columns_of(x)), 77);
  auto gradient = [&] {
    if constexpr (requires { x.pixels; })
      return hone::image_view{g.data(), x.images, x.channels, x.pixels};
    else
      return hone::matrix_view{g.data(), x.rows, x.columns};
  }();
  const double value = hone::evaluate(hone::cpu(threads), objective, x, {.gradient = gradient}, how);
  return {value, g};
}

}  // namespace

TEST_CASE("sigmoid region losses have the same bits for any number of threads") {
  for (const hone::index channels : {1, 7}) {
    CAPTURE(channels);
    const hone::index images = 3, pixels = 6007, size = images * channels * pixels;
    const auto x = logits(size), t = masks(size);
    const hone::image_view targets{t.data(), images, channels, pixels};
    const hone::image_view<const float> view{x.data(), images, channels, pixels};
    for (const bool per_image : {false, true}) {
      CAPTURE(per_image);
      const auto objective = hone::binary_cross_entropy(targets) +
                             hone::sigmoid_dice_loss(targets, {.per_image = per_image}) +
                             hone::sigmoid_focal_tversky_loss(targets, {.per_image = per_image});
      const answer one = ask(objective, view);
      for (const int threads : {2, 3, 8}) CHECK(ask(objective, view, threads) == one);
    }
  }
}

TEST_CASE("ignored rows and elements of weight 0 are as if they were not there, whatever they hold") {
  const hone::index n = 60, K = 3;
  const auto x = logits(n * K);
  std::vector<int> labels, kept_labels, no_ignored;
  std::vector<float> kept, weights, mask, poisoned = x;
  for (hone::index i = 0; i < n; ++i) {
    const bool out = i % 9 == 4;
    labels.push_back(out ? 255 : int(i % 5) - 1), no_ignored.push_back(out ? 2 : int(i % 5) - 1);
    weights.push_back(out ? 0 : 1);
    if (!out) kept_labels.push_back(labels.back());
    for (hone::index c = 0; c < K; ++c) {
      mask.push_back(weights.back());
      if (out) poisoned[std::size_t(i * K + c)] = std::numeric_limits<float>::quiet_NaN();
      if (!out) kept.push_back(x[std::size_t(i * K + c)]);
    }
  }
  const auto rows = hone::index(kept_labels.size());
  const hone::matrix_view<const float> view{poisoned.data(), n, K};
  const answer without =
      ask(hone::sigmoid_dice_loss(hone::classes(kept_labels)), hone::matrix_view<const float>{kept.data(), rows, K});
  const auto strict = hone::classes(no_ignored);
  for (const answer& a :
       {ask(hone::sigmoid_dice_loss(hone::classes(labels, {.ignore = 255})), view),
        ask(hone::weigh_rows(hone::sigmoid_dice_loss(strict), weights), view),
        ask(hone::weigh_elements(hone::sigmoid_dice_loss(strict), hone::matrix_view{mask.data(), n, K}), view)}) {
    CHECK(a.value == doctest::Approx(without.value).epsilon(1e-7));
    std::size_t j = 0;
    for (std::size_t i = 0; i < mask.size(); ++i)
      if (mask[i] == 0)
        CHECK(a.gradient[i] == 0);
      else
        CHECK(a.gradient[i] == doctest::Approx(without.gradient[j++]).epsilon(1e-5));
  }
  poisoned[0] = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(ask(hone::sigmoid_dice_loss(hone::classes(labels, {.ignore = 255})), view).value));
}

TEST_CASE("the reduction does not change a sigmoid region loss, a factor does, and a sum is the sum of its terms") {
  const hone::index n = 400, K = 6;
  const auto x = logits(n * K), t = masks(n * K);
  const hone::matrix_view<const float> view{x.data(), n, K}, targets{t.data(), n, K};
  const auto dice = hone::sigmoid_dice_loss(targets);
  const answer once = ask(dice, view);
  for (const hone::reduction how :
       {hone::sum, hone::batch_mean, hone::element_mean, hone::mean_over(3), hone::mean_over(0)})
    CHECK(ask(dice, view, 1, how) == once);
  CHECK(ask(2 * dice, view).value == 2 * once.value);
  CHECK(ask(0 * dice, view) == answer{0, std::vector<float>(x.size(), 0.0f)});
  const auto bce = hone::binary_cross_entropy(targets);
  const answer other = ask(bce, view), both = ask(bce + 0.5 * dice, view);
  CHECK(both.value == doctest::Approx(other.value + 0.5 * once.value).epsilon(1e-6));
  for (std::size_t i = 0; i < x.size(); ++i)
    CHECK(both.gradient[i] == doctest::Approx(other.gradient[i] + 0.5 * once.gradient[i]).epsilon(1e-4));
  const auto divisors = hone::divisors(hone::cpu(1), bce + dice, view);
  CHECK(divisors[0] == double(n * K));
  CHECK(divisors[1] == 1);
}

TEST_CASE("sigmoid region losses of no rows and of no columns are 0") {
  const std::vector<float> x(12, 1);
  for (const auto& view : {hone::matrix_view<const float>{x.data(), 0, 3}, {x.data(), 3, 0}})
    CHECK(hone::evaluate(hone::cpu(1), hone::sigmoid_dice_loss(view), view) == 0);
  const hone::image_view<const float> images{x.data(), 0, 3, 4};
  CHECK(hone::evaluate(hone::cpu(1), hone::sigmoid_dice_loss(images, {.per_image = true}), images) == 0);
}

TEST_CASE("invalid arguments of sigmoid region losses throw, and nothing is written") {
  std::vector<float> x(12, 0.5f), g(12, 7), losses(12, 7), t(12, 1);
  float value = 7;
  const hone::cpu cpu(1);
  const hone::matrix_view view{x.data(), 4, 3}, gradient{g.data(), 4, 3}, targets{t.data(), 4, 3};
  const auto refuses = [&](std::string const& text, auto const& objective, float* unreduced = nullptr) {
    const std::string said = support::message(
        [&] { hone::evaluate(cpu, objective, view, {.gradient = gradient, .unreduced = unreduced, .value = &value}); });
    CHECK_MESSAGE(said.find(text) != std::string::npos, said);
    CHECK(g == std::vector<float>(12, 7));
    CHECK(losses == std::vector<float>(12, 7));
    CHECK(value == 7);
  };
  const auto dice = hone::sigmoid_dice_loss(targets);
  const std::vector<float> two(2, 1), negative{1, 1, -1}, negative_rows{1, 1, 1, -1};
  refuses("a region loss has no loss per element, so .unreduced must be absent",
          hone::binary_cross_entropy(targets) + dice, losses.data());
  refuses("a region loss per image needs a hone::image_view", hone::sigmoid_dice_loss(targets, {.per_image = true}));
  refuses("2 region loss weights for 3 classes", hone::sigmoid_dice_loss(targets, {.weights = two}));
  refuses("region loss weight of class 2 is -1", hone::sigmoid_dice_loss(targets, {.weights = negative}));
  refuses("weigh_rows weight of row 3 is -1, must be not negative for a region loss",
          hone::weigh_rows(dice, negative_rows));
  refuses("gradient", hone::sigmoid_dice_loss(targets, {.weights = {g.data(), 3}}));
  t[4] = 255;
  refuses("the target of row 1, column 1 is 255, must be in [0, 1]", dice);
  t[4] = 1;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto says = [](std::string const& text, auto const& call) {
    const std::string said = support::message(call);
    CHECK_MESSAGE(said.find(text) == 0, said);
  };
  says("sigmoid_dice_loss: smooth is -1", [&] { hone::sigmoid_dice_loss(targets, {.smooth = -1}); });
  says("sigmoid_jaccard_loss: smooth_denominator is nan",
       [&] { hone::sigmoid_jaccard_loss(targets, {.smooth_denominator = nan}); });
  says("sigmoid_tversky_loss: alpha is nan", [&] { hone::sigmoid_tversky_loss(targets, {.alpha = nan}); });
  says("sigmoid_focal_tversky_loss: gamma is 0", [&] { hone::sigmoid_focal_tversky_loss(targets, {.gamma = 0}); });
}
