// SPDX-License-Identifier: MIT
// Where float arithmetic in a kernel differs from the C library: within its error budget, and right at the edges. The
// simulator rounds the chip's approximations as the C library does, so that only a GPU shows their own part of the
// error.
#include <hone/cuda/simd/device_float.cuh>

#include <cuda/device.cuh>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace hone::on_cuda;

namespace {

struct answer {
  float exp, quotient;
};

__global__ void compute(float const* a, float const* b, answer* to, int n) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= n) return;
  const device_float x = a[i], y = b[i];
  to[i] = {static_cast<float>(exp_of_nonpositive(x)), static_cast<float>(x / y)};
}

std::vector<answer> answers(std::vector<float> const& a, std::vector<float> const& b) {
  const device::buffer<float> x(a), y(b);
  const device::buffer<answer> to(a.size());
  const int n = static_cast<int>(a.size());
  compute<<<(n + 255) / 256, 256, 0, cudaStreamPerThread>>>(x.data(), y.data(), to.data(), n);
  check(cudaGetLastError(), "compute");
  check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  return to.host();
}

double ulps(float actual, double exact) {
  const float near = static_cast<float>(exact);
  return std::abs(double(actual) - exact) /
         (double(std::nextafter(std::abs(near), HUGE_VALF)) - double(std::abs(near)));
}

constexpr float inf = std::numeric_limits<float>::infinity();
const float not_a_number = std::numeric_limits<float>::quiet_NaN();

}  // namespace

TEST_CASE("device exp is within 2 ulp plus the effect of 1 ulp in x, and device division within 2 ulp") {
  std::vector<float> x, y;
  for (int i = 0; i < 20000; ++i) {
    x.push_back(-87.3f * static_cast<float>(i) / 20000);
    y.push_back(std::ldexp(1 + static_cast<float>(i * 7919 % 20000) / 20000, i % 240 - 120));
  }
  const std::vector<answer> seen = answers(x, y);
  double worst_exp = 0, worst_quotient = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    worst_exp = std::max(worst_exp, ulps(seen[i].exp, std::exp(double(x[i]))) / (2 + 1.2 * std::abs(double(x[i]))));
    if (const double quotient = double(x[i]) / double(y[i]); std::abs(quotient) > 1e-37 && std::abs(quotient) < 1e38)
      worst_quotient = std::max(worst_quotient, ulps(seen[i].quotient, quotient));
  }
  MESSAGE("largest error of exp_of_nonpositive: ", worst_exp, " of its budget, of a division: ", worst_quotient,
          " ulp");
  CHECK(worst_exp <= 1);
  CHECK(worst_quotient <= 2);
}

TEST_CASE("device exp and division are right for 0, infinities, NaN, denormals and huge divisors") {
  const std::vector<answer> seen =
      answers({0, -inf, not_a_number, -1e30f, -100, 3, -inf}, {1, 1, 1, 2e38f, 1e-40f, not_a_number, inf});
  CHECK(seen[0].exp == 1);
  CHECK(seen[1].exp == 0);
  CHECK(std::isnan(seen[2].exp));
  CHECK(seen[3].exp == 0);
  CHECK(seen[4].exp == 0);  // denormal, and so gone
  CHECK(seen[0].quotient == 0);
  CHECK(seen[1].quotient == -inf);
  CHECK(std::isnan(seen[2].quotient));
  CHECK(seen[3].quotient == doctest::Approx(-5e-9));  // a divisor beyond 2^126
  CHECK(std::isnan(seen[5].quotient));
  CHECK(std::isnan(seen[6].quotient));
}
