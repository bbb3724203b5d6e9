// SPDX-License-Identifier: MIT
// What docs/distributed.md shows of classes that are cut over ranks; here ranks are threads.
#include <hone/distributed/thread_group.hpp>
#include <hone/hone.hpp>

#include "expect.hpp"

#include <cmath>
#include <vector>

int main() {
  const hone::index rows = 6, classes = 10;
  std::vector<float> whole;
  std::vector<int> labels;
  for (hone::index i = 0; i < rows * classes; ++i) whole.push_back(3 * std::sin(float(i)));
  for (hone::index i = 0; i < rows; ++i) labels.push_back(int(3 * i % classes));
  hone::cpu every_core;
  const double expected =
      hone::evaluate(every_core, hone::cross_entropy(hone::smooth(hone::classes(labels), 0.1)) + hone::z_loss(1e-4),
                     hone::matrix_view{whole.data(), rows, classes});
  hone::run_ranks(2, [&](auto const& ranks) {
    hone::cpu cpu{1};
    const hone::index first_class = ranks.rank() == 0 ? 0 : 4, columns = ranks.rank() == 0 ? 4 : 6;
    std::vector<float> gradient(std::size_t(rows * columns));
    const hone::matrix_view logits{whole.data() + first_class, rows, columns, classes};
    // [evaluate]
    const double loss = hone::evaluate(
        cpu, hone::cross_entropy(hone::smooth(hone::classes(labels), 0.1)) + hone::z_loss(1e-4),
        hone::class_shard{logits, first_class, classes, ranks}, {.gradient = {gradient.data(), rows, columns}});
    // [/evaluate]
    if (ranks.rank() == 0) expect(loss, expected, "the loss of cut classes");
  });
  return failures;
}
