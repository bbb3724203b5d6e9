// SPDX-License-Identifier: MIT
// Draws of mixup, cutmix and both: their options and their errors.
#include <hone/hone.hpp>

#include <support/message.hpp>
#include <support/same_bytes.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <set>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace {

using support::message;

const double not_a_number = std::numeric_limits<double>::quiet_NaN(),
             infinity = std::numeric_limits<double>::infinity();

std::size_t different(std::vector<float> const& lambda) { return std::set<float>(lambda.begin(), lambda.end()).size(); }

}  // namespace

TEST_CASE("draws have one λ per sample, per pair or per batch") {
  CHECK(different(hone::mixup{.alpha = 1}.draw(1, 1, 100).lambda) > 95);
  CHECK(different(hone::mixup{.alpha = 1, .per = hone::batch}.draw(1, 1, 100).lambda) == 1);
  const auto pairs = hone::mixup{.alpha = 1, .per = hone::pair}.draw(1, 1, 101);
  CHECK(different(pairs.lambda) == 51);
  for (std::size_t i = 0; i < 101; ++i) CHECK(pairs.lambda[i] == pairs.lambda[std::size_t(pairs.partner[i])]);
  const auto boxes = hone::cutmix{.per = hone::pair}.draw(1, 1, 10, 32, 32);
  for (std::size_t i = 0; i < 10; ++i) CHECK(boxes.boxes[i] == boxes.boxes[std::size_t(boxes.partner[i])]);
}

TEST_CASE("the λ of a row depends neither on the batch size nor on the kind of partners") {
  const auto few = hone::mixup{.alpha = 0.3}.draw(9, 4, 5),
             many = hone::mixup{.alpha = 0.3, .with = hone::partners::pairs}.draw(9, 4, 50);
  for (std::size_t i = 0; i < 5; ++i) CHECK(few.lambda[i] == many.lambda[i]);
}

TEST_CASE("cutmix: the sides of a box are √(1-λ) of the image's, with a uniform centre") {
  hone::cutmix as_drawn{.correct = false};
  const auto cut = as_drawn.draw(3, 1, 20000, 40, 100);
  std::vector<double> centre(100);
  for (std::size_t i = 0; i < 20000; ++i) {
    const hone::pixel_box b = cut.boxes[i];
    const double side = std::sqrt(1 - double(cut.lambda[i]));
    const bool clipped = b.x1 == 0 || b.x2 == 100 || b.y1 == 0 || b.y2 == 40;
    if (!clipped) {
      CHECK(std::abs(double(b.x2 - b.x1) - 100 * side) <= 1);
      CHECK(std::abs(double(b.y2 - b.y1) - 40 * side) <= 1);
    }
    if (side < 0.5) ++centre[std::size_t((b.x1 + b.x2) / 2)];
  }
  double least = 1e9, most = 0;
  for (std::size_t x = 26; x < 74; ++x) least = std::min(least, centre[x]), most = std::max(most, centre[x]);
  CHECK(least > 50 - 35);  // 20000 λ, a quarter of them above 3/4, on 100 columns: five deviations
  CHECK(most < 50 + 35);
}

TEST_CASE("cutmix with least and most: boxes are inside the image, with sides in that range") {
  const auto cut = hone::cutmix{.least = 0.25, .most = 0.5}.draw(3, 1, 5000, 40, 100);
  hone::index narrow = 100, wide = 0;
  bool left = false, right = false, top = false, bottom = false;
  for (auto const& b : cut.boxes) {
    CHECK_UNARY(b.x1 >= 0 && b.x2 <= 100 && b.y1 >= 0 && b.y2 <= 40);
    CHECK_UNARY(b.x2 - b.x1 >= 25 && b.x2 - b.x1 <= 50 && b.y2 - b.y1 >= 10 && b.y2 - b.y1 <= 20);
    narrow = std::min(narrow, b.x2 - b.x1), wide = std::max(wide, b.x2 - b.x1);
    left |= b.x1 == 0, right |= b.x2 == 100, top |= b.y1 == 0, bottom |= b.y2 == 40;
  }
  CHECK(narrow == 25);
  CHECK(wide == 49);
  CHECK_UNARY(left && right && top && bottom);
  for (std::size_t i = 0; i < 5000; ++i)
    CHECK(cut.lambda[i] == static_cast<float>(1 - double(cut.boxes[i].area()) / 4000));
  for (auto const& b : hone::cutmix{.least = 1, .most = 1}.draw(3, 1, 9, 4, 6).boxes)
    CHECK(b == hone::pixel_box{0, 0, 6, 4});
}

