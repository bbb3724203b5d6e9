// SPDX-License-Identifier: MIT
/// The learning rate for another batch size.
#pragma once

#include <hone/schedule/schedule.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The linear scaling rule: a batch k times as large uses k times the rate. Returns
///   base_rate · batch_size / base_batch
/// `base_rate` is a rate tuned for `base_batch` samples per step; `batch_size` counts the samples of all devices and
/// accumulation steps together. Large batches need a warm-up too: see warmup_cosine.
///
///     const double peak = hone::linear_scaled_rate(0.1, 1024);  // 0.4
///
/// Throws hone::invalid_argument if base_rate is not finite, batch_size < 1 or base_batch < 1.
/// Source: Goyal et al., Accurate, Large Minibatch SGD, 2017, arXiv 1706.02677, section 2.1.
inline double linear_scaled_rate(real base_rate, integer batch_size, integer base_batch = 256) {
  detail::require_rate("linear_scaled_rate", "base_rate", base_rate);
  detail::require_count("linear_scaled_rate", "batch_size", batch_size);
  detail::require_count("linear_scaled_rate", "base_batch", base_batch);
  return base_rate * (static_cast<double>(batch_size) / static_cast<double>(base_batch));
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
