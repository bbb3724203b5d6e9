// SPDX-License-Identifier: MIT
/// Where the numbers of a tensor lie in the whole one, if it is cut over ranks.
#pragma once

#include <hone/core/number.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The tensor of this rank holds the numbers [first, first + size) of a tensor of `whole` numbers: flat shards, as ZeRO
/// cuts them. Without numbers, `whole` is -1: the tensor is not cut, and every rank has all of it.
///   .replica  the number of this copy, if several ranks hold the same shard; norms count number 0
struct shard {
  index first = 0;
  index whole = -1;
  index replica = 0;

  constexpr bool is_cut() const noexcept { return whole >= 0; }
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
