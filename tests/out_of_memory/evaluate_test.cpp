// SPDX-License-Identifier: MIT
#include "failing_memory.hpp"

#include <hone/hone.hpp>

#include <doctest/doctest.h>

#include <new>
#include <vector>

TEST_CASE("evaluate without memory throws bad_alloc and writes nothing") {
  // A prediction so wide that the thread's scratch has to grow.
  const hone::index columns = 3'000'017;
  std::vector<float> z(std::size_t(columns), 1.0f), gradient(z.size(), 7.0f);
  const std::vector<int> labels = {0};
  float unreduced = 7, value = 7;
  hone::cpu cpu{1};
  const hone::outputs<float> out{.gradient = {gradient.data(), 1, columns}, .unreduced = &unreduced, .value = &value};
  const auto objective = hone::cross_entropy(hone::classes(labels));
  bool threw = false;
  fail_all_allocations(true);
  try {
    hone::evaluate(cpu, objective, hone::matrix_view{z.data(), 1, columns}, out, hone::mean_over(0));
  } catch (std::bad_alloc const&) {
    threw = true;
  }
  fail_all_allocations(false);
  CHECK(threw);
  CHECK(gradient == std::vector<float>(z.size(), 7.0f));
  CHECK(unreduced == 7);
  CHECK(value == 7);
}