TEST_CASE("mixup_or_cutmix uses each as often as asked, with the numbers of each alone") {
  const hone::mixup_or_cutmix both{
      .mixup_alpha = 0.4, .cutmix_alpha = 1, .probability = 0.75, .switch_probability = 0.25, .per = hone::sample};
  const auto draw = both.draw(8, 2, 20000, 16, 16);
  const auto up = hone::mixup{.alpha = 0.4}.draw(8, 2, 20000);
  const auto cut = hone::cutmix{}.draw(8, 2, 20000, 16, 16);
  hone::index cuts = 0, idle = 0;
  for (std::size_t i = 0; i < 20000; ++i) {
    CHECK(draw.partner[i] == up.partner[i]);
    if (draw.cut[i]) {
      ++cuts;
      CHECK(draw.boxes[i] == cut.boxes[i]);
      CHECK(draw.lambda[i] == cut.lambda[i]);
    } else if (draw.lambda[i] == 1 && up.lambda[i] != 1) {
      ++idle;
    } else {
      CHECK(draw.lambda[i] == up.lambda[i]);
    }
  }
  CHECK(std::abs(double(cuts) - 3750) < 280);
  CHECK(std::abs(double(idle) - 5000) < 320);
  const auto never = hone::mixup_or_cutmix{.probability = 0}.draw(1, 1, 8, 4, 4);
  CHECK(never.lambda == std::vector<float>(8, 1));
  CHECK(never.cut == std::vector<std::uint8_t>(8, 0));
  CHECK(hone::mixup_or_cutmix{.switch_probability = 1}.draw(1, 1, 8, 4, 4).cut == std::vector<std::uint8_t>(8, 1));
}

TEST_CASE("mixup_or_cutmix: an alpha of 0 turns one off, and two zeros turn off both") {
  using hone::mixup_or_cutmix;
  for (const hone::mixing_unit per : {hone::sample, hone::pair, hone::batch})
    for (const double share : {0.0, 0.25, 1.0}) {
      const auto cuts =
          mixup_or_cutmix{.mixup_alpha = 0, .switch_probability = share, .per = per}.draw(4, 2, 50, 16, 16);
      CHECK(cuts.cut == std::vector<std::uint8_t>(50, 1));
      CHECK(cuts.lambda == hone::cutmix{.per = per}.draw(4, 2, 50, 16, 16).lambda);
      const auto ups =
          mixup_or_cutmix{.mixup_alpha = 0.4, .cutmix_alpha = 0, .switch_probability = share, .per = per}.draw(4, 2, 50,
                                                                                                               16, 16);
      CHECK(ups.cut == std::vector<std::uint8_t>(50, 0));
      CHECK(ups.lambda == hone::mixup{.alpha = 0.4, .per = per}.draw(4, 2, 50).lambda);
      const auto none =
          mixup_or_cutmix{.mixup_alpha = 0, .cutmix_alpha = -0.0, .switch_probability = share, .per = per}.draw(
              4, 2, 50, 16, 16);
      CHECK(none.cut == std::vector<std::uint8_t>(50, 0));
      CHECK(none.lambda == std::vector<float>(50, 1));
      std::vector<float> images(12800), mixed(images.size());
      for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(i);
      hone::blend(hone::cpu(1), none, hone::matrix_view{images.data(), 50, 256},
                  hone::matrix_view{mixed.data(), 50, 256});
      CHECK(mixed == images);
    }
  const auto half = mixup_or_cutmix{.mixup_alpha = 0, .probability = 0.5, .per = hone::sample}.draw(4, 2, 1000, 8, 8);
  hone::index idle = 0;
  for (const std::uint8_t c : half.cut) idle += c == 0;
  CHECK(idle > 400);
  CHECK(idle < 600);
}

