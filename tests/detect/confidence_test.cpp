// SPDX-License-Identifier: MIT
// Fused confidences on the CPU, and the gradients of confidence losses composed by the user.
#include <hone/hone.hpp>

#include <conformance/confidence.hpp>
#include <cpu/this_machine.hpp>
#include <support/dual.hpp>
#include <support/finite_differences.hpp>
#include <support/message.hpp>
#include <support/numbers.hpp>

#include <limits>
#include <span>
#include <string>

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("the CPU passes the conformance cases of confidences") { conformance::confidences<on_this_machine>(); }

TEST_CASE("smoothed binary labels have the documented values, and gradients that match dual numbers") {
  const auto half = hone::smooth_binary(0.1);
  CHECK((half.positive == 0.95 && half.negative == 0.05));
  const auto three = hone::ppyolo::smooth_binary(3), eighty = hone::ppyolo::smooth_binary(80);
  CHECK((three.positive == 1 - 0.025 && three.negative == 0.025));  // 1/40 is below 1/3
  CHECK((eighty.positive == 1 - 0.0125 && eighty.negative == 0.0125));
  for (const hone::binary_labels labels :
       {half, three, eighty, hone::binary_labels{}, hone::binary_labels{0.75, 0.5}}) {
    const hone::smoothed_binary_cross_entropy_formula formula{labels.positive, labels.negative};
    for (const double x : {-30.0, -2.0, -0.5, 0.25, 3.0, 30.0})
      for (const double t : {0.0, 0.25, 1.0}) {
        const double p = 1 / (1 + std::exp(-x)), soft = labels.negative + (labels.positive - labels.negative) * t;
        const auto y = formula(x, t);
        const auto proof = formula(support::dual(x, 1), support::dual(t));
        CHECK(std::abs(y.grad - proof.value.d) < 1e-12);
        CHECK(std::abs(y.grad - (p - soft)) < 1e-12);
        const double rest = 1 / (1 + std::exp(x));
        CHECK(std::abs(y.value + soft * std::log(p) + (1 - soft) * std::log(rest)) < 1e-12 * (1 + y.value));
      }
  }
}

TEST_CASE("smoothed binary labels give the loss of the same targets written out") {
  const std::vector<int> labels{1, -1, 0};
  const std::vector<float> dense{0, 1, 0, 0, 1, 0};
  const auto x = support::noise(0, 6);
  const hone::cpu one(1);
  const hone::matrix_view z{x.data(), 3, 2};
  const auto hot = hone::binary_cross_entropy(hone::classes(labels), {.positive = 0.75, .negative = 0.125});
  const auto soft =
      hone::binary_cross_entropy(hone::matrix_view{dense.data(), 3, 2}, {.positive = 0.75, .negative = 0.125});
  const std::vector<float> smoothed{0.125, 0.75, 0.125, 0.125, 0.75, 0.125};
  const double expected = hone::evaluate(one, hone::binary_cross_entropy(hone::matrix_view{smoothed.data(), 3, 2}), z);
  CHECK(hone::evaluate(one, hot, z) == doctest::Approx(expected).epsilon(1e-14));
  CHECK(hone::evaluate(one, soft, z) == doctest::Approx(expected).epsilon(1e-14));
  CHECK(support::distance_from_differences(hot, x, 3, 2, hone::sum) < 1e-8);
}

