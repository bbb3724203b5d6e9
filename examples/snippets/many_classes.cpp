// SPDX-License-Identifier: MIT
// The examples of docs/many_classes.md.
#include <hone/hone.hpp>

#include "expect.hpp"

#include <vector>

int main() {
  const hone::cpu cpu;
  const hone::index rows = 6, features = 4, classes = 9;
  std::vector<float> x, w, z(std::size_t(rows * classes)), dz(z.size());
  std::vector<int> labels;
  for (hone::index i = 0; i < rows * features; ++i) x.push_back(std::sin(float(i)));
  for (hone::index i = 0; i < classes * features; ++i) w.push_back(std::cos(float(i)));
  for (hone::index i = 0; i < rows; ++i) labels.push_back(int(i * 5 % classes));
  for (hone::index i = 0; i < rows; ++i)
    for (hone::index c = 0; c < classes; ++c)
      for (hone::index f = 0; f < features; ++f)
        z[std::size_t(i * classes + c)] += x[std::size_t(i * features + f)] * w[std::size_t(c * features + f)];
  std::vector<float> dx(x.size()), dw(w.size());
  // [linear]
  const hone::matrix_view input{x.data(), rows, features}, weight{w.data(), classes, features};
  const auto loss = hone::cross_entropy(hone::smooth(hone::classes(labels), 0.1)) + hone::z_loss(1e-4);
  const double value = hone::evaluate(
      cpu, loss, hone::linear_logits{input, weight},
      {.input_gradient = {dx.data(), rows, features}, .weight_gradient = {dw.data(), classes, features}});
  // [/linear]
  expect(
      value,
      hone::evaluate(cpu, loss, hone::matrix_view{z.data(), rows, classes}, {.gradient = {dz.data(), rows, classes}}),
      "the loss of logits that are not stored");
  double of_weight = 0;
  for (hone::index i = 0; i < rows; ++i)
    of_weight += double(dz[std::size_t(i * classes)]) * double(x[std::size_t(i * features)]);
  expect(dw[0], of_weight, "the gradient of the weight");

  for (float& g : dw) g = 0;
  // [accumulate]
  for (const hone::index first : {0, 3}) {  // micro-batches of 3 rows
    const std::span<const int> some = std::span(labels).subspan(std::size_t(first), 3);
    hone::evaluate(cpu, hone::cross_entropy(hone::classes(some)),
                   hone::linear_logits{hone::matrix_view{x.data() + first * features, 3, features}, weight},
                   {.weight_gradient = {dw.data(), classes, features}, .accumulate = true}, hone::mean_over(rows));
  }
  // [/accumulate]
  std::vector<float> whole(w.size());
  hone::evaluate(cpu, hone::cross_entropy(hone::classes(labels)), hone::linear_logits{input, weight},
                 {.weight_gradient = {whole.data(), classes, features}});
  expect(dw[5], whole[5], "the gradient of two micro-batches");
  return failures;
}
