// SPDX-License-Identifier: MIT
// What evaluate guarantees for region losses on the CPU: bits, ignored rows, reductions, sums and errors.
#include <hone/hone.hpp>

#include <support/message.hpp>
#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace {

using support::noise;

std::vector<int> labels_with_ignored(hone::index n, hone::index K) {
  std::vector<int> y = support::labels(n, K);
  for (std::size_t i = 4; i < y.size(); i += 9) y[i] = 255;
  return y;
}
template <class T>
std::vector<T> logits(hone::index count) {
  std::vector<T> z;
  for (const double x : noise(0, count)) z.push_back(static_cast<T>(x));
  return z;
}

struct answer {
  double value;
  std::vector<float> gradient;

  bool operator==(answer const& o) const {
    return std::memcmp(&value, &o.value, sizeof value) == 0 &&
           std::memcmp(gradient.data(), o.gradient.data(), gradient.size() * sizeof(float)) == 0;
  }
};
template <class Objective>
answer of_images(int threads, Objective const& objective, std::vector<float> const& z, hone::index images,
                 hone::index channels, hone::index pixels, hone::reduction how = hone::mean) {
  std::vector<float> g(z.size(), 77);
  const double value =
      hone::evaluate(hone::cpu(threads), objective, hone::image_view{z.data(), images, channels, pixels},
                     {.gradient = {g.data(), images, channels, pixels}}, how);
  return {value, g};
}
template <class Objective>
answer of_rows(Objective const& objective, std::vector<float> const& z, hone::index rows, hone::index columns,
               hone::reduction how = hone::mean) {
  std::vector<float> g(z.size(), 77);
  const double value = hone::evaluate(hone::cpu(1), objective, hone::matrix_view{z.data(), rows, columns},
                                      {.gradient = {g.data(), rows, columns}}, how);
  return {value, g};
}

}  // namespace

TEST_CASE("region losses have the same bits for any number of threads") {
  const hone::index images = 3, K = 7, pixels = 6007;
  const auto z = logits<float>(images * K * pixels);
  const auto y = labels_with_ignored(images * pixels, K);
  const auto target = hone::classes(y, {.ignore = 255});
  for (const bool per_image : {false, true}) {
    CAPTURE(per_image);
    const auto objective = hone::cross_entropy(target) + hone::dice_loss(target, {.per_image = per_image}) +
                           hone::focal_tversky_loss(hone::smooth(target, 0.1), {.per_image = per_image});
    const answer one = of_images(1, objective, z, images, K, pixels);
    for (const int threads : {2, 3, 8}) CHECK(of_images(threads, objective, z, images, K, pixels) == one);
  }
}

TEST_CASE("ignored rows and rows of weight 0 are as if they were not there") {
  const hone::index n = 60, K = 5;
  const auto z = logits<float>(n * K);
  const auto y = labels_with_ignored(n, K);
  std::vector<float> kept, weights(std::size_t(n), 1), poisoned = z;
  std::vector<int> kept_labels, no_ignored = y;
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (y[i] == 255) {
      weights[i] = 0, no_ignored[i] = 2;
      for (std::size_t c = 0; c < 5; ++c) poisoned[i * 5 + c] = std::numeric_limits<float>::quiet_NaN();
      continue;
    }
    kept_labels.push_back(y[i]);
    for (std::size_t c = 0; c < 5; ++c) kept.push_back(z[i * 5 + c]);
  }
  const answer without = of_rows(hone::dice_loss(hone::classes(kept_labels)), kept, hone::index(kept_labels.size()), K);
  for (const answer& a :
       {of_rows(hone::dice_loss(hone::classes(y, {.ignore = 255})), poisoned, n, K),
        of_rows(hone::weigh_rows(hone::dice_loss(hone::classes(no_ignored)), weights), poisoned, n, K)}) {
    CHECK(a.value == doctest::Approx(without.value).epsilon(1e-7));
    std::size_t j = 0;
    for (std::size_t i = 0; i < y.size(); ++i)
      for (std::size_t c = 0; c < 5; ++c)
        if (y[i] == 255)
          CHECK(a.gradient[i * 5 + c] == 0);
        else
          CHECK(a.gradient[i * 5 + c] == doctest::Approx(without.gradient[j++]).epsilon(1e-5));
  }
  // A row that counts and has a NaN: the value is NaN.
  std::vector<float> bad = z;
  bad[0] = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(of_rows(hone::dice_loss(hone::classes(y, {.ignore = 255})), bad, n, K).value));
}

TEST_CASE("a term without a target skips the rows that a region loss ignores") {
  const hone::index n = 60, K = 5;
  const auto z = logits<float>(n * K);
  const auto y = labels_with_ignored(n, K);
  const auto target = hone::classes(y, {.ignore = 255});
  const answer both = of_rows(hone::dice_loss(target) + hone::z_loss(0.5), z, n, K),
               dice = of_rows(hone::dice_loss(target), z, n, K),
               other = of_rows(hone::z_loss(0.5) + 0 * hone::cross_entropy(target), z, n, K);
  CHECK(both.value == doctest::Approx(dice.value + other.value).epsilon(1e-12));
  CHECK(both.gradient[4 * 5] == 0);
}

