// SPDX-License-Identifier: MIT
/// A list of tensors that a device can read: its table is uploaded once and used by all later calls.
#pragma once

#include <hone/core/tensor_list.hpp>
#include <hone/core/unit_cut.hpp>
#include <hone/cuda/run/backend.cuh>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cuda {

/// The numbers of a piece on CUDA: few, so that all blocks end at about the same time, and enough to hide what a piece
/// costs besides. They are 8 reads of 16 bytes per thread of a block in float, and 4 in 16 bits.
inline constexpr index list_piece = 8192;

/// The table of a list for kernels: one block of a grid processes one piece at a time.
template <class T>
struct list_table {
  T* const* data;                // per tensor
  detail::unit_cut const* cuts;  // per tensor, and one for the end
  int const* tensor_of;          // per piece
  int tensors;
  index pieces, units, slots;
};

}  // namespace on_cuda

/// The tensors of a model, prepared for the device. Construct it once, outside of a graph's capture; the memory of the
/// tensors must not move. The list's own memory is allocated and freed in the order of the backend's stream: another
/// stream must wait for that stream before it uses the list, and that stream for the other before the list is
/// destroyed. Construction may wait for the stream, because the table is copied from pageable memory.
///
///     const hone::device_list gradients(gpu, hone::tensor_list<float>{{weight, 3, 4}, {bias, 4}});
///     hone::transform(gpu, hone::clip_by_global_norm(1), gradients);
///
/// Throws hone::invalid_argument if a tensor has no data or a negative size, hone::cuda_error if CUDA refuses or
/// the stream is captured.
template <class T>
class device_list {
 public:
  device_list(cuda const& backend, tensor_list<T> tensors)
      : device_list(backend, std::move(tensors), "device_list",
                    [](tensor<T> const& t) { return detail::tensor_units{1, t.size, false}; }) {}

  /// units_of(tensor) defines the units of norms; `function` is the name in error messages. Excluded tensors get null.
  template <class UnitsOf>
  device_list(cuda const& backend, tensor_list<T> tensors, const char* function, UnitsOf const& units_of,
              std::vector<std::size_t> const& excluded = {})
      : tensors_(std::move(tensors)) {
    detail::require_tensors(function, "tensors", tensors_);
    const std::size_t n = tensors_.size();
    std::vector<detail::unit_cut> cuts(n + 1);
    detail::cut_units<on_cuda::list_piece>(cuts.data(), n, [&](std::size_t i) { return units_of(tensors_[i]); });
    std::vector<T*> data;
    std::vector<int> tensor_of;
    for (std::size_t i = 0; i < n; ++i) {
      const bool seen = std::find(excluded.begin(), excluded.end(), i) == excluded.end();
      data.push_back(seen ? tensors_[i].data : nullptr);
      tensor_of.insert(tensor_of.end(), std::size_t(cuts[i + 1].first_piece - cuts[i].first_piece), int(i));
    }
    const std::size_t cut_bytes = cuts.size() * sizeof cuts[0], data_bytes = n * sizeof(T*);
    std::vector<char> all(cut_bytes + data_bytes + tensor_of.size() * sizeof(int));
    if (n > 0) std::memcpy(all.data() + cut_bytes, data.data(), data_bytes);
    std::memcpy(all.data(), cuts.data(), cut_bytes);
    if (!tensor_of.empty())
      std::memcpy(all.data() + cut_bytes + data_bytes, tensor_of.data(), tensor_of.size() * sizeof(int));

    memory_.emplace(backend.placed(), all.size(), std::string(function) + ": ");
    char* const memory = static_cast<char*>(memory_->data());
    const on_cuda::device_of_stream device(backend.placed());
    on_cuda::check(cudaMemcpyAsync(memory, all.data(), all.size(), cudaMemcpyHostToDevice, backend.stream()),
                   "cudaMemcpyAsync");
    table_ = {reinterpret_cast<T* const*>(memory + cut_bytes),
              reinterpret_cast<detail::unit_cut const*>(memory),
              reinterpret_cast<int const*>(memory + cut_bytes + data_bytes),
              static_cast<int>(n),
              cuts[n].first_piece,
              cuts[n].first_unit,
              cuts[n].first_slot};
  }
  device_list(device_list const&) = delete;
  device_list& operator=(device_list const&) = delete;

  tensor_list<T> const& tensors() const noexcept { return tensors_; }
  on_cuda::list_table<T> const& table() const noexcept { return table_; }

 private:
  tensor_list<T> tensors_;
  std::optional<on_cuda::stream_memory> memory_;
  on_cuda::list_table<T> table_{};
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
