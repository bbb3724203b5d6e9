// SPDX-License-Identifier: MIT
/// Twins of losses of boxes as corners: a box per lane. They know nothing of ties, empty boxes or swapped corners.
#pragma once

#include "../parallel.hpp"

namespace bench {

struct corners {
  vec x1, y1, x2, y2;
};
struct box_loss {
  vec loss;
  corners gradient;
};

/// What all IoU losses share. `overlap` is the derivative of the intersection by the corners of the predicted box, and
/// `hull` where the box that encloses both moves with them.
struct box_overlap {
  vec width, height, wanted_width, wanted_height, hull_width, hull_height;
  vec area_of_union, inverse_union, iou;
  corners overlap;
  ivec hull_x1, hull_y1, hull_x2, hull_y2;

  static constexpr float tiny = 1e-7f;

  BENCH_INLINE box_overlap(corners const& p, corners const& t) {
    const vec none{};
    width = p.x2 - p.x1, height = p.y2 - p.y1, wanted_width = t.x2 - t.x1, wanted_height = t.y2 - t.y1;
    vec w = min(p.x2, t.x2) - max(p.x1, t.x1), h = min(p.y2, t.y2) - max(p.y1, t.y1);
    const ivec meet = (w > none) & (h > none);
    w = meet ? w : none, h = meet ? h : none;
    const vec common = w * h;
    area_of_union = width * height + wanted_width * wanted_height - common;
    inverse_union = reciprocal(area_of_union + tiny);
    iou = common * inverse_union;
    overlap = {p.x1 > t.x1 ? -h : none, p.y1 > t.y1 ? -w : none, p.x2 < t.x2 ? h : none, p.y2 < t.y2 ? w : none};
    hull_width = max(p.x2, t.x2) - min(p.x1, t.x1), hull_height = max(p.y2, t.y2) - min(p.y1, t.y1);
    hull_x1 = p.x1<t.x1, hull_y1 = p.y1<t.y1, hull_x2 = p.x2> t.x2, hull_y2 = p.y2> t.y2;
  }

