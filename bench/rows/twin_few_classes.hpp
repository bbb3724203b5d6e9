// SPDX-License-Identifier: MIT
/// Twins for few classes: a row per lane, so that nothing is summed across lanes. Rows of a matrix are transposed in
/// registers; pixels of images are columns already.
#pragma once

#include "../parallel.hpp"
#include "twin_distillation.hpp"

namespace bench {

typedef index long_vec __attribute__((vector_size(8 * lanes)));

BENCH_INLINE ivec load_labels(index const* p) {
  long_vec x;
  std::memcpy(&x, p, sizeof x);
  return __builtin_convertvector(x, ivec);
}

template <int C>
BENCH_INLINE vec most_of(vec const (&x)[C]) {
  vec most = x[0];
#pragma GCC unroll 32
  for (int c = 1; c < C; ++c) most = max(most, x[c]);
  return most;
}

// ---- formulas: logits of C classes become gradients, the losses of the rows are returned ------------------------

struct few_classes_cross_entropy {
  float epsilon, scale;

  template <int C>
  BENCH_INLINE vec operator()(vec (&x)[C], ivec label) const {
    const vec most = most_of(x);
    vec sum{}, logits{}, own{};
#pragma GCC unroll 32
    for (int c = 0; c < C; ++c) {
      logits += x[c];
      own = label == c ? x[c] : own;
      x[c] = exp2_below_1((x[c] - most) * log2e);
      sum += x[c];
    }
    const float spread = epsilon / C, off = scale * spread, on = off + scale * (1 - epsilon);
    const vec rate = scale / sum;
#pragma GCC unroll 32
    for (int c = 0; c < C; ++c) x[c] = x[c] * rate - (label == c ? splat(on) : splat(off));
    return most + log(sum) - (1 - epsilon) * own - spread * logits;
  }
};

/// As distilled_rows, on a label without smoothing.
struct few_classes_distillation {
  distillation_factors factor;

  template <int C>
  BENCH_INLINE vec operator()(vec (&s)[C], vec (&t)[C], ivec label) const {
    constexpr float T = 4, k = log2e / T;
    const vec student_most = most_of(s), teacher_most = most_of(t);
    vec hot{}, student{}, teacher{}, cross{}, own{};
#pragma GCC unroll 32
    for (int c = 0; c < C; ++c) {
      own = label == c ? s[c] : own;
      const vec difference = t[c] - s[c];
      s[c] = exp2_below_1((s[c] - student_most) * k);
      t[c] = exp2_below_1((t[c] - teacher_most) * k);
      const vec square = s[c] * s[c];
      hot += square * square, student += s[c], teacher += t[c], cross += t[c] * difference;
    }
    const float ce = factor.cross_entropy, kd = factor.distillation, scale = factor.scale;
    const vec a = (scale * kd * T) / student, b = (scale * kd * T) / teacher, d = (scale * ce) / hot;
#pragma GCC unroll 32
    for (int c = 0; c < C; ++c) {
      const vec square = s[c] * s[c];
      s[c] = a * s[c] - b * t[c] + d * (square * square) - (label == c ? splat(scale * ce) : vec{});
    }
    const vec kl = cross / (T * teacher) + (student_most - teacher_most) / T + log(student / teacher);
    return ce * (student_most + log(hot) - own) + (kd * T * T) * kl;
  }
};

// ---- rows of a matrix -------------------------------------------------------------------------------------------

#if defined(__AVX512F__)
BENCH_INLINE void transpose_16(vec* r) {
  __m512 t[16];
  const auto pairs = [&](int to, int i, int j) {
    const __m512d a = (__m512d)t[i], b = (__m512d)t[j];
    r[to] = (vec)_mm512_unpacklo_pd(a, b), r[to + 1] = (vec)_mm512_unpackhi_pd(a, b);
  };
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps((__m512)r[i], (__m512)r[i + 1]);
    t[i + 1] = _mm512_unpackhi_ps((__m512)r[i], (__m512)r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) pairs(i, i, i + 2), pairs(i + 2, i + 1, i + 3);
  for (int i = 0; i < 4; ++i)
    for (int half = 0; half < 2; ++half) {
      const __m512 a = (__m512)r[8 * half + i], b = (__m512)r[8 * half + i + 4];
      t[8 * half + i] = _mm512_shuffle_f32x4(a, b, 0x88);
      t[8 * half + i + 4] = _mm512_shuffle_f32x4(a, b, 0xdd);
    }
  for (int i = 0; i < 8; ++i) {
    r[i] = (vec)_mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
    r[i + 8] = (vec)_mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd);
  }
}
#endif

