// SPDX-License-Identifier: MIT
/// The twin of cross entropy with a probability for every class. Its rows are not pipelined: with two matrices that are
/// read, the processor's own prefetching does as well, and the exponentials may wait in the gradient's row.
#pragma once

#include "../parallel.hpp"
#include "twin_softmax.hpp"

namespace bench {

/// Calls each(lanes, j) for all columns of a row, two registers at a time.
template <class Each>
BENCH_INLINE void over_columns(index columns, Each const& each) {
  index j = 0;
  for (; j + 2 * lanes <= columns; j += 2 * lanes) each(whole{}, j), each(whole{}, j + lanes);
  for (; j < columns; j += lanes) each(first_lanes{static_cast<int>(std::min<index>(columns - j, lanes))}, j);
}

/// The loss Σ q · log Σ exp z - Σ q z of a row, and the gradient scale (Σ q · p - q).
inline double dense_row(float const* z, float const* q, float* g, index columns, float scale) {
  auto seen = seen_logits<false>::start();
  over_columns(columns, [&](auto some, index j) { seen.look(some, some.load(z + j)); });
  const float most = seen.max(), scaled = -most * log2e;
  vec sum{}, target{}, product{};
  over_columns(columns, [&](auto some, index j) {
    const vec x = some.load(z + j), t = some.load(q + j), e = some.only(exp2_below_1(x * log2e + scaled));
    some.store(g + j, e);
    sum += e, target += t, product += t * x;
  });
  const float total = bench::sum(sum), targets = bench::sum(target), inverse = scale * targets / total;
  over_columns(columns,
               [&](auto some, index j) { some.store(g + j, some.load(g + j) * inverse - some.load(q + j) * scale); });
  return targets * (most + std::log(total)) - bench::sum(product);
}

/// The sum of the losses of n rows without padding.
inline double twin_dense(hone::cpu const& cpu, float const* z, float const* q, float* g, index n, index columns,
                         float scale) {
  return split(cpu, n, 4, 0, [=](index begin, index end, float*) {
    double loss = 0;
    for (index i = begin; i < end; ++i)
      loss += dense_row(z + i * columns, q + i * columns, g + i * columns, columns, scale);
    return loss;
  });
}

}  // namespace bench
