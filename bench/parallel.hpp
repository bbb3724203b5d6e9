// SPDX-License-Identifier: MIT
/// Divides a loop of a twin or a limit on hone's threads, so that it differs from hone in the loop alone.
#pragma once

#include "lanes.hpp"

#include <hone/cpu.hpp>

#include <algorithm>

namespace bench {

/// Returns the sum of body(begin, end, scratch) over pieces of [0, n), each but the last a multiple of `grain` long;
/// the scratch is `bytes` bytes, aligned to 64. One thread takes one piece.
template <class Body>
double split(hone::cpu const& cpu, index n, index grain, std::size_t bytes, Body const& body) {
  constexpr index pieces_per_thread = 8, most = 1024;
  const index pieces = cpu.threads() == 1 ? 1 : std::min(most, pieces_per_thread * cpu.threads()),
              grains = (n + grain - 1) / grain, size = std::max<index>((grains + pieces - 1) / pieces, 1) * grain;
  double sums[most] = {};
  const index used = (n + size - 1) / size;
  hone::on_cpu::for_chunks(cpu, used, bytes + 64, [&](index k, std::byte* memory) {
    const auto address = reinterpret_cast<std::uintptr_t>(memory);
    float* const scratch = reinterpret_cast<float*>(memory + (64 - address % 64) % 64);
    sums[k] = body(k * size, std::min(n, (k + 1) * size), scratch);
  });
  double total = 0;
  for (index k = 0; k < used; ++k) total += sums[k];
  return total;
}

}  // namespace bench