TEST_CASE("gradients of confidence losses match central differences") {
  const std::vector<hone::anchor_size> anchors{{16, 16}, {32, 32}};
  const hone::anchor_level level{.rows = 4, .columns = 4, .stride = 16, .anchors = anchors};
  const std::vector<hone::labelled_box> boxes{{.x = 0.3, .y = 0.6, .width = 0.3, .height = 0.25, .score = 0.25},
                                              {.x = 0.8, .y = 0.1, .width = 0.5, .height = 0.5}};
  const auto n = level.slots();
  std::vector<double> predicted;
  for (hone::index i = 0; i < n; ++i)
    for (const double x : {0.3, 0.6, 0.3, 0.25 + 0.01 * double(i)}) predicted.push_back(x);
  const hone::matrix_view boxes_of_slots{predicted.data(), n, 4};
  const auto objective = [&](hone::confidence_targets const& c) {
    return hone::weigh_rows(hone::binary_cross_entropy(hone::matrix_view{c.target.data(), n, 1}), c.weight);
  };
  const auto x = support::noise(7, n);
  const auto differs = [&](auto const& o) {
    return support::distance_from_differences(o, x, n, 1, hone::mean_over(2));
  };

  const auto matched = hone::ppyolo::match(level, boxes);
  const auto of_ppyolo = hone::ppyolo::objectness_targets(level, boxes_of_slots, boxes, matched);
  CHECK(std::count(of_ppyolo.weight.begin(), of_ppyolo.weight.end(), 0.0f) > 3);
  CHECK(differs(objective(of_ppyolo)) < 1e-9);
  const std::vector<double> ious(matched.size(), 0.375);
  const auto of_iou = hone::ppyolo::iou_targets(level, boxes, matched, ious);
  CHECK(differs(objective(of_iou)) < 1e-9);
  const auto of_yolov4 = hone::yolov4::objectness_targets(level, boxes_of_slots, boxes,
                                                          hone::yolov4::match(level, boxes), {.smooth = true});
  CHECK(differs(objective(of_yolov4)) < 1e-9);
  const auto near = hone::yolov5::match(level, boxes);
  const std::vector<double> of_near(near.size(), 0.625);
  const auto of_yolov5 = hone::yolov5::objectness_targets(level, near, of_near);
  CHECK(differs(hone::binary_cross_entropy(hone::matrix_view{of_yolov5.data(), n, 1})) < 1e-9);
}

TEST_CASE("confidences: invalid arguments throw, and nothing is written") {
  const hone::cpu one(1);
  std::vector<float> x(16, 1), out(16, 7);
  using view = hone::matrix_view<float>;
  const auto said = [&](view o, view u, view to, hone::fused_confidence_options options = {}) {
    return support::message([&] { hone::fused_confidence(one, o, u, to, options); });
  };
  const view good{x.data(), 2, 4}, to{out.data(), 2, 4};
  CHECK(said(good, {x.data(), 4, 2}, to) == "fused_confidence: iou is 4 x 2, objectness is 2 x 4");
  CHECK(said(good, good, {out.data(), 2, 3}) == "fused_confidence: out is 2 x 3, objectness is 2 x 4");
  CHECK(said({x.data(), -2, 4}, good, to) == "fused_confidence: objectness is -2 x 4, sizes must not be negative");
  CHECK(said(good, {x.data(), 2, 4, 3}, to) ==
        "fused_confidence: iou has a row_stride of 3, must be at least its 4 columns");
  CHECK(said(good, good, {static_cast<float*>(nullptr), 2, 4}) == "fused_confidence: out is 2 x 4 but has no data");
  CHECK(said(good, good, to, {.alpha = 1.5}) == "fused_confidence: alpha is 1.5, must be in [0, 1]");
  CHECK(said(good, good, to, {.alpha = not_a_number}) == "fused_confidence: alpha is nan, must be in [0, 1]");
  CHECK(said(good, good, to, {.epsilon = 0}) == "fused_confidence: epsilon is 0, must be in (0, 0.5)");
  CHECK(said(good, good, to, {.epsilon = not_a_number}) == "fused_confidence: epsilon is nan, must be in (0, 0.5)");
  CHECK(out == std::vector<float>(16, 7));

  const auto refused = [](auto const& body) { return support::message(body); };
  for (const double e : {-0.1, 1.1, not_a_number})
    CHECK(refused([&] { hone::smooth_binary(e); }).starts_with("smooth_binary: epsilon is "));
  CHECK(refused([&] { hone::ppyolo::smooth_binary(0); }) == "ppyolo::smooth_binary: classes is 0, must be at least 1");
  const hone::matrix_view<const float> t{x.data(), 2, 4};
  CHECK(refused([&] { hone::binary_cross_entropy(t, {.positive = not_a_number}); }) ==
        "binary_cross_entropy: positive is nan, must be in [0, 1]");
  CHECK(refused([&] { hone::binary_cross_entropy(t, {.positive = 1, .negative = -0.5}); }) ==
        "binary_cross_entropy: negative is -0.5, must be in [0, 1]");
}
