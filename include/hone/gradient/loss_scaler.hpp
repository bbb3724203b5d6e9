// SPDX-License-Identifier: MIT
/// The factor of a loss whose gradients would underflow in 16 bits, adapted during training.
#pragma once

#include <hone/core/error.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The state of a loss_scaler. Save it with a checkpoint.
struct loss_scaler_state {
  double scale = 0;      ///< 0: no step yet, the scale is `initial`
  index finite = 0;      ///< consecutive finite steps since the last growth
  index not_finite = 0;  ///< consecutive steps that were not finite
};

/// A dynamic loss scale. Multiply the loss by scale() before the backward pass, divide the gradients by it
/// (hone::unscale), and skip a step whose gradients are not finite. update() changes the scale:
///   after every `interval` finite steps in a row    scale · growth, at most `maximum`
///   at the `hysteresis`th step in a row that is not finite, and at each one after it    scale · backoff, at least
///   `minimum`
/// growth = 1 and backoff = 1 make a constant scale. The defaults are those of PyTorch and apex.
///
///     hone::loss_scaler scaler{.initial = 65536};
///     // loss · scaler.scale(), backward, then
///     auto report = hone::transform(cpu, hone::unscale(scaler), gradients);
///     if (report.finite) optimiser.step();
///     scaler.update(report.finite);
///
/// Source: Micikevicius et al., Mixed Precision Training, 2018, arXiv 1710.03740, section 3.2.
struct loss_scaler {
  real initial = 65536;
  real growth = 2;     ///< at least 1
  real backoff = 0.5;  ///< above 0, at most 1
  integer interval = 2000;
  integer hysteresis = 1;  ///< non-finite steps in a row before the scale backs off
  real minimum = 0x1p-126;
  real maximum = 0x1p127;  ///< float's largest power of two
  loss_scaler_state state = {};

  /// Returns the current factor. Throws hone::invalid_argument if an option is out of range.
  double scale() const {
    check();
    return state.scale > 0 ? state.scale : initial.value;
  }

  /// Updates the scale after a step; `finite` is the report's. Throws as scale() does.
  void update(bool finite) {
    check();
    state = next(finite);
  }

  /// Returns the state after a step whose gradients were finite or not. The options must be in range.
  HONE_HD loss_scaler_state next(bool finite) const noexcept {
    loss_scaler_state s = state;
    if (!(s.scale > 0)) s.scale = initial.value;
    if (finite) {
      s.not_finite = 0;
      if (++s.finite >= interval.value) {
        const double larger = s.scale * growth.value, bounded = larger > maximum.value ? maximum.value : larger;
        s.finite = 0, s.scale = bounded > s.scale ? bounded : s.scale;
      }
    } else {
      s.finite = 0;
      if (++s.not_finite >= hysteresis.value) {
        const double smaller = s.scale * backoff.value, bounded = smaller < minimum.value ? minimum.value : smaller;
        s.scale = bounded < s.scale ? bounded : s.scale;
      }
    }
    return s;
  }

  /// Throws hone::invalid_argument if an option is out of range.
  void check() const;
};

inline void loss_scaler::check() const {
  using detail::require;
  require(initial > 0 && detail::finite(initial), "loss_scaler", "initial", initial, "above 0 and finite");
  require(growth >= 1 && detail::finite(growth), "loss_scaler", "growth", growth, "at least 1 and finite");
  require(backoff > 0 && backoff <= 1, "loss_scaler", "backoff", backoff, "in (0, 1]");
  require(interval >= 1, "loss_scaler", "interval", interval.value, "at least 1");
  require(hysteresis >= 1, "loss_scaler", "hysteresis", hysteresis.value, "at least 1");
  require(minimum > 0 && minimum <= maximum, "loss_scaler", "minimum", minimum, "above 0 and at most maximum");
  require(detail::finite(maximum), "loss_scaler", "maximum", maximum, "finite");
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
