// SPDX-License-Identifier: MIT
// What docs/threads.md shows: the same bits from any number of threads, and several callers at once.
#include <hone/hone.hpp>

#include <cmath>
#include <thread>
#include <vector>

int main() {
  const hone::index rows = 2000, columns = 50;
  std::vector<float> logits;
  std::vector<int> labels;
  for (hone::index i = 0; i < rows * columns; ++i) logits.push_back(std::sin(float(i)));
  for (hone::index i = 0; i < rows; ++i) labels.push_back(int(i % columns));
  const auto objective = hone::cross_entropy(hone::classes(labels));
  const hone::matrix_view z{logits.data(), rows, columns};
  // [backends]
  hone::cpu every_core;
  hone::cpu two{2};
  hone::cpu one{1};
  bool same = hone::evaluate(one, objective, z) == hone::evaluate(every_core, objective, z);  // always
  // [/backends]
  // [callers]
  double first = 0, second = 0;
  std::thread other([&] { first = hone::evaluate(two, objective, z); });
  second = hone::evaluate(two, objective, z);
  other.join();
  // [/callers]
  return same && first == second ? 0 : 1;
}
