// SPDX-License-Identifier: MIT
// A part of the conformance cases, small enough for an emulated processor (platforms.py).
#include <hone/hone.hpp>

#include <conformance/boxes.hpp>
#include <conformance/elements.hpp>
#include <conformance/rows.hpp>
#include <cpu/this_machine.hpp>

namespace {

using conformance::shape;

const std::vector<shape> sizes{{1, 1}, {5, 2}, {129, 10}, {7, 31, 3}, {8, 1001}};

}  // namespace

TEST_CASE_TEMPLATE("row losses pass their conformance cases", T, float, double, Eigen::half, Eigen::bfloat16) {
  conformance::rows_of_labels<on_this_machine, T>(sizes);
}
TEST_CASE_TEMPLATE("element-wise losses pass their conformance cases", T, float, Eigen::half, Eigen::bfloat16) {
  conformance::element_loss<on_this_machine, T>([](auto targets) { return hone::sigmoid_focal_loss(targets); },
                                                hone::sigmoid_focal_formula(0.25, 2), sizes);
}
TEST_CASE_TEMPLATE("box losses pass their conformance cases", T, float, double, Eigen::half) {
  const std::vector<shape> boxes{{3, 4, 3}, {16, 4}, {333, 4}};
  conformance::box_loss<on_this_machine, T>([](auto b) { return hone::ciou_loss(b, hone::centers); }, hone::centers,
                                            boxes);
  conformance::box_formula_alone<on_this_machine, T>([](auto b) { return hone::giou_loss(b); }, hone::corners, boxes);
}
TEST_CASE("clip_by_global_norm and ema are right for 16-bit numbers") {
  std::vector<Eigen::bfloat16> g(37, Eigen::bfloat16(3.0f));
  const hone::tensor_list<Eigen::bfloat16> list{{g.data(), 37}};
  const double norm = 3 * std::sqrt(37.0);
  CHECK(hone::transform(hone::cpu(2), hone::clip_by_global_norm(1), list).norm == doctest::Approx(norm));
  for (const Eigen::bfloat16 x : g) CHECK(static_cast<float>(x) == doctest::Approx(3 / norm).epsilon(0.005));
  hone::ema_state<float> state(list, {.from_zero = true});
  hone::update(hone::cpu(2), hone::ema{.decay = 0.9}, state, list);
  CHECK(double(state.tensors()[0].data[36]) == doctest::Approx(0.1 * double(static_cast<float>(g[36]))));
}
