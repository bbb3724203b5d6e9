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

#include <type_traits>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::c {

class element_loss final : public hone_loss {
 public:
  explicit element_loss(hone_element_options const& options)
      : options_(options), positive_weights_(copied(options.positive_weights, "positive_weights")) {
    options_.positive_weights = {};
    require_kind("kind", options.kind, HONE_POLY1_BINARY);
    require(options.smoothing >= 0 && options.smoothing <= 1, "smoothing", options.smoothing, "in [0, 1]");
    if (options.kind != HONE_BINARY_CROSS_ENTROPY) {
      if (options.smoothing != 0)
        detail::fail("smoothing is %.9g, is for HONE_BINARY_CROSS_ENTROPY alone", options.smoothing);
      if (!positive_weights_.empty())
        detail::fail("positive_weights are given, are for HONE_BINARY_CROSS_ENTROPY alone");
    }
    if (options.kind == HONE_QUALITY_FOCAL)  // there it is beta
      require(options.gamma >= 0 && detail::finite(options.gamma), "gamma", options.gamma, "finite and not negative");
    for (std::size_t i = 0; i < positive_weights_.size(); ++i)
      if (!(positive_weights_[i] >= 0 && detail::finite(positive_weights_[i])))
        detail::fail("number %zu of positive_weights is %.9g, must be finite and not negative", i,
                     positive_weights_[i]);
    of_kind([](auto const&) { return 0.0; });  // checks the parameters of the kind
  }

  double evaluate(call const& c) const override {
    constexpr auto name = "a loss of elements";
    c.refuse(c.targets.teacher != nullptr, "teacher", name);
    c.refuse(is_present(c.targets.row_weights), "row_weights", name);
    c.refuse_mixing(name);
    c.refuse(c.targets.numbers && is_present(c.targets.labels), "labels", "a loss of numbers");
    if (!c.targets.numbers && options_.kind != HONE_BINARY_CROSS_ENTROPY && options_.kind != HONE_SIGMOID_FOCAL)
      detail::fail("numbers of the targets are NULL, kind %d has no labels", int(options_.kind));
    return with_view(c.prediction, [&]<class View>(View logits) -> double {
      if (c.targets.numbers) {
        const dense_targets<View> dense{c.beside<View>(c.targets.numbers, "numbers")};
        return of_kind([&](auto const& formula) { return of_formula(c, logits, formula, dense); });
      }
      const one_hot_labels labels{labels_of(c.targets.labels, "labels", ignored(options_.ignores, options_.ignore)),
                                  ignored(options_.has_background, options_.background)};
      if (options_.kind == HONE_SIGMOID_FOCAL)
        return of_formula(c, logits, sigmoid_focal_formula(options_.alpha, options_.gamma), labels);
      return of_formula(c, logits, cross_entropy(), labels);
    });
  }

 private:
  template <class View, class Formula, class Targets>
  double of_formula(call const& c, View logits, Formula const& formula, Targets const& targets) const {
    if constexpr (std::is_same_v<Formula, smoothed_binary_cross_entropy_formula>) {
      if (!positive_weights_.empty()) {
        const auto size = static_cast<index>(positive_weights_.size());
        if (size != 1 && size != detail::columns_of(logits))
          detail::fail("positive_weights of the loss has %jd numbers, prediction has %jd columns", std::intmax_t(size),
                       std::intmax_t(detail::columns_of(logits)));
        const positive_weights weights{numbers(positive_weights_), positive_weights_[0], size != 1};
        return c.evaluate(logits,
                          element_term<Formula, Targets, positive_weights>(formula, targets, detail::list(weights)));
      }
    }
    return c.evaluate(logits, element_term<Formula, Targets>(formula, targets));
  }

  /// Cross entropy of targets that may be smoothed.
  smoothed_binary_cross_entropy_formula cross_entropy() const {
    const binary_labels to = smooth_binary(options_.smoothing);
    return {to.positive, to.negative};
  }

  /// Calls body with the formula of the kind, whose factory checks its parameters.
  template <class Body>
  double of_kind(Body const& body) const {
    hone_element_options const& o = options_;
    constexpr matrix_view<const float> any;
    switch (o.kind) {
      case HONE_SIGMOID_FOCAL:
        return body(sigmoid_focal_loss(any, {.alpha = o.alpha, .gamma = o.gamma}).formula);
      case HONE_QUALITY_FOCAL:
        return body(quality_focal_loss(any, {.beta = o.gamma}).formula);
      case HONE_VARIFOCAL:
        return body(varifocal_loss(any, {.alpha = o.alpha, .gamma = o.gamma}).formula);
      case HONE_ASYMMETRIC:
        return body(asymmetric_loss(
                        any, {.gamma_positive = o.gamma_positive, .gamma_negative = o.gamma_negative, .clip = o.clip})
                        .formula);
      case HONE_POLY1_BINARY:
        return body(poly1_binary_cross_entropy(any, {.epsilon = o.epsilon}).formula);
      default:
        return body(cross_entropy());
    }
  }

  hone_element_options options_;
  std::vector<double> positive_weights_;
};

}  // namespace hone::inline HONE_ABI::c

#include <hone/core/macros_pop.hpp>
