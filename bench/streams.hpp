// SPDX-License-Identifier: MIT
/// The limit: the bytes that a work must move, read and written with nothing in between, on the same threads.
#pragma once

#include "lanes.hpp"
#include "parallel.hpp"
#include "work.hpp"

#include <array>
#include <cstddef>

namespace bench::streams {

inline constexpr index grain = 16384;

/// Reads R arrays of n floats and writes one, which may be the first of them.
template <bool past, std::size_t R>
void copy_piece(std::array<float const*, R> from, float* to, index begin, index end) {
  index i = begin;
  for (; i + 2 * lanes <= end; i += 2 * lanes) {
    vec a{}, b{};
    for (std::size_t k = 0; k < R; ++k) {
      prefetch(from[k] + i + 1024);
      a += load(from[k] + i), b += load(from[k] + i + lanes);
    }
    if constexpr (past)
      stream(to + i, a), stream(to + i + lanes, b);
    else
      store(to + i, a), store(to + i + lanes, b);
  }
  for (; i < end; ++i) {
    float x = 0;
    for (float const* p : from) x += p[i];
    to[i] = x;
  }
  if constexpr (past) stream_fence();
}

template <std::size_t R>
double copy(hone::cpu const& cpu, std::array<float const*, R> from, float* to, index n, bool past) {
  return split(cpu, n, grain, 0, [=](index begin, index end, float*) {
    past ? copy_piece<true>(from, to, begin, end) : copy_piece<false>(from, to, begin, end);
    return 0.0;
  });
}

/// Adds up n floats.
inline double read(hone::cpu const& cpu, float const* from, index n) {
  return split(cpu, n, grain, 0, [=](index begin, index end, float*) {
    vec s[4]{};
    for (index i = begin; i + 4 * lanes <= end; i += 4 * lanes)
      for (int k = 0; k < 4; ++k) s[k] += load(from + i + k * lanes);
    return static_cast<double>(sum((s[0] + s[1]) + (s[2] + s[3])));
  });
}

/// Reads all arrays in one sweep and writes the first W in place. All are zeros, and stay so.
template <std::size_t W, std::size_t N>
double in_place(hone::cpu const& cpu, std::array<float*, N> arrays, index n) {
  return split(cpu, n, grain, 0, [=](index begin, index end, float*) {
    for (index i = begin; i + lanes <= end; i += lanes) {
      vec x{};
      for (std::size_t k = W; k < N; ++k) x += load(arrays[k] + i);
      for (std::size_t k = 0; k < W; ++k) store(arrays[k] + i, load(arrays[k] + i) + x);
    }
    return 0.0;
  });
}

/// Adds the contenders limit and limit_nt. `arrays` returns what is read and what is written of the work's data, as
/// floats, and how many: of 16-bit numbers it is half as many.
template <std::size_t R>
struct arrays {
  std::array<float const*, R> from;
  float* to;
  index n;
};
template <class Arrays>
void add(work& w, hone::cpu const& cpu, bool writes_input, Arrays const& of) {
  w.add("limit", [=] {
    const auto a = of();
    return copy(cpu, a.from, a.to, a.n, false);
  });
  if (writes_input) return;  // a store past the caches would not save a read
  w.add("limit_nt", [=] {
    const auto a = of();
    return copy(cpu, a.from, a.to, a.n, true);
  });
}

}  // namespace bench::streams
