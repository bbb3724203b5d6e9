// SPDX-License-Identifier: MIT
/// A sharded_list that a device can read.
#pragma once

#include <hone/cuda/distributed/device_communicator.cuh>
#include <hone/cuda/tensors/device_list.cuh>
#include <hone/distributed/sharded_list.hpp>

#include <type_traits>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cuda {

/// The gradients of a rank for kernels. Sums are of lines: stretches that are contiguous in the whole tensor too, cut
/// into blocks of hone::shard_block numbers where blocks of the whole line begin.
template <class T>
struct sharded_table {
  list_table<T> flat, lines;  // the same tensors as single lines, and as lines of the whole
  T* const* counted;          // per tensor: null if another rank counts it; or null: none is counted
  index const* places;        // per tensor: the place of the lines in a block; or null: 0
};

}  // namespace on_cuda

/// The part of a model that this rank has, prepared for the device: hone::sharded_list with the properties of a
/// hone::device_list. `ranks` are those over which transform, measure and step will sum.
///
///     const hone::device_sharded_list gradients(gpu, list, ranks);
///     hone::transform(gpu, hone::clip_by_global_norm(1), gradients, ranks, &report);
///
/// Throws hone::invalid_argument if a tensor has no data or lies outside of its whole, hone::cuda_error if CUDA refuses
/// or the stream is captured.
template <class T>
class device_sharded_list {
 public:
  template <device_communicator C>
  device_sharded_list(cuda const& backend, sharded_list<T> const& list, C const& ranks)
      : device_sharded_list(backend, list, int(ranks.rank()), places_of(list), 0) {}
  device_sharded_list(device_sharded_list const&) = delete;
  device_sharded_list& operator=(device_sharded_list const&) = delete;

  tensor_list<T> const& tensors() const noexcept { return flat_.tensors(); }
  /// For update rules and averages, which do not sum over ranks: tied tensors are empty.
  device_list<T> const& list() const noexcept { return flat_; }
  /// Which numbers of their wholes the tensors are, in device memory; null if none is cut.
  detail::tensor_part const* parts() const noexcept {
    return parts_ ? static_cast<detail::tensor_part const*>(parts_->data()) : nullptr;
  }
  on_cuda::sharded_table<T> table() const noexcept {
    on_cuda::list_table<T> lines = lines_.table();
    T* const* const counted = lines.data;
    lines.data = flat_.table().data;
    return {flat_.table(), lines, counted, places_ ? static_cast<index const*>(places_->data()) : nullptr};
  }

 private:
  device_sharded_list(cuda const& backend, sharded_list<T> const& list, int rank, std::vector<index> const& places,
                      std::size_t&& next)
      : flat_(backend, list.tensors(), "device_sharded_list",
              [](tensor<T> const& t) { return detail::tensor_units{1, t.size, false}; }),
        lines_(
            backend, list.tensors(), "device_sharded_list",
            [&](tensor<T> const& t) {  // is asked for one tensor after the other
              const detail::placed kind = list.place(next++).kind;
              const bool by_row = kind == detail::placed::row_shard || kind == detail::placed::column_shard;
              return by_row ? detail::tensor_units{t.rows, t.columns, false} : detail::tensor_units{1, t.size, false};
            },
            uncounted(list, rank)) {
    detail::require_places("device_sharded_list", "tensors", list);
    bool cut = false, in_blocks = true;
    std::vector<detail::tensor_part> parts(list.size());
    for (std::size_t i = 0; i < parts.size(); ++i)
      parts[i] = detail::part_of(list, i), cut = cut || list.place(i).cut(), in_blocks = in_blocks && places[i] == 0;
    if (!in_blocks) upload(backend, places, places_);
    if (cut) upload(backend, parts, parts_);
  }
  template <class Number>
  static void upload(cuda const& backend, std::vector<Number> const& numbers,
                     std::optional<on_cuda::stream_memory>& to) {
    to.emplace(backend.placed(), numbers.size() * sizeof(Number), "device_sharded_list: ");
    const on_cuda::device_of_stream device(backend.placed());
    on_cuda::check(cudaMemcpyAsync(to->data(), numbers.data(), numbers.size() * sizeof(Number), cudaMemcpyHostToDevice,
                                   backend.stream()),
                   "cudaMemcpyAsync");
  }
  static std::vector<std::size_t> uncounted(sharded_list<T> const& list, int rank) {
    std::vector<std::size_t> those;
    for (std::size_t i = 0; i < list.size(); ++i)
      if (!list.place(i).counted(rank)) those.push_back(i);
    return those;
  }
  static std::vector<index> places_of(sharded_list<T> const& list) {
    std::vector<index> places(list.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
      const detail::placed kind = list.place(i).kind;
      if (kind == detail::placed::shard || kind == detail::placed::column_shard)
        places[i] = list.place(i).first % shard_block;
    }
    return places;
  }

  device_list<T> flat_, lines_;
  std::optional<on_cuda::stream_memory> places_, parts_;
};

template <class T, device_communicator C>
device_sharded_list(cuda const& backend, sharded_list<T> const& list, C const& ranks) -> device_sharded_list<T>;

namespace on_cuda {

/// What a call over ranks sums. A device_list is the same on every rank: rank 0 counts it.
template <class T>
sharded_table<T> table_over(device_sharded_list<T> const& list, int) noexcept {
  return list.table();
}
template <class T>
sharded_table<T> table_over(device_list<T> const& list, int rank) noexcept {
  return {list.table(), list.table(), rank == 0 ? list.table().data : nullptr, nullptr};
}

}  // namespace on_cuda
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
