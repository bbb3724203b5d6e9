// SPDX-License-Identifier: MIT
/// The twin of cross entropy with a probability for every class, for run_pipeline.
#pragma once

#include "twin_softmax.hpp"

namespace bench {

/// Value  Σ q · log Σ exp z - Σ q z,  gradient  scale (Σ q · p - q).
struct dense_rows {
  float const *z, *q;
  float* g;
  index columns, stride;
  float scale;

  static constexpr int kept = 1;
  using seen = seen_logits<false>;
  struct weighed {
    vec total, target, product;
  };
  struct peaks {
    float most, scaled;
  };
  struct rates {
    float inverse;
  };

  float* gradient(index i) const { return g + i * stride; }

  template <class Lanes>
  BENCH_INLINE void look(seen& s, Lanes some, index i, index j) const {
    prefetch(z + i * stride + j + 1024);
    prefetch(q + i * stride + j);
    s.look(some, some.load(z + i * stride + j));
  }
  BENCH_INLINE void add(seen& s, seen const& other) const { s.add(other); }
  BENCH_INLINE peaks peaks_of(seen const& s) const {
    const float most = s.max();
    return {most, -most * log2e};
  }
  template <class Lanes>
  BENCH_INLINE void weigh(weighed& w, Lanes some, peaks const& p, index i, index j, float* const* keep) const {
    const vec x = some.load(z + i * stride + j), t = some.load(q + i * stride + j),
              e = some.only(exp2_below_1(x * log2e + p.scaled));
    store(keep[0] + j, e);
    w.total += e, w.target += t, w.product += t * x;
  }
  BENCH_INLINE void add(weighed& w, weighed const& other) const {
    w.total += other.total, w.target += other.target, w.product += other.product;
  }
  double finish(seen const&, peaks const& p, weighed const& w, index, float* const*, rates& r) const {
    const float sum = bench::sum(w.total), target = bench::sum(w.target);
    r.inverse = scale * target / sum;
    return target * (p.most + std::log(sum)) - bench::sum(w.product);
  }
  template <class Lanes>
  BENCH_INLINE vec write(Lanes some, rates const& r, index i, index j, float* const* kept) const {
    return some.load(kept[0] + j) * r.inverse - some.load(q + i * stride + j) * scale;
  }
};

}  // namespace bench
