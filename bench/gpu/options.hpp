// SPDX-License-Identifier: MIT
/// What the benchmark is asked for, and the table that it fills.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>

namespace bench {

struct options {
  bool quick = false;  ///< few rows, one round: shows that everything runs
  double seconds = 1;  ///< of timing per work
  std::string filter;  ///< only works whose name contains it
  std::FILE* table = nullptr;
  std::size_t l2_bytes = 0;
};

/// Each work of this type; false where a result was wrong.
bool losses_float(options const& o);
bool losses_bfloat16(options const& o);

}  // namespace bench
