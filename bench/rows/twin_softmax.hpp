// SPDX-License-Identifier: MIT
/// Twins of cross entropy with a softmax over many classes, for run_pipeline.
#pragma once

#include "twin_pipeline.hpp"
#include "twin_targets.hpp"

namespace bench {

/// The largest logit of a row and, if the target needs it, their sum.
template <bool sums>
struct seen_logits {
  vec most, logits;

  BENCH_INLINE static seen_logits start() { return {splat(lowest), vec{}}; }
  template <class Lanes>
  BENCH_INLINE void look(Lanes some, vec x) {
    most = bench::max(most, some.only(x, lowest));
    if constexpr (sums) logits += x;  // 0 in the other lanes
  }
  BENCH_INLINE void add(seen_logits const& other) {
    most = bench::max(most, other.most);
    if constexpr (sums) logits += other.logits;
  }
  BENCH_INLINE float max() const { return bench::max(most); }
  BENCH_INLINE float total() const { return sums ? bench::sum(logits) : 0; }
};

/// Cross entropy of targets with few parts:  Σ q (log Σ exp z) - Σ q z,  gradient  scale (Σ q · p - q).
template <class T, class Targets>
struct softmax_rows {
  T const* z;
  T* g;
  index columns, stride;
  Targets targets;
  float scale;  ///< 1 / the divisor of the mean

  static constexpr int unroll = 2, kept = 1;
  using seen = seen_logits<Targets::spreads>;
  struct weighed {
    vec total;
  };
  struct peaks {
    float most, scaled;
  };
  struct rates {
    float inverse, spread;
  };

  T* gradient(index i) const { return g + i * stride; }

  template <class Lanes>
  BENCH_INLINE void look(seen& s, Lanes some, index i, index j) const {
    T const* p = z + i * stride + j;
    prefetch(p + 4096 / sizeof(T));
    s.look(some, some.load(p));
  }
  BENCH_INLINE void add(seen& s, seen const& other) const { s.add(other); }
  BENCH_INLINE peaks peaks_of(seen const& s) const {
    const float most = s.max();
    return {most, -most * log2e};
  }
  template <class Lanes>
  BENCH_INLINE void weigh(weighed& w, Lanes some, peaks const& p, index i, index j, float* const* keep) const {
    const vec e = some.only(exp2_below_1(some.load(z + i * stride + j) * log2e + p.scaled));
    store(keep[0] + j, e);
    w.total += e;
  }
  BENCH_INLINE void add(weighed& w, weighed const& other) const { w.total += other.total; }

  double finish(seen const& s, peaks const& p, weighed const& w, index i, float* const* keep, rates& r) const {
    const float sum = bench::sum(w.total), total = targets.total(i);
    r.inverse = scale * total / sum;
    r.spread = scale * targets.epsilon / static_cast<float>(columns);
    double loss = total * (p.most + std::log(sum));
    if constexpr (Targets::spreads) loss -= targets.epsilon / static_cast<float>(columns) * s.total();
    for (auto const& part : targets.parts(i)) {
      loss -= part.weight * static_cast<float>(at(i, part.column));
      keep[0][part.column] -= part.weight * sum / total;
    }
    return loss;
  }
  template <class Lanes>
  BENCH_INLINE vec write(Lanes some, rates const& r, index, index j, float* const* kept) const {
    return some.load(kept[0] + j) * r.inverse - r.spread;
  }

 private:
  float at(index i, index c) const { return first_lanes{1}.load(z + i * stride + c)[0]; }
};

}  // namespace bench
