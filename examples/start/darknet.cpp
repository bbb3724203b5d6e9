// SPDX-License-Identifier: MIT
// What docs/darknet.md begins with.
// [program]
#include <hone/adapt/darknet.hpp>
#include <hone/hone.hpp>

#include <cstdio>
#include <vector>

struct layer {  // in a trainer: #include <darknet.h>
  int batch, inputs, outputs, groups;
  float temperature, *output, *delta, *cost;
  void* softmax_tree;
};

/// Smoothed cross-entropy: forward_softmax_layer calls it in place of softmax_x_ent_cpu.
extern "C" void smoothed_delta(layer l, const float* input, const int* labels) {
  const std::vector<int> y(labels, labels + l.batch * l.groups);
  hone::adapt::delta(hone::cpu(), hone::cross_entropy(hone::smooth(hone::classes(y), 0.1)), l, input);
}

int main() {  // stands in for darknet
  std::vector<float> input = {2, 0, -1, 0.5f, 1, 3}, output(6), delta(6);
  const std::vector<int> labels = {0, 2};
  float cost = 0;
  smoothed_delta({2, 3, 3, 1, 1, output.data(), delta.data(), &cost, nullptr}, input.data(), labels.data());
  std::printf("cost %.4f\n", static_cast<double>(cost));
  for (float d : delta) std::printf("%8.4f", static_cast<double>(d));
  std::puts("");
}
// [/program]
