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
  float exp, quotient, log1p, reciprocal, product, angle, share;
};

__global__ void compute(float const* a, float const* b, answer* to, int n) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= n) return;
  const device_float x = a[i], y = b[i];
  to[i] = {static_cast<float>(exp_of_nonpositive(x)), static_cast<float>(x / y),
           static_cast<float>(log1p_of_unit(y)),      static_cast<float>(reciprocal(y)),
           static_cast<float>(quotient(x, y)),        static_cast<float>(angle_of(x, y)),
           static_cast<float>(share_of(x, y))};
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

TEST_CASE("device quotients are within 2 ulp, and device angles within 4 ulp, for divisors of 2^-126 to 2^126") {
  std::vector<float> y, x;
  for (int i = 0; i < 60000; ++i) {
    x.push_back(std::ldexp(1 + static_cast<float>(i * 7919 % 20011) / 20011, i % 252 - 126));
    const float ratio = i % 3 == 0 ? 1 + static_cast<float>(i % 1009 - 504) / 2000
                                   : std::ldexp(1 + static_cast<float>(i * 104729 % 20011) / 20011, i % 61 - 30);
    y.push_back((i % 2 ? 1.0f : -1.0f) * x.back() * ratio);
    if (!(std::abs(y.back()) > 1e-36f && std::abs(y.back()) < 1e36f)) x.pop_back(), y.pop_back();
  }
  const std::vector<answer> seen = answers(y, x);
  double worst_quotient = 0, worst_angle = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    worst_quotient = std::max(worst_quotient, ulps(seen[i].product, double(y[i]) / double(x[i])));
    worst_angle = std::max(worst_angle, ulps(seen[i].angle, std::atan(double(y[i]) / double(x[i]))));
  }
  MESSAGE("largest error of a quotient: ", worst_quotient, " ulp, of an angle: ", worst_angle, " ulp");
  CHECK(worst_quotient <= 2);
  CHECK(worst_angle <= 4);
  const float tiny = std::ldexp(1.0f, -126), huge = std::ldexp(1.0f, 126);
  const std::vector<answer> edges =
      answers({0, -0.0f, not_a_number, 3, 1e30f, -1e30f, 1e-30f}, {1, 1, 1, not_a_number, tiny, tiny, huge});
  CHECK(edges[0].angle == 0);
  CHECK((edges[1].angle == 0 && std::signbit(edges[1].angle)));
  CHECK(std::isnan(edges[2].angle));
  CHECK(std::isnan(edges[3].angle));
  CHECK(edges[4].angle == doctest::Approx(1.5707963268));
  CHECK(edges[5].angle == doctest::Approx(-1.5707963268));
  CHECK(edges[6].angle == 0);
}

TEST_CASE("device share_of says which of two numbers is less, by however little") {
  std::vector<float> a, b;
  for (int e = -125; e < 127; ++e)
    for (const float x : {-std::ldexp(1.5f, e), std::ldexp(1.0f, e), 0.0f})
      for (const float other : {x, std::nextafter(x, inf), std::nextafter(x, -inf), -x, 2 * x, 3.0f}) {
        if (const double apart = std::abs(double(x) - double(other)); apart > 0 && apart < std::ldexp(1.0, -127))
          continue;
        a.push_back(x), b.push_back(other);
      }
  const std::vector<answer> seen = answers(a, b);
  bool right = true;
  for (std::size_t i = 0; i < a.size(); ++i) right &= seen[i].share == (a[i] < b[i] ? 1.0f : b[i] < a[i] ? 0.0f : 0.5f);
  CHECK(right);
}

TEST_CASE("device log1p of [0, 1] is within 1.72 ulp, and a device reciprocal within 1 ulp") {
  std::vector<float> x(20000), in_unit(20000), normal(20000);
  for (int i = 0; i < 20000; ++i) {
    in_unit[std::size_t(i)] = std::ldexp(1 + static_cast<float>(i * 7919 % 20000) / 20000, -1 - i % 30);
    normal[std::size_t(i)] = std::ldexp(1 + static_cast<float>(i * 7919 % 20000) / 20000, i % 126);
  }
  const std::vector<answer> logarithms = answers(x, in_unit), reciprocals = answers(x, normal);
  double worst_log = 0, worst_reciprocal = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    worst_log = std::max(worst_log, ulps(logarithms[i].log1p, std::log1p(double(in_unit[i]))));
    worst_reciprocal = std::max(worst_reciprocal, ulps(reciprocals[i].reciprocal, 1 / double(normal[i])));
  }
  MESSAGE("largest error of log1p_of_unit: ", worst_log, " ulp, of a reciprocal: ", worst_reciprocal, " ulp");
  CHECK(worst_log <= 1.72);
  CHECK(worst_reciprocal <= 1);
  const std::vector<answer> edges = answers({0, 0, 0}, {0, 1, not_a_number});
  CHECK(edges[0].log1p == 0);
  CHECK(edges[1].log1p == doctest::Approx(0.693147181));
  CHECK(edges[1].reciprocal == 1);
  CHECK(std::isnan(edges[2].log1p));
  CHECK(std::isnan(edges[2].reciprocal));
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
