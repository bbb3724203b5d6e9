// SPDX-License-Identifier: MIT
/// The recipe of labels.hpp on a struct with ggml_tensor's members, compared with plain loops.
#include "labels.hpp"

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace {

/// Members of ggml_tensor.
struct tensor {
  std::int64_t ne[4];
  std::size_t nb[4];
  void* data;
};

int wrong = 0;

void expect(bool ok, char const* what) {
  if (ok) return;
  std::printf("wrong: %s\n", what);
  ++wrong;
}

}  // namespace

int main() {
  const std::int64_t classes = 5, padded = 8, samples = 4;
  std::vector<float> memory(std::size_t(padded * samples), 0);  // ggml_opt_dataset_init leaves it as it is allocated
  const tensor t{{padded, samples, 1, 1},
                 {sizeof(float), sizeof(float) * std::size_t(padded), memory.size() * 4, memory.size() * 4},
                 memory.data()};
  const std::vector<int> y = {4, 0, 2, 2};
  // [mixed]
  const auto draw = hone::mixup{.alpha = 0.2}.draw(1, 0, samples);  // seed, step, samples; blend the data by it, too
  const auto target =
      hone::smooth(hone::mix(hone::classes(y), hone::partner_classes(y, draw.partner), draw.lambda), 0.1);
  hone::adapt::write_soft_labels(target, example::label_rows(t, classes));
  // [/mixed]
  double most = 0;
  for (std::size_t i = 0; i < y.size(); ++i)
    for (int c = 0; c < padded; ++c) {
      const double l = double(draw.lambda[i]), other = y[std::size_t(draw.partner[i])];
      const double q = c < classes ? 0.9 * (l * (c == y[i]) + (1 - l) * (c == other)) + 0.1 / 5 : 0;
      most = std::max(most, std::abs(double(memory[i * std::size_t(padded) + std::size_t(c)]) - q));
    }
  expect(most < 1e-6, "mixed and smoothed labels; the padding is 0");

  const auto message = [&](tensor const& wrong_tensor, std::int64_t count) {
    try {
      example::label_rows(wrong_tensor, count);
    } catch (hone::invalid_argument const& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  tensor half = t, cube = t;
  half.nb[0] = 2, cube.ne[2] = 3;
  expect(message(half, 5).starts_with("label_rows: 5 classes of a tensor of 8 x 4 x 1 x 1"), "a tensor of half");
  expect(message(cube, 5).starts_with("label_rows: 5 classes of a tensor of 8 x 4 x 3 x 1"),
         "a tensor of 3 dimensions");
  expect(message(t, 9).starts_with("label_rows: 9 classes of a tensor of 8 x 4 x 1 x 1"), "more classes than ne0");
  if (wrong == 0) std::printf("as in plain loops\n");
  return wrong;
}
