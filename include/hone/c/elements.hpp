// SPDX-License-Identifier: MIT
/// The losses of elements, of targets of the prediction's shape and of labels.
#pragma once

#include <hone.h>
#include <hone/c/labels.hpp>
#include <hone/c/loss.hpp>
#include <hone/loss/element/asymmetric.hpp>
#include <hone/loss/element/binary_labels.hpp>
#include <hone/loss/element/poly1_binary_cross_entropy.hpp>
#include <hone/loss/element/quality_focal.hpp>
#include <hone/loss/element/sigmoid_focal.hpp>
#include <hone/loss/element/varifocal.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::c {

class element_loss final : public hone_loss {
 public:
  explicit element_loss(hone_element_options const& options) : options_(options) {
    require_kind("kind", options.kind, HONE_POLY1_BINARY);
    require(options.smoothing >= 0 && options.smoothing <= 1, "smoothing", options.smoothing, "in [0, 1]");
    if (options.smoothing != 0 && options.kind != HONE_BINARY_CROSS_ENTROPY)
      detail::fail("smoothing is %.9g, is for HONE_BINARY_CROSS_ENTROPY alone", options.smoothing);
    of_kind(matrix_view<const float>(), [](auto const&) { return 0.0; });  // checks the parameters of the kind
  }

  double evaluate(call const& c) const override {
    constexpr auto name = "a loss of elements";
    c.refuse(c.targets.teacher != nullptr, "teacher", name);
    c.refuse(is_present(c.targets.row_weights), "row_weights", name);
    c.refuse_mixing(name);
    c.refuse(c.targets.numbers && is_present(c.targets.labels), "labels", "a loss of numbers");
    return with_view(c.prediction, [&]<class View>(View logits) -> double {
      if (c.targets.numbers)
        return of_kind(c.beside<View>(c.targets.numbers, "numbers"),
                       [&](auto const& objective) { return c.evaluate(logits, objective); });
      if (c.targets.labels.dtype == HONE_INT32) return of_labels<std::int32_t>(c, logits);
      if (c.targets.labels.dtype == HONE_INT64) return of_labels<std::int64_t>(c, logits);
      detail::fail("dtype of labels is %d (%s), must be int32 or int64, or numbers must be given",
                   int(c.targets.labels.dtype), name_of(c.targets.labels.dtype));
    });
  }

 private:
  template <class Label, class View>
  double of_labels(call const& c, View logits) const {
    hone_vector const& v = c.targets.labels;
    if (v.size < 0 || (v.size > 0 && !v.data)) detail::fail("labels are %jd at NULL", std::intmax_t(v.size));
    const classes_target<Label> labels{static_cast<Label const*>(v.data), v.size,
                                       ignored(options_.ignores, options_.ignore),
                                       ignored(options_.has_background, options_.background)};
    return of_kind(labels, [&](auto const& objective) { return c.evaluate(logits, objective); });
  }

  /// Calls body with the objective of the kind, whose factory checks its parameters.
  template <class Targets, class Body>
  double of_kind(Targets const& targets, Body const& body) const {
    hone_element_options const& o = options_;
    if (o.kind == HONE_BINARY_CROSS_ENTROPY) return body(binary_cross_entropy(targets, smooth_binary(o.smoothing)));
    if (o.kind == HONE_SIGMOID_FOCAL) return body(sigmoid_focal_loss(targets, {.alpha = o.alpha, .gamma = o.gamma}));
    if constexpr (!detail::is_classes<Targets>) {
      if (o.kind == HONE_QUALITY_FOCAL) return body(quality_focal_loss(targets, {.beta = o.gamma}));
      if (o.kind == HONE_VARIFOCAL) return body(varifocal_loss(targets, {.alpha = o.alpha, .gamma = o.gamma}));
      if (o.kind == HONE_POLY1_BINARY) return body(poly1_binary_cross_entropy(targets, {.epsilon = o.epsilon}));
      return body(asymmetric_loss(
          targets, {.gamma_positive = o.gamma_positive, .gamma_negative = o.gamma_negative, .clip = o.clip}));
    } else {
      detail::fail("labels are for HONE_BINARY_CROSS_ENTROPY and HONE_SIGMOID_FOCAL, kind %d takes numbers",
                   int(o.kind));
    }
  }

  hone_element_options options_;
};

}  // namespace hone::inline HONE_ABI::c

#include <hone/core/macros_pop.hpp>
