// SPDX-License-Identifier: MIT
#include <hone/adapt/soft_labels.hpp>
#include <hone/hone.hpp>
#include "../support/message.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using support::message;

const std::vector<int> first = {2, 0, 1}, second = {0, 0, 2};
const std::vector<float> lambda = {0.25F, 1, 0.5F};

/// 3 rows of 3 classes, padded to 5, of a target; the padding stays 7.
template <class T = float, class Target>
std::vector<T> written(Target const& target) {
  std::vector<T> all(15, T(7));
  hone::adapt::write_soft_labels(target, hone::matrix_view{all.data(), 3, 3, 5});
  return all;
}

TEST_CASE("labels, mixed and smoothed over the classes that exist; the padding stays") {
  CHECK(written(hone::classes(first)) == std::vector<float>{0, 0, 1, 7, 7, 1, 0, 0, 7, 7, 0, 1, 0, 7, 7});
  CHECK(written(hone::mix(hone::classes(first), hone::classes(second), lambda)) ==
        std::vector<float>{0.75F, 0, 0.25F, 7, 7, 1, 0, 0, 7, 7, 0, 0.5F, 0.5F, 7, 7});
  CHECK(written(hone::smooth(hone::classes(first), 0.75)) ==
        std::vector<float>{0.25F, 0.25F, 0.5F, 7, 7, 0.5F, 0.25F, 0.25F, 7, 7, 0.25F, 0.5F, 0.25F, 7, 7});
  const auto half = written<Eigen::half>(hone::smooth(hone::classes(first), 0.75));
  CHECK((float(half[2]) == 0.5F && float(half[3]) == 7));
}

TEST_CASE("probabilities of a matrix") {
  std::vector<double> q = {0.5, 0.25, 0.25, 0, 0, 1, 1, 0, 0};
  const hone::matrix_view rows{q.data(), 3, 3};
  CHECK(written(hone::smooth(hone::probabilities(rows), 0)) ==
        std::vector<float>{0.5F, 0.25F, 0.25F, 7, 7, 0, 0, 1, 7, 7, 1, 0, 0, 7, 7});
}

TEST_CASE("cross-entropy of the written rows is that of the target") {
  std::vector<float> z(9);
  for (std::size_t i = 0; i < 9; ++i) z[i] = float(i % 4) - 0.7F * float(i % 3);
  const auto target = hone::smooth(hone::mix(hone::classes(first), hone::classes(second), lambda), 0.1);
  auto q = written(target);
  const hone::matrix_view logits{z.data(), 3, 3};
  const double expected = hone::evaluate(hone::cpu(), hone::cross_entropy(target), logits);
  const double found = hone::evaluate(
      hone::cpu(), hone::cross_entropy(hone::probabilities(hone::matrix_view{q.data(), 3, 3, 5})), logits);
  CHECK(found == doctest::Approx(expected).epsilon(1e-6));
}

TEST_CASE("an ignored row has no soft labels, and errors write nothing") {
  std::vector<float> all(9, 7.F);
  const hone::matrix_view to{all.data(), 3, 3};
  const std::vector<int> ignored = {2, -100, 1}, wrong = {2, 3, 1}, few = {1};
  CHECK(message([&] { hone::adapt::write_soft_labels(hone::classes(ignored, {.ignore = -100}), to); }) ==
        "write_soft_labels: row 1 is ignored, soft labels cannot say so: leave the row out");
  CHECK(message([&] { hone::adapt::write_soft_labels(hone::classes(wrong), to); }) ==
        "evaluate: the label of row 1 is 3, must be in [0, 3)");
  CHECK(message([&] { hone::adapt::write_soft_labels(hone::classes(few), to); }) == "evaluate: 1 labels for 3 rows");
  CHECK(message([&] { hone::adapt::write_soft_labels(hone::probabilities(to), to); }) ==
        "write_soft_labels: labels overlap probabilities, must be apart");
  CHECK(message([&] {
          hone::adapt::write_soft_labels(hone::classes(first), hone::matrix_view{all.data(), 3, 3, 2});
        }) == "write_soft_labels: labels has a row_stride of 2, must be at least its 3 columns");
  CHECK(all == std::vector<float>(9, 7.F));
  const std::vector<int> none;
  hone::adapt::write_soft_labels(hone::classes(none), hone::matrix_view{all.data(), 0, 3});
  CHECK(all == std::vector<float>(9, 7.F));
}

}  // namespace