TEST_CASE("the reduction does not change a region loss, and a factor does") {
  const hone::index n = 40, K = 6;
  const auto z = logits<float>(n * K);
  const auto y = labels_with_ignored(n, K);
  const auto dice = hone::dice_loss(hone::classes(y, {.ignore = 255}));
  const answer once = of_rows(dice, z, n, K);
  for (const hone::reduction how :
       {hone::sum, hone::batch_mean, hone::element_mean, hone::mean_over(3), hone::mean_over(0)})
    CHECK(of_rows(dice, z, n, K, how) == once);
  const answer twice = of_rows(2 * dice, z, n, K), none = of_rows(0 * dice, z, n, K);
  CHECK(twice.value == 2 * once.value);
  for (std::size_t i = 0; i < z.size(); ++i) CHECK(twice.gradient[i] == 2 * once.gradient[i]);
  CHECK(none == answer{0, std::vector<float>(z.size(), 0.0f)});
  CHECK(hone::divisors(hone::cpu(1), dice, hone::matrix_view{z.data(), n, K})[0] == 1);
}

TEST_CASE("region losses of no rows and of no classes are 0") {
  std::vector<float> z(12, 1);
  const std::vector<int> none, some{0, 0, 0};
  CHECK(hone::evaluate(hone::cpu(1), hone::dice_loss(hone::classes(none)), hone::matrix_view{z.data(), 0, 3}) == 0);
  CHECK(hone::evaluate(hone::cpu(1), hone::dice_loss(hone::classes(none), {.per_image = true}),
                       hone::image_view{z.data(), 0, 3, 4}) == 0);
  CHECK(hone::evaluate(hone::cpu(1), hone::dice_loss(hone::classes(some, {.ignore = 0})),
                       hone::matrix_view{z.data(), 3, 0}) == 0);
}

TEST_CASE("invalid arguments of region losses throw, and nothing is written") {
  const std::vector<int> y{0, 1, 2, 0};
  const auto target = hone::classes(y);
  std::vector<float> z(12, 0.5f), g(12, 7), losses(4, 7);
  float value = 7;
  const hone::cpu cpu(1);
  const auto refuses = [&](std::string const& text, auto const& call) {
    const std::string said = support::message(call);
    CHECK_MESSAGE(said.find(text) != std::string::npos, said);
    CHECK(g == std::vector<float>(12, 7));
    CHECK(losses == std::vector<float>(4, 7));
    CHECK(value == 7);
  };
  const hone::matrix_view view{z.data(), 4, 3}, gradient{g.data(), 4, 3};
  refuses("a region loss has no loss per row, so .unreduced must be absent", [&] {
    hone::evaluate(cpu, hone::dice_loss(target) + hone::cross_entropy(target), view,
                   {.gradient = gradient, .unreduced = losses.data(), .value = &value});
  });
  refuses("a region loss per image needs a hone::image_view", [&] {
    hone::evaluate(cpu, hone::dice_loss(target, {.per_image = true}), view, {.gradient = gradient, .value = &value});
  });
  const std::vector<float> two(2, 1), negative{1, 1, -1}, negative_rows{1, 1, 1, -1};
  refuses("2 region loss weights for 3 classes", [&] {
    hone::evaluate(cpu, hone::dice_loss(target, {.weights = two}), view, {.gradient = gradient, .value = &value});
  });
  refuses("region loss weight of class 2 is -1, must be finite and not negative", [&] {
    hone::evaluate(cpu, hone::dice_loss(target, {.weights = negative}), view, {.gradient = gradient, .value = &value});
  });
  refuses("weigh_rows weight of row 3 is -1, must be not negative for a region loss", [&] {
    hone::evaluate(cpu, hone::weigh_rows(hone::dice_loss(target), negative_rows), view,
                   {.gradient = gradient, .value = &value});
  });
  const std::vector<int> outside{0, 1, 3, 0};
  refuses("the label of row 2 is 3", [&] {
    hone::evaluate(cpu, hone::dice_loss(hone::classes(outside)), view, {.gradient = gradient, .value = &value});
  });
  const double nan = std::numeric_limits<double>::quiet_NaN();
  refuses("dice_loss: smooth is -1", [&] { hone::dice_loss(target, {.smooth = -1}); });
  refuses("jaccard_loss: smooth_denominator is nan", [&] { hone::jaccard_loss(target, {.smooth_denominator = nan}); });
  refuses("tversky_loss: alpha is nan", [&] { hone::tversky_loss(target, {.alpha = nan}); });
  refuses("tversky_loss: beta is -1", [&] { hone::tversky_loss(target, {.beta = -1}); });
  refuses("focal_tversky_loss: gamma is 0", [&] { hone::focal_tversky_loss(target, {.gamma = 0}); });
}
