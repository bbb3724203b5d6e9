// SPDX-License-Identifier: MIT
/// The twin of distillation at a temperature of 4, with cross entropy and a z-loss in the same sweep, for run_pipeline.
#pragma once

#include "twin_softmax.hpp"

namespace bench {

/// Factors of the terms, and of the mean.
struct distillation_factors {
  float cross_entropy, distillation, z_loss, scale;
};

/// With s and t the logits of student and teacher, e = exp(s / 4): exp(s) is e⁴, which saves the second exponential.
///   value     a CE + b T² KL(t / T || s / T) + c (log Σ exp s)²
///   gradient  scale ((a Σ q + 2 c log Σ exp s) p - a q + b T (p_T - q_T))
template <class Targets>
struct distilled_rows {
  float const *s, *t;
  float* g;
  index columns, stride;
  Targets targets;
  distillation_factors factor;

  static constexpr float T = 4;
  static constexpr int unroll = 1, kept = 2;  // exponentials of student and teacher, both at T
  struct seen {
    seen_logits<Targets::spreads> student;
    seen_logits<false> teacher;
    BENCH_INLINE static seen start() { return {decltype(student)::start(), decltype(teacher)::start()}; }
  };
  struct weighed {
    vec hot, student, teacher, cross;  // Σ exp s, Σ exp s/T, Σ exp t/T, Σ exp t/T (t - s)
  };
  struct peaks {
    float student, teacher, scaled_student, scaled_teacher;
  };
  struct rates {
    float student, teacher, hot, spread;
  };

  float* gradient(index i) const { return g + i * stride; }

  template <class Lanes>
  BENCH_INLINE void look(seen& x, Lanes some, index i, index j) const {
    const index at = i * stride + j;
    prefetch(s + at + 1024);
    prefetch(t + at + 1024);
    x.student.look(some, some.load(s + at));
    x.teacher.look(some, some.load(t + at));
  }
  BENCH_INLINE void add(seen& x, seen const& other) const {
    x.student.add(other.student), x.teacher.add(other.teacher);
  }
  BENCH_INLINE peaks peaks_of(seen const& x) const {
    const float a = x.student.max(), b = x.teacher.max();
    return {a, b, -a * (log2e / T), -b * (log2e / T)};
  }
  template <class Lanes>
  BENCH_INLINE void weigh(weighed& w, Lanes some, peaks const& p, index i, index j, float* const* keep) const {
    const vec a = some.load(s + i * stride + j), b = some.load(t + i * stride + j),
              e = some.only(exp2_below_1(a * (log2e / T) + p.scaled_student)),
              f = some.only(exp2_below_1(b * (log2e / T) + p.scaled_teacher)), square = e * e;
    store(keep[0] + j, e), store(keep[1] + j, f);
    w.hot += square * square, w.student += e, w.teacher += f, w.cross += f * (b - a);
  }
  BENCH_INLINE void add(weighed& w, weighed const& other) const {
    w.hot += other.hot, w.student += other.student, w.teacher += other.teacher, w.cross += other.cross;
  }

  double finish(seen const& x, peaks const& p, weighed const& w, index i, float* const* keep, rates& r) const {
    const float hot = sum(w.hot), student = sum(w.student), teacher = sum(w.teacher), total = targets.total(i),
                lse = p.student + std::log(hot), spread = targets.epsilon / static_cast<float>(columns);
    r.student = factor.scale * factor.distillation * T / student;
    r.teacher = factor.scale * factor.distillation * T / teacher;
    r.hot = factor.scale * (factor.cross_entropy * total + 2 * factor.z_loss * lse) / hot;
    r.spread = factor.scale * factor.cross_entropy * spread;
    double ce = total * lse;
    if constexpr (Targets::spreads) ce -= spread * x.student.total();
    for (auto const& part : targets.parts(i)) {
      ce -= part.weight * s[i * stride + part.column];
      keep[1][part.column] += factor.scale * factor.cross_entropy * part.weight / r.teacher;
    }
    const double kl = double(sum(w.cross)) / (T * teacher) + (p.student - p.teacher) / T + std::log(student / teacher);
    return factor.cross_entropy * ce + factor.distillation * T * T * kl + factor.z_loss * lse * lse;
  }
  template <class Lanes>
  BENCH_INLINE vec write(Lanes some, rates const& r, index, index j, float* const* kept) const {
    const vec e = some.load(kept[0] + j), square = e * e,
              x = r.student * e - r.teacher * some.load(kept[1] + j) + r.hot * (square * square);
    return Targets::spreads ? x - r.spread : x;
  }
};

}  // namespace bench
