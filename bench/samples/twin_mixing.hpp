// SPDX-License-Identifier: MIT
/// Twins of mixed batches of images, row-major rows x features.
#pragma once

#include "../parallel.hpp"

#include <hone/sample/draw.hpp>

#include <vector>

namespace bench {

/// λ own + (1 - λ) other for n numbers.
template <bool past>
void twin_blend(float const* own, float const* other, float* to, index n, float lambda) {
  const float rest = 1 - lambda;
  index i = 0;
  if constexpr (past)
    for (const index head = until_aligned(to, n); i < head; ++i) to[i] = lambda * own[i] + rest * other[i];
  for (; i + lanes <= n; i += lanes) {
    prefetch(other + i + 1024);
    const vec x = load(own + i) * lambda + load(other + i) * rest;
    if constexpr (past)
      stream(to + i, x);
    else
      store(to + i, x);
  }
  for (; i < n; ++i) to[i] = lambda * own[i] + rest * other[i];
}

/// The rows in an order in which each is followed by its partner, so that a row is read once.
inline std::vector<index> cycles(std::vector<index> const& partner) {
  std::vector<index> order;
  std::vector<char> done(partner.size());
  for (std::size_t first = 0; first < partner.size(); ++first)
    for (std::size_t i = first; !done[i]; i = static_cast<std::size_t>(partner[i])) {
      done[i] = 1;
      order.push_back(static_cast<index>(i));
    }
  return order;
}

/// 64 Ki features of all rows at a time, which stay in the second-level cache until the partner has been read.
inline double twin_mixup(hone::cpu const& cpu, hone::mixup_draw const& draw, float const* from, float* to,
                         index features, bool past) {
  constexpr index block = 65536;
  const auto order = cycles(draw.partner);
  const index blocks = (features + block - 1) / block, rows = static_cast<index>(order.size());
  return split(cpu, blocks * rows, rows, 0, [=, &draw, &order](index begin, index end, float*) {
    for (index k = begin; k < end; ++k) {
      const index first = k / rows * block, n = std::min(block, features - first);
      const auto row = static_cast<std::size_t>(order[static_cast<std::size_t>(k % rows)]);
      float const* const own = from + static_cast<index>(row) * features + first;
      float const* const other = from + draw.partner[row] * features + first;
      float* const out = to + static_cast<index>(row) * features + first;
      past ? twin_blend<true>(own, other, out, n, draw.lambda[row])
           : twin_blend<false>(own, other, out, n, draw.lambda[row]);
    }
    if (past) stream_fence();
    return 0.0;
  });
}

/// Both rows of each pair at once; to may be from.
template <bool past>
void twin_pair(float const* a, float const* b, float* to_a, float* to_b, index n, float lambda) {
  const float rest = 1 - lambda;
  index i = 0;
  if constexpr (past)  // rows are so long that both are aligned alike
    for (const index head = until_aligned(to_a, n); i < head; ++i) {
      const float x = a[i], y = b[i];
      to_a[i] = lambda * x + rest * y, to_b[i] = lambda * y + rest * x;
    }
  for (; i + lanes <= n; i += lanes) {
    const vec x = load(a + i), y = load(b + i), to_x = x * lambda + y * rest, to_y = y * lambda + x * rest;
    prefetch(a + i + 1024), prefetch(b + i + 1024);
    if constexpr (past)
      stream(to_a + i, to_x), stream(to_b + i, to_y);
    else
      store(to_a + i, to_x), store(to_b + i, to_y);
  }
  for (; i < n; ++i) {
    const float x = a[i], y = b[i];
    to_a[i] = lambda * x + rest * y, to_b[i] = lambda * y + rest * x;
  }
}

inline double twin_pairs(hone::cpu const& cpu, hone::mixup_draw const& draw, float const* from, float* to,
                         index features, bool past) {
  const auto rows = static_cast<index>(draw.lambda.size());
  const bool alike = past && features % lanes == 0;
  return split(cpu, rows, 1, 0, [=, &draw](index begin, index end, float*) {
    for (index i = begin; i < end; ++i) {
      const index partner = draw.partner[static_cast<std::size_t>(i)];
      if (partner < i) continue;
      const float lambda = draw.lambda[static_cast<std::size_t>(i)];
      float const *const a = from + i * features, *const b = from + partner * features;
      float *const to_a = to + i * features, *const to_b = to + partner * features;
      alike ? twin_pair<true>(a, b, to_a, to_b, features, lambda)
            : twin_pair<false>(a, b, to_a, to_b, features, lambda);
    }
    if (past) stream_fence();
    return 0.0;
  });
}

/// A copy of n numbers.
inline void twin_copy(float const* from, float* to, index n, bool past) {
  past ? twin_blend<true>(from, from, to, n, 1) : twin_blend<false>(from, from, to, n, 1);
}

/// Every line of an image from its own image, and between the sides of the box from the partner's.
inline double twin_cutmix(hone::cpu const& cpu, hone::cutmix_draw const& draw, float const* from, float* to,
                          index channels, bool past) {
  const index lines = channels * draw.height, width = draw.width, features = lines * width;
  return split(cpu, static_cast<index>(draw.lambda.size()), 1, 0, [=, &draw](index begin, index end, float*) {
    for (index i = begin; i < end; ++i) {
      const auto row = static_cast<std::size_t>(i);
      const hone::pixel_box box = draw.boxes[row];
      float const *own = from + i * features, *other = from + draw.partner[row] * features;
      float* out = to + i * features;
      for (index line = 0; line < lines; ++line, own += width, other += width, out += width) {
        const index y = line % draw.height;
        if (y < box.y1 || y >= box.y2 || box.x1 == box.x2) {
          twin_copy(own, out, width, past);
          continue;
        }
        twin_copy(own, out, box.x1, past);
        twin_copy(other + box.x1, out + box.x1, box.x2 - box.x1, past);
        twin_copy(own + box.x2, out + box.x2, width - box.x2, past);
      }
    }
    if (past) stream_fence();
    return 0.0;
  });
}

}  // namespace bench
