// SPDX-License-Identifier: MIT
// A library that uses the pool.
#include <hone/cpu/run/threads.hpp>

extern "C" __declspec(dllexport) int chunks_done() {
  std::atomic<int> done{0};
  hone::on_cpu::thread_pool::run(
      4, 16, [](void* to, hone::index, int) noexcept { ++*static_cast<std::atomic<int>*>(to); }, &done);
  return done;
}
