// SPDX-License-Identifier: MIT
// A library that uses the pool.
#include <hone/cpu/run/threads.hpp>

extern "C" __declspec(dllexport) int chunks_done() {
  std::atomic<int> done{0};
  alignas(64) std::byte memory[hone::on_cpu::chunk_shares::bytes(4)];
  hone::on_cpu::chunk_shares chunks(memory, 4, 16);
  hone::on_cpu::thread_pool::run(
      chunks, [](void* to, hone::index, int) noexcept { ++*static_cast<std::atomic<int>*>(to); }, &done);
  return done;
}
