// SPDX-License-Identifier: MIT
/// Rows of a batch, cut over ranks in several ways: some ranks have none.
#pragma once

#include <hone/core/number.hpp>

#include <cstddef>
#include <vector>

struct some_rows {
  hone::index from = 0, count = 0;
};

/// The number of ways to cut a batch: evenly, all rows on the last rank, growing parts, every other rank without rows.
inline constexpr int ways_to_cut = 4;

/// Returns the rows of a rank.
inline some_rows rows_of_rank(int way, int rank, int ranks, hone::index rows) {
  const auto begin = [&](int r) -> hone::index {
    switch (way) {
      case 0:
        return rows * r / ranks;
      case 1:
        return r == ranks ? rows : 0;
      case 2:
        return rows * r * r / (hone::index(ranks) * ranks);
      default:
        return r == ranks ? rows : rows * (r / 2 * 2) / ranks;
    }
  };
  return {begin(rank), begin(rank + 1) - begin(rank)};
}
