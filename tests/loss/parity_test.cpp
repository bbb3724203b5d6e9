// SPDX-License-Identifier: MIT
// Values and gradients of hone's losses against those of other libraries.
#include <hone/hone.hpp>

#include "parity_values.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <string>
#include <vector>

namespace {

namespace values = parity_values;
using numbers = std::span<const double>;

/// Sums of a few numbers of the size 1 in double. What was computed in float lost digits in 1 - σ: 16 ulp at 6.5.
constexpr double rounding = 1e-14, in_float = 4e-6;

void near(numbers seen, numbers expected, double tolerance) {
  REQUIRE(seen.size() == expected.size());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(seen[i] - expected[i]) <= tolerance * (1 + std::abs(expected[i])));
  }
}

/// Losses of `rows` rows, or of every element, and the gradient of their sum.
void agrees(const std::string& name, auto const& objective, numbers logits, hone::index rows, numbers losses,
            numbers gradient, double tolerance = rounding) {
  CAPTURE(name);
  const hone::index columns = hone::index(logits.size()) / rows;
  std::vector<double> seen(losses.size()), slopes(logits.size());
  hone::evaluate(hone::cpu(1), objective, hone::matrix_view{logits.data(), rows, columns},
                 {.gradient = {slopes.data(), rows, columns}, .unreduced = seen.data()}, hone::sum);
  near(seen, losses, tolerance);
  near(slopes, gradient, tolerance);
}

hone::matrix_view<const double> column(numbers x) { return {x.data(), hone::index(x.size()), 1}; }

}  // namespace

TEST_CASE("asymmetric loss matches timm") {
  const auto compare = [](const std::string& name, hone::asymmetric_options options, numbers losses, numbers gradient) {
    const hone::index n = std::size(values::hard_logits);
    agrees(name, hone::asymmetric_loss(column(values::hard_targets), options), values::hard_logits, n, losses, gradient,
           in_float);
  };
  compare("defaults", {}, values::timm_asymmetric, values::timm_asymmetric_gradient);
  compare("no clip", {.clip = 0}, values::timm_asymmetric_unclipped, values::timm_asymmetric_unclipped_gradient);
  compare("mild", {.gamma_positive = 0, .gamma_negative = 2, .clip = 0.125}, values::timm_asymmetric_mild,
          values::timm_asymmetric_mild_gradient);
}

TEST_CASE("binary cross entropy matches PyTorch, and sigmoid focal loss torchvision, also for soft targets") {
  const hone::index n = std::size(values::soft_logits);
  agrees("binary_cross_entropy", hone::binary_cross_entropy(column(values::soft_targets)), values::soft_logits, n,
         values::torch_binary_cross_entropy, values::torch_binary_cross_entropy_gradient);
  agrees("sigmoid_focal_loss", hone::sigmoid_focal_loss(column(values::soft_targets), {.alpha = 0.25, .gamma = 1.5}),
         values::soft_logits, n, values::torchvision_sigmoid_focal, values::torchvision_sigmoid_focal_gradient);
}

TEST_CASE("Poly-1 cross entropy matches optax, also for soft targets") {
  const hone::index rows = std::size(values::optax_poly);
  const hone::index classes = hone::index(std::size(values::poly_logits)) / rows;
  const auto target = hone::probabilities(hone::matrix_view{values::poly_targets, rows, classes});
  agrees("default", hone::poly1_cross_entropy(target), values::poly_logits, rows, values::optax_poly,
         values::optax_poly_gradient);
  agrees("epsilon -1", hone::poly1_cross_entropy(target, {.epsilon = -1}), values::poly_logits, rows,
         values::optax_poly_detection, values::optax_poly_detection_gradient);
}

TEST_CASE("distribution focal loss with clamp matches ultralytics") {
  agrees("clamped", hone::distribution_focal_loss(values::bin_distances, {.clamp = 0.01}), values::bin_logits,
         std::size(values::bin_distances), values::ultralytics_distribution_focal,
         values::ultralytics_distribution_focal_gradient);
}

TEST_CASE("expected_bin matches the integral of ultralytics, on its own layout") {
  const hone::index sides = 4, bins = 16, anchors = 2;
  const hone::image_view planes{values::bin_planes, sides, bins, anchors};
  std::vector<double> seen(std::size_t(sides * anchors)), slopes(std::size(values::bin_planes));
  hone::expected_bin(hone::cpu(1), planes, seen);
  near(seen, values::ultralytics_integral, rounding);
  hone::evaluate(hone::cpu(1), hone::expected_bin(), planes, {.gradient = {slopes.data(), sides, bins, anchors}},
                 hone::sum);
  near(slopes, values::ultralytics_integral_gradient, rounding);
}
