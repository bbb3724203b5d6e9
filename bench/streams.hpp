// SPDX-License-Identifier: MIT
/// The limit: the same bytes as the work moves, read and written with nothing in between, on the same threads.
#pragma once

#include <hone/hone.hpp>

#include <array>
#include <cstdio>
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

/// Adds up n floats.
struct read_limit {
  hone::cpu const& cpu;
  float const* data;
  hone::index n;

  void operator()() const {
    constexpr hone::index chunk = 32768;
    hone::on_cpu::for_chunks(cpu, (n + chunk - 1) / chunk, 0,
                             [&](hone::index c, std::byte*) { keep(c * chunk, std::min(n, (c + 1) * chunk)); });
  }

 private:
  void keep(hone::index begin, hone::index end) const {
    using V = hone::on_cpu::pack<float>;
    V a(0), b(0);
    for (hone::index i = begin; i + 2 * V::size <= end; i += 2 * V::size)
      a += V::load(data + i), b += V::load(data + i + V::size);
    if (sum(a + b) == 12345.678f) std::printf("\n");  // so that it is not left out
  }
};

/// Writes n floats past the caches.
struct write_limit {
  hone::cpu const& cpu;
  float* output;
  hone::index n;

  void operator()() const {
    constexpr hone::index chunk = 16384;
    hone::on_cpu::for_chunks(cpu, (n + chunk - 1) / chunk, 1024 * sizeof(float), [&](hone::index c, std::byte* memory) {
      float* const zeros = reinterpret_cast<float*>(memory);
      std::fill_n(zeros, 1024, 0.0f);
      const hone::index end = std::min(n, (c + 1) * chunk);
      for (hone::index i = c * chunk; i < end; i += 1024)
        hone::on_cpu::stream_copy(static_cast<float const*>(zeros), output + i, std::min(hone::index(1024), end - i));
      hone::on_cpu::stream_fence();
    });
  }
};

/// Reads W + R arrays of n floats, which are a multiple of a pack, in one sweep and writes the first W in place. All
/// are zeros, and stay so.
template <int W, int R>
struct sweep_limit {
  hone::cpu const& cpu;
  std::array<float*, W + R> arrays;
  hone::index n;

  void operator()() const {
    constexpr hone::index chunk = 32768;
    hone::on_cpu::for_chunks(cpu, (n + chunk - 1) / chunk, 0,
                             [&](hone::index c, std::byte*) { run(arrays, c * chunk, std::min(n, (c + 1) * chunk)); });
  }

 private:
  static void run(std::array<float*, W + R> at, hone::index begin, hone::index end) {
    using V = hone::on_cpu::pack<float>;
    for (hone::index i = begin; i < end; i += V::size) {
      V x(0);
      for (int k = W; k < W + R; ++k) x = x + V::load(at[std::size_t(k)] + i);
      for (int k = 0; k < W; ++k) (V::load(at[std::size_t(k)] + i) + x).store(at[std::size_t(k)] + i);
    }
  }
};

}  // namespace bench
