// SPDX-License-Identifier: MIT
/// How many threads or jobs there are where none are asked for.
#pragma once

#include <algorithm>
#include <thread>

namespace demo {

/// What was asked for; one per core for 0.
inline int or_one_per_core(int asked) {
  return asked != 0 ? asked : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

}  // namespace demo
