// SPDX-License-Identifier: MIT
/// The losses of regions, alone and with cross entropy. All overlaps are one template: a formula of sums.
#pragma once

#include <hone.h>
#include <hone/c/labels.hpp>
#include <hone/c/loss.hpp>
#include <hone/loss/element/binary_cross_entropy.hpp>
#include <hone/loss/region/dice.hpp>
#include <hone/loss/region/jaccard.hpp>
#include <hone/loss/region/lovasz.hpp>
#include <hone/loss/region/sigmoid.hpp>
#include <hone/loss/region/tversky.hpp>
#include <hone/loss/row/cross_entropy.hpp>
#include <hone/target/probabilities.hpp>

#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::c {

class region_loss final : public hone_loss {
 public:
  explicit region_loss(hone_region_options const& options)
      : options_(options), weights_(copied(options.class_weights, "class_weights")) {
    options_.class_weights = {};
    require_kind("kind", options.kind, HONE_LOVASZ);
    require_kind("absent", options.absent, HONE_ABSENT_COUNTED);
    require(detail::finite(options.factor), "factor", options.factor, "finite");
    require(detail::finite(options.cross_entropy), "cross_entropy", options.cross_entropy, "finite");
    require(options.smoothing >= 0 && options.smoothing < 1, "smoothing", options.smoothing, "in [0, 1)");
    if (options.smoothing != 0 && (options.kind == HONE_LOVASZ || options.sigmoid != 0))
      detail::fail("smoothing is %.9g, must be 0 for %s", options.smoothing,
                   options.sigmoid != 0 ? "sigmoids" : "HONE_LOVASZ");
    if (options.kind == HONE_LOVASZ && options.sigmoid != 0)
      detail::fail("sigmoid is %d, must be 0 for HONE_LOVASZ", int(options.sigmoid));
    of_kind(classes_target<int>(), [](auto const&) { return 0.0; });  // checks the parameters of the kind
  }

  double evaluate(call const& c) const override {
    constexpr auto name = "a loss of regions";
    c.refuse(c.targets.teacher != nullptr, "teacher", name);
    c.refuse(is_present(c.targets.row_weights), "row_weights", name);
    c.refuse(c.targets.numbers && is_present(c.targets.labels), "labels", "a loss of probabilities");
    const optional_label ignore = ignored(options_.ignores, options_.ignore);
    if (options_.kind == HONE_LOVASZ) c.refuse(c.targets.numbers != nullptr, "numbers", "HONE_LOVASZ");
    if (options_.kind == HONE_LOVASZ || options_.sigmoid != 0)
      c.refuse_mixing(options_.sigmoid != 0 ? "a loss of sigmoids" : "HONE_LOVASZ");
    return with_view(c.prediction, [&]<class View>(View logits) -> double {
      if constexpr (sizeof(detail::number_of<View>) > 2) {
        if (options_.kind == HONE_LOVASZ) return lovasz(c, logits, labels_of(c.targets.labels, "labels", ignore));
        if (options_.sigmoid != 0) {
          if (c.targets.numbers)
            return of_elements(c, logits, dense_targets<View>{c.beside<View>(c.targets.numbers, "numbers")});
          return of_elements(c, logits, one_hot_labels{labels_of(c.targets.labels, "labels", ignore), {}});
        }
        if (!c.targets.numbers)
          return of_target(c, logits, smooth_labels_of(c.targets, ignore, options_.smoothing, false));
        c.refuse_mixing("a loss of probabilities");
        return of_target(c, logits,
                         smooth_target<probabilities_target<View>>{
                             {c.beside<View>(c.targets.numbers, "numbers")}, options_.smoothing, false});
      } else {
        refuse_narrow(c.prediction, "a loss of regions");
      }
    });
  }

 private:
  template <class View, class Target>
  double of_target(call const& c, View logits, Target const& target) const {
    return of_kind(target, [&](auto const& overlap) {
      return c.evaluate(logits,
                        options_.factor * overlap + options_.cross_entropy * cross_entropy_term<Target>(target));
    });
  }
  template <class View>
  double lovasz(call const& c, View logits, any_classes const& labels) const {
    const lovasz_softmax_term sorted(labels, {false, options_.per_image != 0, absent(), numbers(weights_)});
    return c.evaluate(logits,
                      options_.factor * sorted + options_.cross_entropy * cross_entropy_term<any_classes>(labels));
  }
  /// The same overlaps of sigmoids. Every kind is one formula of sums.
  template <class View, class Targets>
  double of_elements(call const& c, View logits, Targets const& targets) const {
    return of_kind(classes_target<int>(), [&](auto const& overlap) {
      using formula = sigmoid_region_formula<std::remove_cvref_t<decltype(overlap.formula)>>;
      return c.evaluate(
          logits, options_.factor * element_term<formula, Targets>({overlap.formula, overlap.policy}, targets) +
                      options_.cross_entropy *
                          element_term<binary_cross_entropy_formula, Targets>(binary_cross_entropy_formula(), targets));
    });
  }

  absent_classes absent() const noexcept { return static_cast<absent_classes>(options_.absent); }

  /// Calls body with the objective of the kind, whose factory checks its parameters.
  template <class Target, class Body>
  double of_kind(Target const& target, Body const& body) const {
    hone_region_options const& o = options_;
    optional_real below;
    if (!(o.smooth_denominator < 0)) below = o.smooth_denominator;
    const auto set = [&](auto options) {
      options.smooth = o.smooth, options.smooth_denominator = below, options.per_image = o.per_image != 0;
      options.absent = absent(), options.weights = numbers(weights_);
      if constexpr (requires { options.squared; }) options.squared = o.squared != 0;
      if constexpr (requires { options.logarithm; }) options.logarithm = o.logarithm != 0;
      if constexpr (requires { options.alpha; }) options.alpha = o.alpha, options.beta = o.beta;
      if constexpr (requires { options.gamma; }) options.gamma = o.gamma;
      return options;
    };
    switch (o.kind) {
      case HONE_JACCARD:
        return body(jaccard_loss(target, set(jaccard_options())));
      case HONE_TVERSKY:
        return body(tversky_loss(target, set(tversky_options())));
      case HONE_FOCAL_TVERSKY:
        return body(focal_tversky_loss(target, set(focal_tversky_options())));
      default:
        return body(dice_loss(target, set(dice_options())));
    }
  }

  hone_region_options options_;
  std::vector<double> weights_;
};

}  // namespace hone::inline HONE_ABI::c

#include <hone/core/macros_pop.hpp>
