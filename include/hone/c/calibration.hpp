// SPDX-License-Identifier: MIT
/// The measures of a reliability diagram.
#pragma once

#include <hone.h>
#include <hone/c/labels.hpp>
#include <hone/c/loss.hpp>
#include <hone/cpu/calibration/reliability.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::c {

inline hone_calibration calibrate(cpu const& backend, hone_array const& logits, hone_vector const& labels,
                                  std::int64_t const* ignore, std::int64_t bins, double temperature) {
  const any_classes of = labels_of(labels, "labels", ignore ? optional_label(*ignore) : optional_label());
  reliability_diagram d;
  const auto measure = [&]<class Label>(Label const* data) {
    const classes_target<Label> rows{data, of.size, of.ignore, {}};
    with_view(logits, [&](auto view) {
      d = reliability(backend, view, rows, {.bins = bins == 0 ? 15 : bins, .temperature = temperature});
      return 0.0;
    });
  };
  of.wide ? measure(static_cast<std::int64_t const*>(of.data)) : measure(static_cast<std::int32_t const*>(of.data));
  return {d.expected_calibration_error(),
          d.maximum_calibration_error(),
          d.accuracy(),
          d.mean_confidence(),
          d.negative_log_likelihood(),
          d.brier_score(),
          d.count()};
}

}  // namespace hone::inline HONE_ABI::c

#include <hone/core/macros_pop.hpp>
