// SPDX-License-Identifier: MIT
/// The targets of twins on rows: a few classes of a row with weights, and an equal weight for all classes.
#pragma once

#include "../lanes.hpp"

#include <array>

namespace bench {

struct target_part {
  index column;
  float weight;
};

/// (1 - ε) on the label, ε / K on all; ε is 0 unless `smooth`.
template <bool smooth>
struct one_label {
  index const* label;
  float epsilon = 0;
  static constexpr bool spreads = smooth;

  BENCH_INLINE std::array<target_part, 1> parts(index row) const { return {{{label[row], 1 - epsilon}}}; }
  BENCH_INLINE float total(index) const { return 1; }
};

/// λ on one label and 1 - λ on another, times 1 - ε; ε / K on all.
template <bool smooth>
struct two_labels {
  index const *first, *second;
  float const* lambda;
  float epsilon = 0;
  static constexpr bool spreads = smooth;

  BENCH_INLINE std::array<target_part, 2> parts(index row) const {
    const float on = 1 - epsilon, l = lambda[row];
    return {{{first[row], on * l}, {second[row], on * (1 - l)}}};
  }
  BENCH_INLINE float total(index) const { return 1; }
};

/// The weight of its class on the label.
struct weighted_label {
  index const* label;
  float const* weight;
  static constexpr float epsilon = 0;
  static constexpr bool spreads = false;

  BENCH_INLINE std::array<target_part, 1> parts(index row) const { return {{{label[row], weight[label[row]]}}}; }
  BENCH_INLINE float total(index row) const { return weight[label[row]]; }
};

}  // namespace bench
