// SPDX-License-Identifier: MIT
/// The twin of the matrix of overlaps of all pairs of boxes.
#pragma once

#include "../parallel.hpp"

#include <vector>

namespace bench {

/// out[i][j] is the IoU of a[i] and b[j]. The columns of b are made once, by the caller's thread.
inline double twin_pairwise_iou(hone::cpu const& cpu, float const* a, index rows, float const* b, index columns,
                                float* out, bool past) {
  const index padded = (columns + lanes - 1) / lanes * lanes;
  std::vector<float> store_of(static_cast<std::size_t>(5 * padded));
  float* const c = store_of.data();
  for (index j = 0; j < columns; ++j) {
    for (int k = 0; k < 4; ++k) c[k * padded + j] = b[4 * j + k];
    c[4 * padded + j] = (b[4 * j + 2] - b[4 * j]) * (b[4 * j + 3] - b[4 * j + 1]);
  }
  return split(cpu, rows, 4, 0, [=](index begin, index end, float*) {
    for (index i = begin; i < end; ++i) {
      float const* const box = a + 4 * i;
      const float area = (box[2] - box[0]) * (box[3] - box[1]);
      const auto iou = [&](auto some, index j) {
        const vec w = min(splat(box[2]), some.load(c + 2 * padded + j)) - max(splat(box[0]), some.load(c + j)),
                  h = min(splat(box[3]), some.load(c + 3 * padded + j)) - max(splat(box[1]), some.load(c + padded + j)),
                  common = max(w, vec{}) * max(h, vec{});
        return common * reciprocal(some.load(c + 4 * padded + j) + area - common);
      };
      float* const to = out + i * columns;
      index j = past ? until_aligned(to, columns) : 0;
      if (j > 0) first_lanes{static_cast<int>(j)}.store(to, iou(first_lanes{static_cast<int>(j)}, 0));
      for (; j + lanes <= columns; j += lanes) past ? stream(to + j, iou(whole{}, j)) : store(to + j, iou(whole{}, j));
      const first_lanes rest{static_cast<int>(columns - j)};
      if (rest.n > 0) rest.store(to + j, iou(rest, j));
    }
    if (past) stream_fence();
    return 0.0;
  });
}

}  // namespace bench