  /// The derivative of 1 - IoU, where the area of the box has the derivative `area` and the intersection `common`.
  BENCH_INLINE vec one(vec area, vec common) const { return (iou * (area - common) - common) * inverse_union; }
  BENCH_INLINE corners gradient() const {
    return {one(-height, overlap.x1), one(-width, overlap.y1), one(height, overlap.x2), one(width, overlap.y2)};
  }
};

struct iou_twin {
  BENCH_INLINE box_loss operator()(corners const& p, corners const& t) const {
    const box_overlap o(p, t);
    return {1.f - o.iou, o.gradient()};
  }
};

/// 1 - IoU + (C - U) / C with C the area of the hull: the last part is 1 - U / C.
struct giou_twin {
  BENCH_INLINE box_loss operator()(corners const& p, corners const& t) const {
    const box_overlap o(p, t);
    const vec none{}, hull = o.hull_width * o.hull_height, r = reciprocal(hull + o.tiny),
                      empty = (hull - o.area_of_union) * r, f = (1.f - empty) * r;
    const auto one = [&](vec area, vec common, vec by_hull) {
      return o.one(area, common) + f * by_hull - r * (area - common);
    };
    return {1.f - o.iou + empty,
            {one(-o.height, o.overlap.x1, o.hull_x1 ? -o.hull_height : none),
             one(-o.width, o.overlap.y1, o.hull_y1 ? -o.hull_width : none),
             one(o.height, o.overlap.x2, o.hull_x2 ? o.hull_height : none),
             one(o.width, o.overlap.y2, o.hull_y2 ? o.hull_width : none)}};
  }
};

/// Adds ρ² / c², the squared distance of the centres by the squared diagonal of the hull.
BENCH_INLINE void add_distance(box_loss& l, box_overlap const& o, corners const& p, corners const& t) {
  const vec dx = 0.5f * ((p.x1 + p.x2) - (t.x1 + t.x2)), dy = 0.5f * ((p.y1 + p.y2) - (t.y1 + t.y2)),
            r = reciprocal(o.hull_width * o.hull_width + o.hull_height * o.hull_height + o.tiny),
            distance = (dx * dx + dy * dy) * r, x = dx * r, y = dy * r, by_width = 2.f * distance * r * o.hull_width,
            by_height = 2.f * distance * r * o.hull_height, none{};
  l.loss += distance;
  l.gradient.x1 += x + (o.hull_x1 ? by_width : none);
  l.gradient.y1 += y + (o.hull_y1 ? by_height : none);
  l.gradient.x2 += x - (o.hull_x2 ? by_width : none);
  l.gradient.y2 += y - (o.hull_y2 ? by_height : none);
}

struct diou_twin {
  BENCH_INLINE box_loss operator()(corners const& p, corners const& t) const {
    const box_overlap o(p, t);
    box_loss l{1.f - o.iou, o.gradient()};
    add_distance(l, o, p, t);
    return l;
  }
};

/// atan(W / H) - atan(w / h) in one: atan2(W h - w H, H h + W w).
BENCH_INLINE vec angle_between(vec w, vec h, vec W, vec H) {
  const vec y = W * h - w * H, x = H * h + W * w, size = abs(y), q = min(size, x) * reciprocal(max(size, x)), s = q * q;
  vec a = q * polynomial(s, -0.00478045475f, 0.024557122f, -0.0599047117f, 0.0994275878f, -0.140294196f, 0.199713751f,
                         -0.333320935f, 0.999999911f);
  a = size > x ? 1.57079632679f - a : a;
  return y < 0.f ? -a : a;
}

/// DIoU + α v with v = 4/π² (difference of the angles)², where α = v / (1 - IoU + v) is taken as constant.
struct ciou_twin {
  BENCH_INLINE box_loss operator()(corners const& p, corners const& t) const {
    const box_overlap o(p, t);
    box_loss l{1.f - o.iou, o.gradient()};
    add_distance(l, o, p, t);
    constexpr float k = 0.405284734569f;  // 4/π²
    const vec angle = angle_between(o.width, o.height, o.wanted_width, o.wanted_height), v = k * angle * angle,
              alpha = v * reciprocal(1.f - o.iou + v + o.tiny),
              f = alpha * (-2.f * k) * angle * reciprocal(o.width * o.width + o.height * o.height);
    l.loss += alpha * v;
    l.gradient.x1 -= f * o.height, l.gradient.x2 += f * o.height;
    l.gradient.y1 += f * o.width, l.gradient.y2 -= f * o.width;
    return l;
  }
};

// ---- arrays of boxes --------------------------------------------------------------------------------------------

#if defined(__AVX512F__)
BENCH_INLINE void interleave(vec& a, vec& b) {
  const __m512 x = (__m512)a, y = (__m512)b;
  a = (vec)_mm512_unpacklo_ps(x, y), b = (vec)_mm512_unpackhi_ps(x, y);
}
BENCH_INLINE void interleave_pairs(vec& a, vec& b) {
  const __m512d x = (__m512d)a, y = (__m512d)b;
  a = (vec)_mm512_unpacklo_pd(x, y), b = (vec)_mm512_unpackhi_pd(x, y);
}
#elif defined(__AVX__)
BENCH_INLINE void interleave(vec& a, vec& b) {
  const __m256 x = (__m256)a, y = (__m256)b;
  a = (vec)_mm256_unpacklo_ps(x, y), b = (vec)_mm256_unpackhi_ps(x, y);
}
BENCH_INLINE void interleave_pairs(vec& a, vec& b) {
  const __m256d x = (__m256d)a, y = (__m256d)b;
  a = (vec)_mm256_unpacklo_pd(x, y), b = (vec)_mm256_unpackhi_pd(x, y);
}
#else
BENCH_INLINE void interleave(vec& a, vec& b) {
  const vec x = a, y = b;
  a = vec{x[0], y[0], x[1], y[1]}, b = vec{x[2], y[2], x[3], y[3]};
}
BENCH_INLINE void interleave_pairs(vec& a, vec& b) {
  const vec x = a, y = b;
  a = vec{x[0], x[1], y[0], y[1]}, b = vec{x[2], x[3], y[2], y[3]};
}
#endif

/// Transposes each 4 x 4 block of numbers in four registers: from boxes to corners, the boxes in an order of their own,
/// and back.
BENCH_INLINE void transpose_4(vec& a, vec& b, vec& c, vec& d) {
  interleave(a, b), interleave(c, d);
  interleave_pairs(a, c), interleave_pairs(b, d);
  const vec x = b;
  b = c, c = x;
}
BENCH_INLINE corners load_boxes(float const* p) {
  corners c{load(p), load(p + lanes), load(p + 2 * lanes), load(p + 3 * lanes)};
  transpose_4(c.x1, c.y1, c.x2, c.y2);
  return c;
}
template <bool past>
BENCH_INLINE void store_boxes(float* p, corners c, float scale) {
  transpose_4(c.x1, c.y1, c.x2, c.y2);
  int k = 0;
  for (const vec x : {c.x1, c.y1, c.x2, c.y2}) {
    if constexpr (past)
      stream(p + k * lanes, x * scale);
    else
      store(p + k * lanes, x * scale);
    ++k;
  }
}

template <bool past, class Formula>
double box_piece(Formula f, float const* p, float const* t, float* g, index n, float scale) {
  double total = 0;
  index i = 0;
  for (index begin = 0; begin + lanes <= n; begin = i) {
    vec losses{};
    for (const index end = std::min(n, begin + 4096); i + lanes <= end; i += lanes) {
      for (int line = 0; line < 4 * lanes; line += 16) {
        prefetch(p + 4 * i + 1024 + line);
        prefetch(t + 4 * i + 1024 + line);
      }
      const box_loss l = f(load_boxes(p + 4 * i), load_boxes(t + 4 * i));
      losses += l.loss;
      store_boxes<past>(g + 4 * i, l.gradient, scale);
    }
    total += sum(losses);
  }
  if (i < n) {  // the last ones, and boxes like the first of them
    alignas(64) float last[3][4 * lanes];
    for (int k = 0; k < 4 * lanes; ++k) {
      const index from = 4 * i + (i + k / 4 < n ? k : k % 4);
      last[0][k] = p[from], last[1][k] = t[from];
    }
    const auto left = static_cast<std::size_t>(n - i);
    const box_loss l = f(load_boxes(last[0]), load_boxes(last[1]));
    store_boxes<false>(last[2], {l.loss, l.loss, l.loss, l.loss}, 1);  // in the order of the boxes
    for (std::size_t k = 0; k < left; ++k) total += last[2][4 * k];
    store_boxes<false>(last[2], l.gradient, scale);
    std::memcpy(g + 4 * i, last[2], 4 * left * sizeof(float));
  }
  if constexpr (past) stream_fence();
  return total;
}

/// The mean loss of n boxes; g is aligned to 64 bytes.
template <class Formula>
double twin_boxes(hone::cpu const& cpu, Formula f, float const* p, float const* t, float* g, index n, bool past) {
  const float scale = 1 / static_cast<float>(n);
  return split(cpu, n, 256, 0,
               [=](index begin, index end, float*) {
                 const index at = 4 * begin;
                 return past ? box_piece<true>(f, p + at, t + at, g + at, end - begin, scale)
                             : box_piece<false>(f, p + at, t + at, g + at, end - begin, scale);
               }) /
         static_cast<double>(n);
}

}  // namespace bench
