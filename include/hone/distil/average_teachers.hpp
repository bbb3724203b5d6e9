// SPDX-License-Identifier: MIT
/// The options and checks of average_teachers on every backend: the mean of several teachers.
#pragma once

#include <hone/core/numbers.hpp>
#include <hone/core/overlap.hpp>
#include <hone/core/view_check.hpp>

#include <span>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The quantity that is averaged: the probabilities at the temperature, or the logits.
enum class mean_of : unsigned char { probabilities, logits };

struct average_teachers_options {
  numbers weights = {};                 ///< one per teacher, finite, >= 0, in host memory; all equal by default
  mean_of of = mean_of::probabilities;  ///< the mean of logits does not depend on the temperature
};

namespace detail {

inline constexpr index max_teachers = 32;

/// The weight of each teacher, divided by the sum of the weights.
struct teacher_shares {
  double at[max_teachers] = {};
};

/// Checks all arguments, then returns the shares.
template <class T>
teacher_shares require_teachers(std::span<const matrix_view<const T>> teachers, double temperature, matrix_view<T> out,
                                average_teachers_options const& options) {
  const char* const me = "average_teachers";
  const auto count = static_cast<index>(teachers.size());
  require(count >= 1 && count <= max_teachers, me, "the number of teachers", count, "in [1, 32]");
  require_positive(me, "temperature", temperature);
  require_sizes(me, "out", out.rows, out.columns);
  require_memory(me, "out", out);
  for (index m = 0; m < count; ++m) {
    auto const& t = teachers[std::size_t(m)];
    require_sizes(me, "a teacher", t.rows, t.columns);
    require_memory(me, "a teacher", t);
    if (t.rows != out.rows || t.columns != out.columns)
      fail("average_teachers: teacher %jd is %jd x %jd, out is %jd x %jd", std::intmax_t(m), std::intmax_t(t.rows),
           std::intmax_t(t.columns), std::intmax_t(out.rows), std::intmax_t(out.columns));
    require_same_or_apart(me, "out", footprint_of(out), "a teacher", footprint_of(t));
  }
  numbers const& weights = options.weights;
  if (weights.size() != 0 && weights.size() != count)
    fail("average_teachers: %jd weights for %jd teachers", std::intmax_t(weights.size()), std::intmax_t(count));
  teacher_shares shares;
  double total = 0;
  for (index m = 0; m < count; ++m) {
    const double w = weights.size() ? weights[m] : 1;
    if (!(w >= 0 && finite(w)))
      fail("average_teachers: weight %jd is %.9g, must be finite and not negative", std::intmax_t(m), w);
    shares.at[m] = w;
    total += w;
  }
  require_positive(me, "the sum of the weights", total);
  for (index m = 0; m < count; ++m) shares.at[m] /= total;
  return shares;
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
