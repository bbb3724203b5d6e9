// SPDX-License-Identifier: MIT
/// Work in a fixed number of slices, shared by any number of threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace demo {

/// A mini-batch is always cut into this many slices and their gradients are added in order, so that the
/// bits of a training do not depend on the number of threads. More threads than slices find no work.
inline constexpr int slices = 8;

/// Calls work(slice) once for every slice and returns when all are done. `work` must not throw.
template <class Work>
void for_each_slice(int threads, const Work& work) {
  std::atomic<int> next{0};
  const auto drain = [&] {
    for (int slice = next++; slice < slices; slice = next++) work(slice);
  };
  std::vector<std::jthread> helpers;  // joined on leaving, also if starting one fails
  for (int i = 1; i < std::min(threads, slices); ++i) helpers.emplace_back(drain);
  drain();
}

}  // namespace demo