#if defined(__SSE2__)
TEST_CASE("draws with a small alpha are bit-identical if denormal numbers are flushed to zero") {
  std::size_t denormal = 0;
  for (const double alpha : {1e-300, 1e-6, 1e-3, 0.005, 0.01, 0.02, 0.2}) {
    const hone::mixup up{.alpha = alpha};
    const hone::cutmix cut{.alpha = alpha, .correct = false};
    const auto lambda = up.draw(1, 2, 5000).lambda, other = cut.draw(1, 2, 5000, 16, 16).lambda;
    const unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);  // flush to zero, denormals are zero
    const auto flushed = up.draw(1, 2, 5000).lambda, other_flushed = cut.draw(1, 2, 5000, 16, 16).lambda;
    _mm_setcsr(before);
    CHECK(support::same_bytes(lambda.data(), flushed.data(), 5000 * sizeof(float)));
    CHECK(support::same_bytes(other.data(), other_flushed.data(), 5000 * sizeof(float)));
    for (const float l : lambda) denormal += l > 0 && l < 0x1p-126f;
  }
  CHECK(denormal > 50);
}
#endif

TEST_CASE("same_float rounds every double to the nearest float, denormal numbers too") {
  for (double x = 0x1p-1000; x < 1; x *= 1.0173) CHECK(hone::detail::same_float(x) == static_cast<float>(x));
  for (const double x : {0x1p-149, 0x1p-150, 0x1.8p-149, 0x1.000002p-150, 0x1.fffffep-127, 0x1.ffffffp-127, 0x1p-126})
    CHECK(hone::detail::same_float(x) == static_cast<float>(x));  // ties, and both sides of the least normal number
}

TEST_CASE("draws: invalid options throw with the parameter's name") {
  CHECK(message([] { hone::mixup{.alpha = 0}.draw(1, 1, 4); }) == "mixup: alpha is 0, must be finite and positive");
  CHECK(message([] { hone::mixup{.alpha = infinity}.draw(1, 1, 4); }) ==
        "mixup: alpha is inf, must be finite and positive");
  CHECK(message([] { hone::mixup{.alpha = not_a_number}.draw(1, 1, 4); }).find("mixup: alpha is") == 0);
  CHECK(message([] { hone::mixup{}.draw(1, 1, -1); }) == "mixup: n is -1, must be in [0, 2^32)");
  CHECK(message([] { hone::cutmix{.alpha = -1}.draw(1, 1, 4, 8, 8); }) ==
        "cutmix: alpha is -1, must be finite and positive");
  CHECK(message([] { hone::cutmix{}.draw(1, 1, 4, 0, 8); }) == "cutmix: height is 0, must be in [1, 2^31)");
  CHECK(message([] { hone::cutmix{}.draw(1, 1, 4, 8, -3); }) == "cutmix: width is -3, must be in [1, 2^31)");
  CHECK(message([] { hone::cutmix{.least = 0.5}.draw(1, 1, 4, 8, 8); }) ==
        "cutmix: least and most must be given both, or neither");
  CHECK(message([] { hone::cutmix{.least = 0.5, .most = 0.25}.draw(1, 1, 4, 8, 8); }) ==
        "cutmix: most is 0.25, must be in [least, 1]");
  CHECK(message([] { hone::cutmix{.least = not_a_number, .most = 1}.draw(1, 1, 4, 8, 8); }).find("cutmix: least is") ==
        0);
  CHECK(message([] { hone::mixup_or_cutmix{.mixup_alpha = -1}.draw(1, 1, 4, 8, 8); }) ==
        "mixup_or_cutmix: mixup_alpha is -1, must be finite and positive");
  CHECK(message([] { hone::mixup_or_cutmix{.cutmix_alpha = infinity}.draw(1, 1, 4, 8, 8); }) ==
        "mixup_or_cutmix: cutmix_alpha is inf, must be finite and positive");
  CHECK(message([] {
          hone::mixup_or_cutmix{.mixup_alpha = 0, .cutmix_alpha = not_a_number}.draw(1, 1, 4, 8, 8);
        }).find("mixup_or_cutmix: cutmix_alpha is") == 0);
  CHECK(message([] { hone::mixup_or_cutmix{.probability = 1.5}.draw(1, 1, 4, 8, 8); }) ==
        "mixup_or_cutmix: probability is 1.5, must be in [0, 1]");
  CHECK(message([] {
          hone::mixup_or_cutmix{.switch_probability = not_a_number}.draw(1, 1, 4, 8, 8);
        }).find("mixup_or_cutmix: switch_probability is") == 0);
}
