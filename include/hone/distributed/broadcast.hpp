// SPDX-License-Identifier: MIT
/// Copies the parameters and the averages of one rank to all others, in host memory.
#pragma once

#include <hone/average/ema_state.hpp>
#include <hone/core/tensor_overlap.hpp>
#include <hone/distributed/same_on_ranks.hpp>

#include <algorithm>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

inline constexpr std::size_t broadcast_bytes = std::size_t(1) << 20;  // what one verb of a communicator copies at most

/// Copies bytes in pieces: a transport may need a buffer of the size of a piece.
template <communicator C>
void broadcast_in_pieces(C const& ranks, std::span<std::byte> bytes, int root) {
  for (std::size_t at = 0; at < bytes.size(); at += broadcast_bytes)
    ranks.broadcast(bytes.subspan(at, std::min(broadcast_bytes, bytes.size() - at)), root);
}

/// Returns a checksum of the sizes of a list; shapes do not matter.
template <class T>
checksum64 sizes_of(tensor_list<T> const& list) noexcept {
  checksum64 checksum(sizeof(T));
  checksum.add(list.size());
  for (auto const& t : list) checksum.add(static_cast<std::uint64_t>(t.size));
  return checksum;
}

template <communicator C>
void require_root(C const& ranks, integer root) {
  require(root >= 0 && root < ranks.size(), "broadcast", "root", root.value, "a rank");
}
template <communicator C, class T>
void broadcast_numbers(C const& ranks, tensor_list<T> const& list, integer root) {
  for (auto const& t : list)
    broadcast_in_pieces(ranks, std::as_writable_bytes(std::span(t.data, std::size_t(t.size))), int(root.value));
}

}  // namespace detail

/// Copies the numbers of rank `root` to all ranks, whose lists have the same sizes: at the start of a training, or
/// after a resume of one rank. Tensors are of any trivially copyable type.
///
///     hone::broadcast(ranks, parameters);
///
/// If a list is not valid, tensors share memory, or the ranks differ in sizes, type or root, all ranks throw
/// (hone::invalid_argument, or hone::rank_error where the error is that of another rank), and nothing is written.
template <communicator C, class T>
void broadcast(C const& ranks, tensor_list<T> const& list, integer root = 0) {
  static_assert(std::is_trivially_copyable_v<T> && !std::is_const_v<T>, "broadcast: the tensors are written");
  const bool same = detail::same_on_ranks(ranks, "broadcast", [&] {
    detail::require_root(ranks, root);
    detail::require_tensors("broadcast", "list", list);
    detail::require_apart("broadcast", "list", list);
    detail::checksum64 checksum = detail::sizes_of(list);
    checksum.add(static_cast<std::uint64_t>(root.value));
    return checksum.value();
  });
  if (!same) detail::fail("broadcast: list or root is not of the same sizes on all ranks");
  detail::broadcast_numbers(ranks, list, root);
}

/// The same of an average: its numbers and the number of its updates. What is copied only, and how the state began,
/// must be the same on all ranks; no state is swapped.
template <communicator C, class T>
void broadcast(C const& ranks, ema_state<T>& state, integer root = 0) {
  const bool same = detail::same_on_ranks(ranks, "broadcast", [&] {
    detail::require_root(ranks, root);
    state.require_averages("broadcast");
    detail::checksum64 checksum = detail::sizes_of(state.tensors());
    checksum.add(static_cast<std::uint64_t>(root.value)), checksum.add(state.from_zero());
    for (std::size_t i = 0; i < state.tensors().size(); ++i) checksum.add(state.copies(i));
    return checksum.value();
  });
  if (!same) detail::fail("broadcast: the states, or the roots, of the ranks differ");
  detail::broadcast_numbers(ranks, state.tensors(), root);
  detail::average_progress progress = state.progress().get();
  ranks.broadcast(std::as_writable_bytes(std::span(&progress, 1)), int(root.value));
  state.progress().set(progress);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
