// SPDX-License-Identifier: MIT
/// Runs pieces and rows of a job on the CPU's threads, for functions that are written for any backend.
#pragma once

#include <hone/cpu/run/backend.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Calls body(piece) for every piece in [0, pieces), on any thread and in any order.
template <class Body>
void for_pieces(cpu const& backend, index pieces, Body const& body) {
  on_cpu::for_chunks(backend, pieces, 0, [&](index piece, std::byte*) { body(piece); });
}

/// Calls body(row) for every row in [0, rows), on any thread and in any order.
template <class Body>
void for_rows(cpu const& backend, index rows, Body const& body) {
  constexpr index per_piece = 1024;
  for_pieces(backend, rows / per_piece + (rows % per_piece != 0), [&](index piece) {
    for (index i = piece * per_piece, end = std::min(i + per_piece, rows); i < end; ++i) body(i);
  });
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
