// SPDX-License-Identifier: MIT
/// The learning rate for another batch size, for optimisers that divide by the gradient's size.
#pragma once

#include <hone/schedule/schedule.hpp>

#include <cmath>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The square-root scaling rule: a batch k times as large uses √k times the rate. Returns
///   base_rate · √(batch_size / base_batch)
/// Use it for Adam, LAMB and other optimisers that divide by the gradient's size, and linear_scaled_rate for plain SGD.
/// `batch_size` counts the samples of all devices and accumulation steps together.
///
///     const double peak = hone::sqrt_scaled_rate(0.001, 1024);  // 0.002
///
/// Throws hone::invalid_argument if base_rate is not finite, batch_size < 1 or base_batch < 1.
/// Source: Krizhevsky, One weird trick, 2014, arXiv 1404.5997; You et al., LAMB, 2020, arXiv 1904.00962.
inline double sqrt_scaled_rate(real base_rate, integer batch_size, integer base_batch = 256) {
  detail::require_rate("sqrt_scaled_rate", "base_rate", base_rate);
  detail::require_count("sqrt_scaled_rate", "batch_size", batch_size);
  detail::require_count("sqrt_scaled_rate", "base_batch", base_batch);
  return base_rate * std::sqrt(static_cast<double>(batch_size) / static_cast<double>(base_batch));
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
