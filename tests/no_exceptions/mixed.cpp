// SPDX-License-Identifier: MIT
// With exceptions, in one program with mixed_part.cpp, which has none: a bad argument throws here, whatever the order
// in which both are linked.
#include <hone/hone.hpp>

#include <cstdio>
#include <vector>

double loss_without_exceptions();

int main() {
  const std::vector<float> logits(12, 0.5f);
  const std::vector<int> labels{0, 1, 2};  // for four rows
  if (!(loss_without_exceptions() > 0)) return 2;
  try {
    hone::evaluate(hone::cpu{1}, hone::cross_entropy(hone::classes(labels)), hone::matrix_view{logits.data(), 4, 3});
  } catch (hone::invalid_argument const&) {
    return 0;
  }
  std::puts("nothing was thrown");
  return 1;
}
