// SPDX-License-Identifier: MIT
// Region losses against the values and gradients of segmentation_models_pytorch, MONAI, mmsegmentation and optax, and
// of formulas that PyTorch differentiated.
#include <hone/hone.hpp>

#include "regions_values.hpp"

#include <support/message.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <string>
#include <vector>

namespace {

namespace values = regions_values;
using numbers = std::span<const double>;

void agrees_in_channels(int channels, const char* name, auto const& objective, numbers value, numbers gradient) {
  CAPTURE(std::string(name));
  std::vector<double> seen(std::size(values::logits), 7);
  const int pixels = values::classes * values::pixels / channels;
  const double loss =
      hone::evaluate(hone::cpu(1), objective, hone::image_view{values::logits, values::images, channels, pixels},
                     {.gradient = {seen.data(), values::images, channels, pixels}});
  CHECK(std::abs(loss - value[0]) <= 1e-14);
  REQUIRE(seen.size() == gradient.size());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(seen[i] - gradient[i]) <= 1e-15);  // gradients of the size 1e-2
  }
}

void agrees(const char* name, auto const& objective, numbers value, numbers gradient) {
  agrees_in_channels(values::classes, name, objective, value, gradient);
}
void agrees_in_one_channel(const char* name, auto const& objective, numbers value, numbers gradient) {
  agrees_in_channels(1, name, objective, value, gradient);
}

const auto all = hone::classes(std::span(values::labels));
const auto masked = hone::classes(std::span(values::masked), {.ignore = values::ignored});
const std::vector<double> weights(std::begin(values::weights), std::end(values::weights)), foreground{0, 1, 1, 1},
    first_and_third{0, 1, 0, 1};

}  // namespace

TEST_CASE("smp's region losses") {
  using namespace hone::parity;
  agrees("dice", smp_dice_loss(masked), values::smp_dice, values::smp_dice_gradient);
  agrees("smooth", smp_dice_loss(masked, {.smooth = 1, .logarithm = true}), values::smp_dice_smooth,
         values::smp_dice_smooth_gradient);
  agrees("classes", smp_dice_loss(all, {.weights = first_and_third}), values::smp_dice_classes,
         values::smp_dice_classes_gradient);
  agrees("jaccard", smp_jaccard_loss(all, {.smooth = 0.5}), values::smp_jaccard, values::smp_jaccard_gradient);
  agrees("tversky", smp_tversky_loss(masked, {.alpha = 0.25, .beta = 0.75, .gamma = 1.5}), values::smp_tversky,
         values::smp_tversky_gradient);
}

TEST_CASE("MONAI's region losses") {
  using namespace hone::parity;
  agrees("dice", monai_dice_loss(all), values::monai_dice, values::monai_dice_gradient);
  agrees("batch", monai_dice_loss(all, {.squared_pred = true, .batch = true}), values::monai_dice_batch,
         values::monai_dice_batch_gradient);
  agrees("jaccard", monai_dice_loss(all, {.jaccard = true, .smooth_nr = 0, .smooth_dr = 0.5}),
         values::monai_dice_jaccard, values::monai_dice_jaccard_gradient);
  agrees("foreground", monai_dice_loss(all, {.weight = foreground}), values::monai_dice_foreground,
         values::monai_dice_foreground_gradient);
  agrees("weights", monai_dice_loss(all, {.weight = weights}), values::monai_dice_weights,
         values::monai_dice_weights_gradient);
  agrees("ignoring", monai_dice_loss(masked), values::monai_dice_ignoring, values::monai_dice_ignoring_gradient);
  agrees("tversky", monai_tversky_loss(all, {.alpha = 0.25, .beta = 0.75}), values::monai_tversky,
         values::monai_tversky_gradient);
}

TEST_CASE("mmsegmentation's and optax's Dice losses") {
  using namespace hone::parity;
  agrees("mmseg", mmseg_dice_loss(all), values::mmseg_dice, values::mmseg_dice_gradient);
  agrees("mmseg, plain", mmseg_dice_loss(all, {.smooth = 0.5, .exponent = 1}), values::mmseg_dice_plain,
         values::mmseg_dice_plain_gradient);
  agrees("optax", optax_dice_loss(all), values::optax_dice, values::optax_dice_gradient);
  agrees("optax, foreground",
         optax_dice_loss(all, {.alpha = 0.25, .beta = 0.75, .smooth = 0.5, .class_weights = foreground}),
         values::optax_dice_foreground, values::optax_dice_foreground_gradient);
  CHECK(support::message([] { mmseg_dice_loss(all, {.exponent = 3}); }) ==
        "mmseg_dice_loss: exponent is 3, must be 1 or 2");
  CHECK(support::message([] { smp_tversky_loss(all, {.gamma = -1}); }).find("smp_tversky_loss: gamma is -1") == 0);
}

