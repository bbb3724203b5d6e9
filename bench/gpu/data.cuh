// SPDX-License-Identifier: MIT
/// What the works read and write, several sets of it: before a set is met again, L2 has been passed through.
#pragma once

#include <gpu/reference.hpp>
#include <gpu/timing.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bench {

using hone::index;

struct shape {
  index rows, columns;
};

/// What lies beside the logits.
enum class beside { nothing, teacher, targets };

__host__ __device__ inline std::uint64_t scrambled(std::uint64_t i) {  // splitmix64
  i = (i + 1) * 0x9e3779b97f4a7c15;
  i = (i ^ (i >> 30)) * 0xbf58476d1ce4e5b9;
  i = (i ^ (i >> 27)) * 0x94d049bb133111eb;
  return i ^ (i >> 31);
}

/// About normal, of deviation 3: a sum of four uniform numbers.
template <class T>
__global__ void fill_logits(T* to, index n, std::uint64_t seed) {
  for (index i = blockIdx.x * index(blockDim.x) + threadIdx.x; i < n; i += index(gridDim.x) * blockDim.x) {
    const std::uint64_t bits = scrambled(seed + std::uint64_t(i));
    float sum = 0;
    for (int k = 0; k < 64; k += 16) sum += float((bits >> k) & 0xffff);
    to[i] = static_cast<T>((sum / 65536 - 2) * 5.2f);
  }
}
template <class T>
__global__ void fill_labels(std::int64_t* labels, T* targets, index rows, index columns) {
  for (index i = blockIdx.x * index(blockDim.x) + threadIdx.x; i < rows; i += index(gridDim.x) * blockDim.x) {
    labels[i] = std::int64_t(scrambled(~std::uint64_t(i)) % std::uint64_t(columns));
    if (targets) targets[i * columns + labels[i]] = static_cast<T>(1.0f);
  }
}

/// The device's limit: as many bytes read and written, 16 at a time.
static __global__ void copy_kernel(float4 const* __restrict__ from, float4* __restrict__ to, index n) {
  const index first = blockIdx.x * index(4 * blockDim.x) + threadIdx.x;
  float4 v[4];
  for (int k = 0; k < 4; ++k)
    if (first + k * index(blockDim.x) < n) v[k] = from[first + k * index(blockDim.x)];
  for (int k = 0; k < 4; ++k)
    if (first + k * index(blockDim.x) < n) to[first + k * index(blockDim.x)] = v[k];
}

template <class T>
class data {
 public:
  shape size;
  index bytes;  // that one call must move
  int sets;
  device::stream stream;

  data(shape s, beside what, bool labels, options const& o)
      : size(s),
        bytes((what == beside::nothing ? 2 : 3) * n() * index(sizeof(T)) + (labels ? 8 * s.rows : 0)),
        sets(o.quick ? 2 : 1 + int(std::max<index>(1, 4 * index(o.l2_bytes) / bytes))),
        logits_(all()),
        others_(what == beside::nothing ? 0 : all()),
        gradient_(all()),
        labels_(std::size_t(sets * s.rows)),
        value_(1),
        from_(copied() * std::size_t(sets)),
        to_(copied() * std::size_t(sets)) {
    fill(logits_.data(), logits_.size(), 1);
    if (what == beside::teacher) fill(others_.data(), others_.size(), 1ull << 40);
    if (what == beside::targets)
      check(cudaMemsetAsync(others_.data(), 0, others_.size() * sizeof(T), stream), "cudaMemsetAsync");
    for (int i = 0; i < sets; ++i)
      fill_labels<<<64, 256, 0, stream>>>(labels_.data() + i * s.rows,
                                          what == beside::targets ? at(others_, i) : nullptr, s.rows, s.columns);
    fill(reinterpret_cast<float*>(from_.data()), 4 * from_.size(), 3);
    check(cudaGetLastError(), "fill");
    stream.wait();
  }

  hone::matrix_view<T> logits(int set) const { return {at(logits_, set), size.rows, size.columns}; }
  hone::matrix_view<T> gradient(int set) const { return {at(gradient_, set), size.rows, size.columns}; }
  hone::matrix_view<const T> others(int set) const { return {at(others_, set), size.rows, size.columns}; }
  std::span<const std::int64_t> labels(int set) const {
    return {labels_.data() + set * size.rows, std::size_t(size.rows)};
  }
  float* value() const { return value_.data(); }

  /// Two ways to read half of the bytes and to write as many.
  void copy_by_runtime(int set) const {
    check(cudaMemcpyAsync(to_.data() + set * index(copied()), from_.data() + set * index(copied()),
                          copied() * sizeof(float4), cudaMemcpyDeviceToDevice, stream),
          "cudaMemcpyAsync");
  }
  void copy_by_kernel(int set) const {
    copy_kernel<<<unsigned((copied() + 1023) / 1024), 256, 0, stream>>>(
        from_.data() + set * index(copied()), to_.data() + set * index(copied()), index(copied()));
    check(cudaGetLastError(), "copy_kernel");
  }

  /// The first set, on the host.
  std::vector<T> host(hone::matrix_view<const T> view) const {
    std::vector<T> to(view.data ? std::size_t(n()) : 0);
    check(cudaMemcpy(to.data(), view.data, to.size() * sizeof(T), cudaMemcpyDeviceToHost), "cudaMemcpy");
    return to;
  }
  std::vector<std::int64_t> host_labels() const {
    std::vector<std::int64_t> to(std::size_t(size.rows));
    check(cudaMemcpy(to.data(), labels_.data(), to.size() * 8, cudaMemcpyDeviceToHost), "cudaMemcpy");
    return to;
  }
  double host_value() const { return double(value_.host()[0]); }

 private:
  index n() const { return size.rows * size.columns; }
  std::size_t all() const { return std::size_t(sets * n()); }
  std::size_t copied() const { return std::size_t(bytes / 2 + 15) / 16; }
  T* at(device::buffer<T> const& b, int set) const { return b.size() ? b.data() + set * n() : nullptr; }
  template <class Number>
  void fill(Number* to, std::size_t n, std::uint64_t seed) const {
    fill_logits<<<1024, 256, 0, stream>>>(to, index(n), seed);
  }

  device::buffer<T> logits_, others_, gradient_;
  device::buffer<std::int64_t> labels_;
  device::buffer<float> value_;
  device::buffer<float4> from_, to_;
};

}  // namespace bench
