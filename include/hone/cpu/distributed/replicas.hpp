// SPDX-License-Identifier: MIT
/// Checks that replicas of a model, and of its averages, have the same bits on all ranks.
#pragma once

#include <hone/average/ema_state.hpp>
#include <hone/cpu/tensors/tensors.hpp>
#include <hone/distributed/replica_error.hpp>

#include <atomic>
#include <string>
#include <type_traits>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// Returns a checksum per tensor. The pieces of a tensor depend on its size alone and their checksums are added, so
/// that no number of threads changes it.
template <class T>
std::vector<std::uint64_t> checksums_of(cpu const& backend, tensor_list<T> const& list) {
  std::vector<std::atomic<std::uint64_t>> sums(list.size());
  for_tensors(backend, list, [&](std::size_t i, index begin, index end) {
    detail::checksum64 piece(static_cast<std::uint64_t>(begin));
    piece.add(list[i].data + begin, static_cast<std::size_t>(end - begin) * sizeof(T));
    sums[i].fetch_add(piece.value(), std::memory_order_relaxed);
  });
  std::vector<std::uint64_t> result(list.size());
  for (std::size_t i = 0; i < result.size(); ++i)
    result[i] = detail::checksum64::mixed(sums[i].load() + static_cast<std::uint64_t>(list[i].size) * sizeof(T));
  return result;
}

/// sums() returns the checksums of this rank, what(i) the name of the i-th.
template <class C, class Sums, class What>
void require_equal_checksums(C const& ranks, Sums const& sums, What const& what) {
  constexpr const char* function = "require_equal_replicas";
  std::vector<std::uint64_t> mine;
  const bool same = detail::same_on_ranks(ranks, function, [&] {
    mine = sums();
    detail::checksum64 all;
    for (const std::uint64_t sum : mine) all.add(sum);
    return all.value();
  });
  if (!same) detail::find_replica_error(ranks, function, mine, what);
}

}  // namespace on_cpu

/// Throws hone::replica_error on every rank unless the tensors have the same bits on all ranks; the error names the
/// first tensor that differs and the ranks on which it does. -0 is not 0, and a NaN equals one of the same bits.
///
///     if (step % 1000 == 0) hone::require_equal_replicas(cpu, ranks, parameters);
///
/// Every number is read once, and 80 bytes are summed over ranks if all is well. Two lists that differ pass with a
/// probability of 2^-64. If a list is not valid on one rank, all throw.
template <communicator C, class T>
void require_equal_replicas(cpu const& backend, C const& ranks, tensor_list<T> const& list) {
  static_assert(std::is_trivially_copyable_v<T>, "require_equal_replicas: tensors of numbers");
  on_cpu::require_equal_checksums(
      ranks,
      [&] {
        detail::require_tensors("require_equal_replicas", "list", list);
        return on_cpu::checksums_of(backend, list);
      },
      [](std::size_t i) { return "tensor " + std::to_string(i); });
}
/// The same of averages, with the number of their updates.
template <communicator C, class T>
void require_equal_replicas(cpu const& backend, C const& ranks, ema_state<T> const& state) {
  on_cpu::require_equal_checksums(
      ranks,
      [&] {
        state.require_averages("require_equal_replicas");
        const detail::average_progress now = state.progress().get();
        detail::checksum64 progress;
        progress.add(static_cast<std::uint64_t>(now.steps)), progress.add(std::bit_cast<std::uint64_t>(now.start));
        std::vector<std::uint64_t> sums = on_cpu::checksums_of(backend, state.tensors());
        sums.insert(sums.begin(), progress.value());
        return sums;
      },
      [](std::size_t i) { return i == 0 ? std::string("the number of updates") : "tensor " + std::to_string(i - 1); });
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
