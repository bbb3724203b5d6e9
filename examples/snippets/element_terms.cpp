// SPDX-License-Identifier: MIT
// The element-wise terms of docs/terms.md, each against its formula in double.
#include "expect.hpp"

#include <hone/hone.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double bce(double x, double t) { return -t * std::log(sigmoid(x)) - (1 - t) * std::log(1 - sigmoid(x)); }

}  // namespace

int main() {
  const int rows = 2, columns = 2;
  const std::vector<float> logits = {2, -1, 0.5f, -3};
  const std::vector<float> scores = {1, 0, 0, 0.5f}, qualities = {0.75f, 0, 0, 0.5f};
  hone::cpu cpu;
  const hone::matrix_view x{logits.data(), rows, columns};
  const auto sum = [&](auto const& objective) { return hone::evaluate(cpu, objective, x, {}, hone::sum); };
  const auto expected = [&](std::vector<float> const& t, auto const& loss) {
    double total = 0;
    for (std::size_t i = 0; i < 4; ++i) total += loss(double(logits[i]), double(t[i]));
    return total;
  };
  {
    // [binary_cross_entropy]
    std::vector<int> labels = {0, -1};  // the second row is background: 0 in every column
    auto one_hot = hone::binary_cross_entropy(hone::classes(labels));
    auto objective = hone::binary_cross_entropy(hone::matrix_view{scores.data(), rows, columns});
    // [/binary_cross_entropy]
    expect(sum(one_hot), expected({1, 0, 0, 0}, bce), "binary_cross_entropy of labels");
    expect(sum(objective), expected(scores, bce), "binary_cross_entropy");
  }
  {
    const std::vector<int> first = {0, 1}, second = {1, 1};
    const std::vector<float> lambda = {0.75f, 0.5f};
    // [mixed]
    auto target = hone::smooth(hone::mix(hone::classes(first), hone::classes(second), lambda), 0.1);
    auto objective = hone::binary_cross_entropy(target);  // row 0: 0.725 and 0.275
    // [/mixed]
    expect(sum(objective), expected({0.725f, 0.275f, 0.05f, 0.95f}, bce), "mixed targets");
  }
  {
    const std::vector<float> weights = {1, 3}, mask = {1, 0, 1, 1};
    const auto loss = hone::binary_cross_entropy(hone::matrix_view{scores.data(), rows, columns});
    const auto weighed = [&](auto const& weight) {
      double total = 0;
      for (std::size_t i = 0; i < 4; ++i) {
        const double x0 = double(logits[i]), t = double(scores[i]), p = sigmoid(x0), w = weight(i);
        total += -w * t * std::log(p) - (1 - t) * std::log(1 - p);
      }
      return total;
    };
    {
      // [weigh_positives]
      auto all_alike = hone::weigh_positives(loss, 2);  // PyTorch's pos_weight
      auto per_column = hone::weigh_positives(loss, weights);
      // [/weigh_positives]
      expect(sum(all_alike), weighed([](std::size_t) { return 2.0; }), "weigh_positives");
      expect(sum(per_column), weighed([&](std::size_t i) { return double(weights[i % 2]); }), "weigh_positives");
    }
    {
      // [weigh_columns]
      auto objective = hone::weigh_columns(loss, weights);
      // [/weigh_columns]
      double total = 0;
      for (std::size_t i = 0; i < 4; ++i) total += double(weights[i % 2]) * bce(double(logits[i]), double(scores[i]));
      expect(sum(objective), total, "weigh_columns");
    }
    {
      const double labelled = 3;
      // [weigh_elements]
      auto objective = hone::weigh_elements(loss, hone::matrix_view{mask.data(), rows, columns});  // 0: no label
      double value = hone::evaluate(cpu, objective, x, {}, hone::mean_over(labelled));
      // [/weigh_elements]
      double total = 0;
      for (std::size_t i = 0; i < 4; ++i) total += double(mask[i]) * bce(double(logits[i]), double(scores[i]));
      expect(value, total / labelled, "weigh_elements");
    }
  }
  {
    const double positives = 2;
    // [sigmoid_focal_loss]
    auto objective =
        hone::sigmoid_focal_loss(hone::matrix_view{scores.data(), rows, columns}, {.alpha = 0.25, .gamma = 2});
    double loss = hone::evaluate(cpu, objective, x, {}, hone::mean_over(positives));
    // [/sigmoid_focal_loss]
    expect(loss,
           expected(scores,
                    [](double z, double t) {
                      const double p = sigmoid(z), p_t = p * t + (1 - p) * (1 - t);
                      return (0.25 * t + 0.75 * (1 - t)) * std::pow(1 - p_t, 2) * bce(z, t);
                    }) /
               2,
           "sigmoid_focal_loss");
  }
  {
    // [quality_focal_loss]
    auto objective = hone::quality_focal_loss(hone::matrix_view{qualities.data(), rows, columns}, {.beta = 2});
    // [/quality_focal_loss]
    expect(sum(objective),
           expected(qualities, [](double z, double q) { return std::pow(std::abs(q - sigmoid(z)), 2) * bce(z, q); }),
           "quality_focal_loss");
  }
  {
    // [varifocal_loss]
    auto objective =
        hone::varifocal_loss(hone::matrix_view{qualities.data(), rows, columns}, {.alpha = 0.75, .gamma = 2});
    // [/varifocal_loss]
    expect(
        sum(objective),
        expected(qualities,
                 [](double z, double q) { return q > 0 ? q * bce(z, q) : 0.75 * std::pow(sigmoid(z), 2) * bce(z, 0); }),
        "varifocal_loss");
  }
  {
    // [asymmetric_loss]
    auto objective = hone::asymmetric_loss(hone::matrix_view{scores.data(), rows, columns},
                                           {.gamma_positive = 1, .gamma_negative = 4, .clip = 0.05});
    double loss = hone::evaluate(cpu, objective, x, {}, hone::sum);
    // [/asymmetric_loss]
    expect(loss,
           expected(scores,
                    [](double z, double t) {
                      const double p = sigmoid(z), m = std::max(p - 0.05, 0.0);
                      return -t * (1 - p) * std::log(p) - (1 - t) * std::pow(m, 4) * std::log(1 - m);
                    }),
           "asymmetric_loss");
  }
  {
    // [poly1_binary_cross_entropy]
    auto objective = hone::poly1_binary_cross_entropy(hone::matrix_view{scores.data(), rows, columns}, {.epsilon = 2});
    // [/poly1_binary_cross_entropy]
    expect(sum(objective),
           expected(scores,
                    [](double z, double t) {
                      const double p = sigmoid(z);
                      return bce(z, t) + 2 * (1 - p * t - (1 - p) * (1 - t));
                    }),
           "poly1_binary_cross_entropy");
  }
  return failures;
}
