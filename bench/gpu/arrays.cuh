// SPDX-License-Identifier: MIT
/// Numbers on the device, several sets of them, and how an answer differs from a reference.
#pragma once

#include <cuda/device.cuh>
#include <gpu/table.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace bench {

using hone::on_cuda::check;

__host__ __device__ inline std::uint64_t scrambled(std::uint64_t i) {  // splitmix64
  i = (i + 1) * 0x9e3779b97f4a7c15;
  i = (i ^ (i >> 30)) * 0xbf58476d1ce4e5b9;
  i = (i ^ (i >> 27)) * 0x94d049bb133111eb;
  return i ^ (i >> 31);
}
/// About normal, of deviation 3: a sum of four uniform numbers.
__host__ __device__ inline float some_number(std::uint64_t seed) {
  const std::uint64_t bits = scrambled(seed);
  float sum = 0;
  for (int k = 0; k < 64; k += 16) sum += float((bits >> k) & 0xffff);
  return (sum / 65536 - 2) * 5.2f;
}

template <class T>
__global__ void fill_kernel(T* to, index n, std::uint64_t seed) {
  for (index i = blockIdx.x * index(blockDim.x) + threadIdx.x; i < n; i += index(gridDim.x) * blockDim.x) {
    if constexpr (std::is_integral_v<T>)
      to[i] = static_cast<T>(scrambled(seed + std::uint64_t(i)));
    else
      to[i] = static_cast<T>(some_number(seed + std::uint64_t(i)));
  }
}
template <class T>
void fill(T* to, index n, std::uint64_t seed, cudaStream_t stream) {
  fill_kernel<<<1024, 256, 0, stream>>>(to, n, seed);
  check(cudaGetLastError(), "fill_kernel");
}

/// Some numbers of a device, on the host.
template <class T>
std::vector<T> on_host(T const* data, index n) {
  std::vector<T> to(static_cast<std::size_t>(n));
  check(cudaMemcpy(to.data(), data, to.size() * sizeof(T), cudaMemcpyDeviceToHost), "cudaMemcpy");
  return to;
}

/// Returns where seen[i] differs from expected(i) by more than rounding, or an empty text.
template <class Seen, class Expected>
std::string differs(const char* what, Seen const& seen, Expected const& expected, double relative,
                    double absolute = 1e-6) {
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const double x = double(static_cast<float>(seen[i])), wanted = expected(i);
    if (!(std::abs(x - wanted) <= relative * std::abs(wanted) + absolute))
      return std::string(what) + ": number " + std::to_string(i) + " is " + std::to_string(x) + ", the reference's " +
             std::to_string(wanted);
  }
  return {};
}

}  // namespace bench
