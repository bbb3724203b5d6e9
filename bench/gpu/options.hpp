// SPDX-License-Identifier: MIT
/// What the benchmark is asked for, and the table that it fills.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>

namespace bench {

struct options {
  bool quick = false;  ///< few rows, one round: shows that everything runs
  bool list = false;   ///< the names of the works, and no more
  bool once = false;   ///< one call of each work in its first shape, for a profiler: neither checked nor timed
  double seconds = 1;  ///< of timing per work
  std::string filter;  ///< only works whose name contains it
  std::FILE* table = nullptr;
  std::size_t l2_bytes = 0;
};

}  // namespace bench
