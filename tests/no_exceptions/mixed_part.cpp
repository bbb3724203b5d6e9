// SPDX-License-Identifier: MIT
// Built with -fno-exceptions; see mixed.cpp.
#include <hone/hone.hpp>

#include <vector>

double loss_without_exceptions();

double loss_without_exceptions() {
  const std::vector<float> logits(12, 0.5f);
  const std::vector<int> labels{0, 1, 2, 0};
  return hone::evaluate(hone::cpu{1}, hone::cross_entropy(hone::classes(labels)),
                        hone::matrix_view{logits.data(), 4, 3});
}
