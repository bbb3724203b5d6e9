// SPDX-License-Identifier: MIT
// A mean over a divisor of 0: the value and the gradient are 0, and the unreduced losses are those of the logits, also
// when the gradient is written in place over the logits.
#include <hone/hone.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace {

std::vector<float> logits_of(hone::index rows, hone::index columns) {
  std::vector<float> z;
  z.reserve(std::size_t(rows * columns));
  for (hone::index i = 0; i < rows * columns; ++i) z.push_back(3 * static_cast<float>(std::sin(1.7 * double(i) + 1)));
  return z;
}

/// The losses with the gradient in place are those without a gradient; both are written, and the value is 0.
template <class Objective>
void in_place(const char* name, Objective const& objective, std::vector<float> z, hone::index rows, hone::index columns,
              std::size_t losses, hone::reduction how) {
  CAPTURE(name);
  CAPTURE(rows);
  CAPTURE(columns);
  hone::cpu cpu;
  const hone::matrix_view view{z.data(), rows, columns};
  std::vector<float> expected(losses, -1), found(losses, -2);
  hone::evaluate(cpu, objective, view, {.unreduced = expected.data()}, hone::sum);
  float value = 5;
  CHECK(hone::evaluate(cpu, objective, view, {.gradient = view, .unreduced = found.data(), .value = &value}, how) == 0);
  CHECK(value == 0);
  CHECK(found == expected);
  CHECK(z == std::vector<float>(z.size(), 0.0f));
}

}  // namespace

TEST_CASE("mean_over(0) with the gradient in place leaves the unreduced losses right") {
  const auto none = hone::mean_over(0);
  for (const hone::index columns : {1, 2, 10, 32, 37, 80, 1000})
    for (const hone::index rows : {1, 5, 64}) {
      const auto z = logits_of(rows, columns);
      const auto n = std::size_t(rows), all = std::size_t(rows * columns);
      const std::vector<int> labels(n, int(columns - 1));
      const std::vector<float> q(all, 0.25f), teacher = logits_of(rows * columns, 1),
                                              weights(std::size_t(columns), 0.0f);
      const hone::matrix_view t{teacher.data(), rows, columns}, soft{q.data(), rows, columns};
      const auto target = hone::classes(labels);
      in_place("cross_entropy", hone::cross_entropy(target), z, rows, columns, n, none);
      in_place("smooth", hone::cross_entropy(hone::smooth(target, 0.1)), z, rows, columns, n, none);
      in_place("probabilities", hone::cross_entropy(hone::probabilities(soft)), z, rows, columns, n, none);
      in_place("focal", hone::softmax_focal_loss(target), z, rows, columns, n, none);
      in_place("distillation", hone::distillation(t, 2) + hone::z_loss(1e-3), z, rows, columns, n, none);
      in_place("decoupled", hone::decoupled_distillation(target, t, 2), z, rows, columns, n, none);
      in_place("bce", hone::binary_cross_entropy(soft), z, rows, columns, all, none);
      in_place("focal of labels", hone::sigmoid_focal_loss(target), z, rows, columns, all, none);
      // Labels of weight 0, of which smoothing leaves a loss.
      if (columns > 1) {
        std::vector<float> w(std::size_t(columns), 1.0f);
        w.back() = 0;
        in_place("weight 0", hone::cross_entropy(hone::weigh_classes(hone::smooth(target, 0.2), w)), z, rows, columns,
                 n, hone::mean);
      }
    }
}

TEST_CASE("mean_over(0) with the gradient in place leaves the losses of boxes and images right") {
  std::vector<float> boxes = {0, 0, 2, 2, 1, 1, 4, 5, 0, 3, 2, 8}, targets = {1, 1, 3, 3, 1, 1, 4, 4, 2, 2, 3, 3};
  in_place("iou", hone::iou_loss(hone::matrix_view{targets.data(), 3, 4}), boxes, 3, 4, 3, hone::mean_over(0));
  in_place("ciou", hone::ciou_loss(hone::matrix_view{targets.data(), 3, 4}), boxes, 3, 4, 3, hone::mean_over(0));

  std::vector<float> z = logits_of(30, 1), expected(10), found(10);
  const std::vector<int> labels = {0, 1, 2, 0, 1, 2, 0, 1, 2, 0};
  const hone::image_view<float> view{z.data(), 2, 3, 5};
  hone::cpu cpu;
  const auto objective = hone::cross_entropy(hone::classes(labels));
  hone::evaluate(cpu, objective, view, {.unreduced = expected.data()});
  CHECK(hone::evaluate(cpu, objective, view, {.gradient = view, .unreduced = found.data()}, hone::mean_over(0)) == 0);
  CHECK(found == expected);
  CHECK(z == std::vector<float>(30, 0.0f));
}

TEST_CASE("mean_over(0) in place: the unreduced binary cross-entropy is the one worked out by hand") {
  hone::cpu cpu;
  float x[] = {3}, t[] = {0}, loss = 0;
  const hone::matrix_view one{x, 1, 1};
  hone::evaluate(cpu, hone::binary_cross_entropy(hone::matrix_view{t, 1, 1}), one,
                 {.gradient = one, .unreduced = &loss}, hone::mean_over(0));
  CHECK(loss == doctest::Approx(3.0485873516));
}

TEST_CASE("mean_over(0) has a value of 0 and gradients of 0 even if logits are NaN") {
  std::vector<float> z = {1, std::numeric_limits<float>::quiet_NaN(), 3, std::numeric_limits<float>::infinity()};
  const std::vector<int> labels = {0, 1};
  const hone::matrix_view view{z.data(), 2, 2};
  hone::cpu cpu;
  CHECK(hone::evaluate(cpu, hone::cross_entropy(hone::classes(labels)), view, {.gradient = view}, hone::mean_over(0)) ==
        0);
  CHECK(z == std::vector<float>(4, 0.0f));
}