TEST_CASE("the sigmoid region losses of smp, MONAI and mmsegmentation") {
  using namespace hone::parity;
  const hone::image_view masks{values::masks, values::images, values::classes, values::pixels},
      ignoring{values::ignoring, values::images, values::classes, values::pixels};
  std::vector<int> counts;
  for (const int t : values::ignoring) counts.push_back(t != values::ignored);
  const auto kept = [&](auto const& loss) {
    return hone::weigh_elements(loss, hone::image_view{counts.data(), values::images, values::classes, values::pixels});
  };
  agrees("smp dice", kept(smp_sigmoid_dice_loss(ignoring)), values::smp_sigmoid_dice,
         values::smp_sigmoid_dice_gradient);
  agrees("smp tversky",
         smp_sigmoid_tversky_loss(masks, {.alpha = 0.25, .beta = 0.75, .gamma = 1.5, .smooth = 1, .logarithm = true}),
         values::smp_sigmoid_tversky, values::smp_sigmoid_tversky_gradient);
  agrees("monai dice", monai_sigmoid_dice_loss(masks), values::monai_sigmoid_dice, values::monai_sigmoid_dice_gradient);
  agrees("monai jaccard",
         monai_sigmoid_dice_loss(masks, {.squared_pred = true, .jaccard = true, .batch = true, .weight = weights}),
         values::monai_sigmoid_jaccard, values::monai_sigmoid_jaccard_gradient);
  agrees("monai tversky", monai_sigmoid_tversky_loss(masks, {.alpha = 0.25, .beta = 0.75}),
         values::monai_sigmoid_tversky, values::monai_sigmoid_tversky_gradient);
  agrees("log dice", kept(hone::sigmoid_dice_loss(ignoring, {.smooth = 0.5, .logarithm = true, .per_image = true})),
         values::torch_sigmoid_log_dice, values::torch_sigmoid_log_dice_gradient);

  const hone::image_view one_channel{values::masks, values::images, 1, values::classes * values::pixels};
  agrees_in_one_channel("smp binary jaccard", smp_sigmoid_jaccard_loss(one_channel, {.smooth = 0.5}),
                        values::smp_binary_jaccard, values::smp_binary_jaccard_gradient);
  agrees_in_one_channel("mmseg", mmseg_sigmoid_dice_loss(one_channel), values::mmseg_sigmoid_dice,
                        values::mmseg_sigmoid_dice_gradient);
  agrees_in_one_channel("mmseg, naive", mmseg_sigmoid_dice_loss(one_channel, {.naive_dice = true}),
                        values::mmseg_sigmoid_dice_naive, values::mmseg_sigmoid_dice_naive_gradient);
  CHECK(support::message([&] {
          smp_sigmoid_tversky_loss(masks, {.gamma = -1});
        }).find("smp_sigmoid_tversky_loss: gamma is -1") == 0);
}

TEST_CASE("region losses as PyTorch differentiates their formulas") {
  agrees("dice", hone::dice_loss(masked), values::torch_dice, values::torch_dice_gradient);
  agrees("per image", hone::dice_loss(masked, {.per_image = true}), values::torch_dice_per_image,
         values::torch_dice_per_image_gradient);
  agrees("log jaccard", hone::jaccard_loss(masked, {.smooth = 0.5, .logarithm = true}), values::torch_log_jaccard,
         values::torch_log_jaccard_gradient);
  agrees("lovasz", hone::lovasz_softmax_loss(masked), values::lovasz, values::lovasz_gradient);
  agrees("lovasz per image", hone::lovasz_softmax_loss(masked, {.per_image = true}), values::lovasz_per_image,
         values::lovasz_per_image_gradient);
  agrees("lovasz with absent classes",
         hone::lovasz_softmax_loss(all, {.per_image = true, .absent = hone::absent_classes::counted}),
         values::lovasz_absent, values::lovasz_absent_gradient);
  agrees("focal tversky", hone::focal_tversky_loss(masked, {.per_image = true}), values::torch_focal_tversky,
         values::torch_focal_tversky_gradient);
}
