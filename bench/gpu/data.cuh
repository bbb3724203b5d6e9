// SPDX-License-Identifier: MIT
/// What the works read and write, several sets of it: before a set is met again, L2 has been passed through.
#pragma once

#include <gpu/arrays.cuh>
#include <gpu/reference.hpp>
#include <gpu/table.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bench {

struct shape {
  index rows, columns;
};

/// What lies beside the logits.
enum class beside { nothing, teacher, targets };

template <class T>
__global__ void fill_labels(std::int64_t* labels, T* targets, index rows, index columns) {
  for (index i = blockIdx.x * index(blockDim.x) + threadIdx.x; i < rows; i += index(gridDim.x) * blockDim.x) {
    labels[i] = std::int64_t(scrambled(~std::uint64_t(i)) % std::uint64_t(columns));
    if (targets) targets[i * columns + labels[i]] = static_cast<T>(1.0f);
  }
}

template <class T>
class data {
 public:
  shape size;
  index bytes;  // that one call must move
  int sets;
  device::stream stream;

  data(shape s, beside what, bool labels, table const& works)
      : size(s),
        bytes((what == beside::nothing ? 2 : 3) * n() * index(sizeof(T)) + (labels ? 8 * s.rows : 0)),
        sets(works.sets_for(bytes)),
        logits_(all()),
        others_(what == beside::nothing ? 0 : all()),
        gradient_(all()),
        labels_(std::size_t(sets * s.rows)),
        value_(1) {
    fill(logits_.data(), index(logits_.size()), 1, stream);
    if (what == beside::teacher) fill(others_.data(), index(others_.size()), 1ull << 40, stream);
    if (what == beside::targets)
      check(cudaMemsetAsync(others_.data(), 0, others_.size() * sizeof(T), stream), "cudaMemsetAsync");
    for (int i = 0; i < sets; ++i)
      fill_labels<<<64, 256, 0, stream>>>(labels_.data() + i * s.rows,
                                          what == beside::targets ? at(others_, i) : nullptr, s.rows, s.columns);
    check(cudaGetLastError(), "fill_labels");
    stream.wait();
  }

  hone::matrix_view<T> logits(int set) const { return {at(logits_, set), size.rows, size.columns}; }
  hone::matrix_view<T> gradient(int set) const { return {at(gradient_, set), size.rows, size.columns}; }
  hone::matrix_view<const T> others(int set) const { return {at(others_, set), size.rows, size.columns}; }
  std::span<const std::int64_t> labels(int set) const {
    return {labels_.data() + set * size.rows, std::size_t(size.rows)};
  }
  float* value() const { return value_.data(); }

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
  T* at(device::buffer<T> const& b, int set) const { return b.size() ? b.data() + set * n() : nullptr; }

  device::buffer<T> logits_, others_, gradient_;
  device::buffer<std::int64_t> labels_;
  device::buffer<float> value_;
};

}  // namespace bench
