// SPDX-License-Identifier: MIT
/// Clipping and loss scaling of lists of gradients.
#pragma once

#include <hone.h>
#include <hone/c/arrays.hpp>
#include <hone/cpu/tensors/transform.hpp>
#include <hone/gradient/adaptive_clip.hpp>
#include <hone/gradient/chain.hpp>
#include <hone/gradient/clip_by_norm.hpp>
#include <hone/gradient/clip_by_value.hpp>
#include <hone/gradient/loss_scaler.hpp>
#include <hone/gradient/unscale.hpp>

#include <cstddef>
#include <vector>

#include <hone/core/macros_push.hpp>

struct hone_scaler {
  hone::loss_scaler scaler;
};

struct hone_clip {
  hone_clip_options options;
  std::vector<std::size_t> excluded;
};

namespace hone::inline HONE_ABI::c {

inline hone_scaler* new_scaler(hone_scaler_options const& o) {
  loss_scaler scaler{.initial = o.initial,
                     .growth = o.growth,
                     .backoff = o.backoff,
                     .interval = o.interval,
                     .hysteresis = o.hysteresis,
                     .minimum = o.minimum,
                     .maximum = o.maximum};
  scaler.check();
  return new hone_scaler{scaler};
}

inline hone_clip* new_clip(hone_clip_options const& o) {
  require_kind("kind", o.kind, HONE_CLIP_ADAPTIVE);
  require_kind("units", o.units, HONE_UNITS_COLUMNS);
  clip_by_norm(o.max, {.p = o.p}), clip_by_value(o.max);  // checks
  require(o.clipping >= 0, "clipping", o.clipping, "at least 0");
  require(o.epsilon >= 0, "epsilon", o.epsilon, "at least 0");
  if (o.excluded_count < 0 || (o.excluded_count > 0 && !o.excluded))
    detail::fail("excluded_count is %jd%s", std::intmax_t(o.excluded_count), o.excluded ? "" : ", excluded is NULL");
  std::vector<std::size_t> excluded;
  excluded.reserve(static_cast<std::size_t>(o.excluded_count));
  for (std::int64_t i = 0; i < o.excluded_count; ++i) {
    if (o.excluded[i] < 0) detail::fail("excluded names tensor %jd", std::intmax_t(o.excluded[i]));
    excluded.push_back(static_cast<std::size_t>(o.excluded[i]));
  }
  hone_clip_options kept = o;
  kept.excluded = nullptr;
  return new hone_clip{kept, std::move(excluded)};
}

/// Transforms gradients by the step of the kind after an unscale step, by 1 where there is no scaler.
inline hone_gradient_report clip_gradients(cpu const& backend, hone_clip const& clip, hone_scaler const* scaler,
                                           hone_tensor const* gradients, hone_tensor const* parameters,
                                           std::int64_t count) {
  hone_clip_options const& o = clip.options;
  if ((o.kind == HONE_CLIP_ADAPTIVE) != (parameters != nullptr) && count > 0)
    detail::fail("parameters are %s, HONE_CLIP_ADAPTIVE %s", parameters ? "given" : "NULL",
                 parameters ? "alone reads them" : "needs them");
  const unscale_step first = unscale(scaler ? scaler->scaler.scale() : 1.0);
  gradient_report report;
  with_list(gradients, count, "gradients", [&]<class T>(tensor_list<T> const& list) {
    const auto by = [&](auto const&... steps) { report = transform(backend, chain(first, steps...), list); };
    if (o.kind == HONE_CLIP_BY_GLOBAL_NORM) return by(clip_by_global_norm(o.max, {.p = o.p}));
    if (o.kind == HONE_CLIP_BY_NORM) return by(clip_by_norm(o.max, {.p = o.p}));
    if (o.kind == HONE_CLIP_BY_VALUE) return by(clip_by_value(o.max));
    if (o.kind == HONE_CLIP_NONE) return by();
    with_list(parameters, count, "parameters", [&]<class P>(tensor_list<P> const& weights) {
      if constexpr (std::is_same_v<T, P>)
        by(adaptive_clip(weights, {.clipping = o.clipping,
                                   .epsilon = o.epsilon,
                                   .units = static_cast<agc_units>(o.units),
                                   .excluded = clip.excluded}));
      else if (count > 0)
        detail::fail("parameters are %s, gradients are %s", name_of(parameters[0].dtype), name_of(gradients[0].dtype));
    });
  });
  return {report.norm, report.coefficient, report.factor, report.finite ? 1 : 0, 0};
}

}  // namespace hone::inline HONE_ABI::c

#include <hone/core/macros_pop.hpp>
