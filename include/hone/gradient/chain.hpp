// SPDX-License-Identifier: MIT
/// Combines gradient steps: one sweep measures all norms, and at most one more sweep writes.
#pragma once

#include <hone/gradient/step.hpp>

#include <tuple>
#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

template <gradient_step... Step>
struct gradient_chain {
  std::tuple<Step...> steps;

  template <class F>
  void each(F const& f) const {
    std::apply([&](Step const&... step) { (f(step), ...); }, steps);
  }

  /// Returns the product of 1 / scale over the unscale steps, with the scale that a loss_scaler has now.
  double unscaling() const {
    double factor = 1;
    each([&]<class S>(S const& s) {
      if constexpr (requires { s.scaler; })
        factor /= s.scaler->scale();
      else if constexpr (S::kind == step_kind::unscale)
        factor /= s.scale;
    });
    return factor;
  }
  /// Returns the smallest limit of clip_by_value before (or after) the first norm clip; infinity if there is none.
  double limit(bool after_norms) const {
    double smallest = detail::infinity;
    bool norm = false;
    each([&]<class S>(S const& s) {
      if constexpr (S::kind == step_kind::value) {
        if (norm == after_norms && s.limit < smallest) smallest = s.limit;
      } else if constexpr (S::kind != step_kind::unscale) {
        norm = true;
      }
    });
    return smallest;
  }
  /// Returns whether a step uses the p-norm.
  bool takes_norm(double p) const {
    bool found = false;
    each([&]<class S>(S const& s) {
      if constexpr (requires { s.p; }) found = found || s.p == p;
    });
    return found;
  }
  /// Returns whether sums of squares suffice: no step clamps or uses another norm, and no number grows, because a grown
  /// number might not fit the type.
  bool takes_squares_only() const {
    return unscaling() <= 1 && !(limit(false) < detail::infinity || limit(true) < detail::infinity || takes_norm(1) ||
                                 takes_norm(detail::infinity));
  }
  /// Returns the p of the report's norm: that of the first clip_by_global_norm, or 2.
  double reported_p() const {
    double p = 2;
    bool found = false;
    each([&]<class S>(S const& s) {
      if constexpr (S::kind == step_kind::global_norm)
        if (!std::exchange(found, true)) p = s.p;
    });
    return p;
  }
};

/// Combines steps, applied in this order, such as hone::chain(hone::unscale(scale), hone::clip_by_global_norm(1)).
template <class... Step>
auto chain(Step const&... steps) {
  static_assert((gradient_step<Step> && ...),
                "chain: every argument must be a step: unscale, clip_by_value, clip_by_norm, clip_by_global_norm, "
                "adaptive_clip");
  static_assert(detail::unscales_first<Step...>(),
                "chain: unscale must come before all clipping, whose limits are meant for gradients of true size");
  static_assert(detail::takes_one_sweep<Step...>(),
                "chain: no clipping by a norm may follow a clip_by_value that itself follows one: transform such "
                "gradients twice");
  static_assert(
      ((Step::kind == step_kind::unit_norm) + ... + 0) <= 1,
      "chain: one adaptive_clip is all it takes, for there is one set of units; transform such gradients twice");
  return gradient_chain<Step...>{{steps...}};
}

namespace detail {

/// Returns a chain unchanged, and a single step as a chain of one.
template <class... Step>
gradient_chain<Step...> as_chain(gradient_chain<Step...> const& chain) {
  return chain;
}
template <class Step>
auto as_chain(Step const& step) {
  static_assert(gradient_step<Step>,
                "transform: the step must be unscale, clip_by_value, clip_by_norm, clip_by_global_norm, adaptive_clip, "
                "or a chain of them");
  return gradient_chain<Step>{{step}};
}

template <class... Step>
void require_one_factor(gradient_chain<Step...> const&) {
  static_assert(((Step::kind == step_kind::unscale || Step::kind == step_kind::global_norm) && ...),
                "measure: only unscale and clip_by_global_norm are one factor for all gradients; use transform");
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
