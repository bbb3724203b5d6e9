// SPDX-License-Identifier: MIT
/// The limit: the same bytes as the work moves, read and written with nothing in between, on the same threads.
#pragma once

#include <hone/hone.hpp>

#include <vector>

namespace bench {

/// Reads `inputs` arrays of n floats and writes one, which may be the first of them.
struct stream_limit {
  hone::cpu const& cpu;
  std::vector<float const*> inputs;
  float* output;
  hone::index n;
  bool past_caches;

  void operator()() const {
    constexpr hone::index chunk = 16384;
    hone::on_cpu::for_chunks(cpu, (n + chunk - 1) / chunk, chunk * sizeof(float),
                             [&](hone::index c, std::byte* memory) {
                               run(c * chunk, std::min(n, (c + 1) * chunk), reinterpret_cast<float*>(memory));
                             });
  }

 private:
  void run(hone::index begin, hone::index end, float* scratch) const {
    using V = hone::on_cpu::pack<float>;
    for (hone::index block = begin; block < end; block += 1024) {
      const hone::index stop = std::min(end, block + 1024);
      float* to = past_caches ? scratch : output + block;
      for (hone::index i = block; i < stop; i += V::size) {
        V x = V::load(inputs[0] + i);
        for (std::size_t k = 1; k < inputs.size(); ++k) x = x + V::load(inputs[k] + i);
        x.store(to + (i - block));
      }
      if (past_caches) hone::on_cpu::stream_copy(static_cast<float const*>(scratch), output + block, stop - block);
    }
    hone::on_cpu::stream_fence();
  }
};

}  // namespace bench
