// SPDX-License-Identifier: MIT
// The arithmetic of launches, beyond 2^31 elements too. Needs no CUDA.
#include <hone/cuda/launch.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <random>

using hone::index;
namespace on_cuda = hone::on_cuda;

static_assert(on_cuda::blocks_for(0) == 1);
static_assert(on_cuda::blocks_for(1) == 1);
static_assert(on_cuda::blocks_for(256) == 1);
static_assert(on_cuda::blocks_for(257) == 2);
static_assert(on_cuda::blocks_for(index(1) << 40) == on_cuda::most_blocks);
static_assert(on_cuda::line_cut(3, 10, 4).pieces() == 9);
static_assert(on_cuda::line_cut(1, (index(1) << 33) + 1, 8).pieces() == (index(1) << 30) + 1);
static_assert(on_cuda::line_cut(5, 0, 4).pieces() == 0);

TEST_CASE("a divider divides") {
  std::mt19937_64 random(1);
  for (const index by : {index(1), index(2), index(3), index(10), index(80), index(1000), index(50257), index(1) << 20,
                         (index(1) << 31) - 1, (index(1) << 33) + 7}) {
    const on_cuda::divider d(by);
    bool right = true;
    for (int k = 0; k < 20000; ++k) {
      const index i = static_cast<index>(random() >> (12 + k % 50)), first = i / by * by;  // below 2^52
      for (const index x : {i, first, first + by - 1, first > 0 ? first - 1 : 0}) right &= d.quotient(x) == x / by;
    }
    CAPTURE(by);
    CHECK(right);
  }
}