/// `lanes` rows of C numbers at p, as C registers with a row in each lane; and back.
template <int C>
BENCH_INLINE void load_rows(vec (&x)[C], float const* p) {
#if defined(__AVX512F__)
  if constexpr (C <= 16) {
    vec r[16];
#pragma GCC unroll 32
    for (int k = 0; k < 16; ++k) r[k] = first_lanes{C}.load(p + k * C);
    transpose_16(r);
#pragma GCC unroll 32
    for (int c = 0; c < C; ++c) x[c] = r[c];
    return;
  }
#endif
#pragma GCC unroll 32
  for (int c = 0; c < C; ++c)
    for (int k = 0; k < lanes; ++k) x[c][k] = p[k * C + c];
}
template <int C>
BENCH_INLINE void store_rows(vec const (&x)[C], float* p) {
#if defined(__AVX512F__)
  if constexpr (C <= 16) {
    vec r[16]{};
#pragma GCC unroll 32
    for (int c = 0; c < C; ++c) r[c] = x[c];
    transpose_16(r);
    constexpr int within = 15 - (16 - C) / C;  // a full store of the rows before does not pass the end
    for (int k = 0; k < within; ++k) store(p + k * C, r[k]);
    for (int k = within; k < 16; ++k) first_lanes{C}.store(p + k * C, r[k]);
    return;
  }
#endif
#pragma GCC unroll 32
  for (int c = 0; c < C; ++c)
    for (int k = 0; k < lanes; ++k) p[k * C + c] = x[c][k];
}

/// Rows of C numbers without padding: `each` is called with the first row of `lanes` of them, or of a copy of the last
/// ones with rows of zeros after them.
template <int C, class Each>
double few_classes(hone::cpu const& cpu, index n, float const* z, float const* teacher, index const* label, float* g,
                   Each const& each) {
  return split(cpu, n, 16, 0, [=](index begin, index end, float*) {
    double loss = 0;
    index i = begin;
    for (; i + lanes <= end; i += lanes)
      loss += sum(each(z + i * C, teacher ? teacher + i * C : nullptr, label + i, g + i * C));
    if (i == end) return loss;
    const auto left = static_cast<std::size_t>(end - i);
    float last[3][C * lanes] = {};
    index labels[lanes] = {};
    std::memcpy(last[0], z + i * C, left * C * sizeof(float));
    if (teacher) std::memcpy(last[1], teacher + i * C, left * C * sizeof(float));
    std::memcpy(labels, label + i, left * sizeof(index));
    const vec losses = each(last[0], last[1], labels, last[2]);
    std::memcpy(g + i * C, last[2], left * C * sizeof(float));
    return loss + sum(first_lanes{static_cast<int>(left)}.only(losses));
  });
}

template <int C>
double few_classes(hone::cpu const& cpu, index n, few_classes_cross_entropy f, float const* z, index const* label,
                   float* g) {
  return few_classes<C>(cpu, n, z, nullptr, label, g, [f](float const* from, float const*, index const* y, float* to) {
    vec x[C];
    load_rows(x, from);
    const vec losses = f(x, load_labels(y));
    store_rows(x, to);
    return losses;
  });
}
template <int C>
double few_classes(hone::cpu const& cpu, index n, few_classes_distillation f, float const* z, float const* teacher,
                   index const* label, float* g) {
  return few_classes<C>(cpu, n, z, teacher, label, g,
                        [f](float const* from, float const* of_teacher, index const* y, float* to) {
                          vec s[C], t[C];
                          load_rows(s, from), load_rows(t, of_teacher);
                          const vec losses = f(s, t, load_labels(y));
                          store_rows(s, to);
                          return losses;
                        });
}

// ---- pixels of images -------------------------------------------------------------------------------------------

/// Images x C x pixels. 512 pixels at a time go through the scratch, because the classes of a pixel lie a multiple of
/// the size of a cache's way apart, so that fewer of them than C stay in a cache.
template <int C>
double pixels(hone::cpu const& cpu, index images, index pixels, few_classes_cross_entropy f, float const* z,
              index const* label, float* g, bool past) {
  constexpr index tile = 512;
  const index tiles = (pixels + tile - 1) / tile;
  return split(cpu, images * tiles, 1, C * tile * sizeof(float), [=](index begin, index end, float* scratch) {
    double loss = 0;
    for (index k = begin; k < end; ++k) {
      const index image = k / tiles, first = k % tiles * tile, n = std::min(tile, pixels - first),
                  start = image * C * pixels + first;
      index const* const y = label + image * pixels + first;
#pragma GCC unroll 32
      for (int c = 0; c < C; ++c) {
        float const* const from = z + start + c * pixels;
        for (index i = 0; i < n; i += 16) prefetch(from + tile + i);
        std::memcpy(scratch + c * tile, from, static_cast<std::size_t>(n) * sizeof(float));
      }
      for (index i = 0; i < n; i += lanes) {
        vec x[C];
#pragma GCC unroll 32
        for (int c = 0; c < C; ++c) x[c] = load(scratch + c * tile + i);
        const vec losses = f(x, load_labels(y + i));
#pragma GCC unroll 32
        for (int c = 0; c < C; ++c) store(scratch + c * tile + i, x[c]);
        loss += sum(n - i >= lanes ? losses : first_lanes{static_cast<int>(n - i)}.only(losses));
      }
#pragma GCC unroll 32
      for (int c = 0; c < C; ++c) {
        float* const to = g + start + c * pixels;
        index i = past ? until_aligned(to, n) : 0;
        for (index head = 0; head < i; ++head) to[head] = scratch[c * tile + head];
        for (; i + lanes <= n; i += lanes)
          past ? stream(to + i, load(scratch + c * tile + i)) : store(to + i, load(scratch + c * tile + i));
        for (; i < n; ++i) to[i] = scratch[c * tile + i];
      }
    }
    if (past) stream_fence();
    return loss;
  });
}

}  // namespace bench
