// SPDX-License-Identifier: MIT
// The losses of docs/segmentation.md, each against its formula in double.
#include "expect.hpp"

#include <hone/hone.hpp>

#include <cmath>
#include <vector>

int main() {
  const int images = 1, classes = 3, height = 1, width = 4;
  const std::vector<float> logits = {2, 0, -1, 0, 0, 1, 0, 3, -1, 0, 2, 0};  // class by class
  const std::vector<int> labels = {0, 1, 255, 1};
  std::vector<float> gradient(logits.size());
  hone::cpu cpu;

  double I[3] = {}, P[3] = {}, Q[3] = {}, cross_entropy = 0;
  for (std::size_t i : {0, 1, 3}) {
    double total = 0;
    for (std::size_t c = 0; c < 3; ++c) total += std::exp(double(logits[c * 4 + i]));
    for (std::size_t c = 0; c < 3; ++c) {
      const double p = std::exp(double(logits[c * 4 + i])) / total, q = labels[i] == int(c) ? 1 : 0;
      I[c] += p * q, P[c] += p, Q[c] += q;
      cross_entropy -= q * std::log(p) / 3;
    }
  }
  const auto dice = [&](int c, double s) { return (2 * I[c] + s) / (P[c] + Q[c] + s); };
  {
    // [sum]
    auto target = hone::classes(labels, {.ignore = 255});
    auto objective = hone::cross_entropy(target) + 0.5 * hone::dice_loss(target);
    double loss = hone::evaluate(cpu, objective, hone::image_view{logits.data(), images, classes, height, width},
                                 {.gradient = {gradient.data(), images, classes, height, width}});
    // [/sum]
    expect(loss, cross_entropy + 0.5 * (1 - (dice(0, 0) + dice(1, 0)) / 2), "sum");  // class 2 is absent
    expect(gradient[2] == 0, "an ignored pixel");
  }
  const hone::image_view z{logits.data(), images, classes, height, width};
  const auto target = hone::classes(labels, {.ignore = 255});
  {
    // [options]
    const std::vector<float> weights{0, 1, 1};  // without the background
    auto objective = hone::dice_loss(target, {.smooth = 1,
                                              .logarithm = true,
                                              .per_image = true,
                                              .absent = hone::absent_classes::counted,
                                              .weights = weights});
    // [/options]
    expect(hone::evaluate(cpu, objective, z), -(std::log(dice(1, 1)) + std::log(dice(2, 1))) / 2, "options");
  }
  {
    // [lovasz]
    auto objective = hone::lovasz_softmax_loss(target, {.per_image = true});
    // [/lovasz]
    double p[2][3] = {};  // of classes 0 and 1 in the pixels that count
    for (std::size_t c = 0; c < 2; ++c)
      for (std::size_t j = 0; j < 3; ++j) {
        const std::size_t i = j == 2 ? 3 : j;
        double total = 0;
        for (std::size_t k = 0; k < 3; ++k) total += std::exp(double(logits[k * 4 + i]));
        p[c][j] = std::exp(double(logits[c * 4 + i])) / total;
      }
    // Class 0 has the first pixel, whose error is the second of three; class 1 the others, with the errors 1 and 3.
    const double of_0 = p[0][1] / 2 + (1 - p[0][0]) / 2;
    const double of_1 = (1 - p[1][1]) / 2 + p[1][0] / 6 + (1 - p[1][2]) / 3;
    expect(hone::evaluate(cpu, objective, z), (of_0 + of_1) / 2, "lovasz");
  }
  {
    const std::vector<float> x = {2, 0, -1, 3}, numbers = {1, 0, 1, 1}, counted = {1, 1, 0, 1};
    const hone::image_view masks{numbers.data(), 1, 1, height, width}, kept{counted.data(), 1, 1, height, width},
        prediction{x.data(), 1, 1, height, width};
    double both = 0, of_p = 0, of_t = 0, binary = 0, focal = 0;
    for (std::size_t i : {0, 1, 3}) {
      const double p = 1 / (1 + std::exp(-double(x[i]))), t = numbers[i], hit = p * t + (1 - p) * (1 - t);
      both += p * t, of_p += p, of_t += t;
      binary -= std::log(hit) / 4;
      focal -= (0.25 * t + 0.75 * (1 - t)) * (1 - hit) * (1 - hit) * std::log(hit) / 4;
    }
    const double loss_of_mask = 1 - 2 * both / (of_p + of_t);
    {
      // [sigmoid]
      auto objective = hone::binary_cross_entropy(masks) + 0.5 * hone::sigmoid_dice_loss(masks);
      double loss = hone::evaluate(cpu, hone::weigh_elements(objective, kept), prediction);  // kept: 0 for unlabelled
      // [/sigmoid]
      expect(loss, binary + 0.5 * loss_of_mask, "sigmoid");
    }
    auto objective = hone::sigmoid_focal_loss(masks) + hone::sigmoid_dice_loss(masks);
    expect(hone::evaluate(cpu, hone::weigh_elements(objective, kept), prediction), focal + loss_of_mask, "focal");
  }
  {
    // [parity]
    auto objective = hone::parity::monai_dice_loss(target, {.batch = true});
    // [/parity]
    const double s = 1e-5;
    expect(hone::evaluate(cpu, objective, z), 1 - (dice(0, s) + dice(1, s) + dice(2, s)) / 3, "parity");
  }
  return failures;
}
