// SPDX-License-Identifier: MIT
/// The memory of the process.
#pragma once

#include <sys/resource.h>

namespace demo {

/// The most that was in memory at one time, in MiB. Linux counts in KiB.
inline double peak_mebibytes() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  return static_cast<double>(use.ru_maxrss) / 1024;
}

}  // namespace demo
