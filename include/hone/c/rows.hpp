// SPDX-License-Identifier: MIT
/// The losses of rows of logits. A kind, a target and whether there is a teacher choose the template; everything else,
/// such as smoothing, mixing, z-loss and row weights, is a number in it, whose neutral value changes no bit.
#pragma once

#include <hone.h>
#include <hone/c/labels.hpp>
#include <hone/c/loss.hpp>
#include <hone/distil/distillation.hpp>
#include <hone/loss/row/cross_entropy.hpp>
#include <hone/loss/row/poly1_cross_entropy.hpp>
#include <hone/loss/row/softmax_focal.hpp>
#include <hone/loss/row/z_loss.hpp>
#include <hone/target/probabilities.hpp>

#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::c {

class row_loss final : public hone_loss {
 public:
  explicit row_loss(hone_row_options const& options)
      : options_(options), weights_(copied(options.class_weights, "class_weights")) {
    options_.class_weights = {};
    require_kind("kind", options.kind, HONE_POLY1);
    const auto positive = [](double x) { return x > 0 && detail::finite(x); };
    require(options.smoothing >= 0 && options.smoothing < 1, "smoothing", options.smoothing, "in [0, 1)");
    require(detail::finite(options.factor), "factor", options.factor, "finite");
    require(options.gamma >= 0 && detail::finite(options.gamma), "gamma", options.gamma, "finite and not negative");
    require(detail::finite(options.epsilon), "epsilon", options.epsilon, "finite");
    require(detail::finite(options.z_loss), "z_loss", options.z_loss, "finite");
    require(detail::finite(options.distillation), "distillation", options.distillation, "finite");
    require(positive(options.temperature), "temperature", options.temperature, "finite and positive");
    if (options.kind != HONE_CROSS_ENTROPY) {
      constexpr auto alone = "%s is %.9g, is for HONE_CROSS_ENTROPY alone";
      if (options.distillation != 0) detail::fail(alone, "distillation", options.distillation);
      if (options.z_loss != 0) detail::fail(alone, "z_loss", options.z_loss);
    }
    if (options.kind != HONE_CROSS_ENTROPY && !weights_.empty())
      detail::fail("class_weights are given, are for HONE_CROSS_ENTROPY alone");
  }

  double evaluate(call const& c) const override {
    return with_view(c.prediction, [&](auto logits) { return of_target(c, logits); });
  }

 private:
  template <class View>
  double of_target(call const& c, View logits) const {
    c.refuse(c.targets.teacher && options_.distillation == 0, "teacher", "a loss without distillation");
    if (c.targets.numbers) return of_probabilities(c, logits);
    const smooth_labels target = smooth_labels_of(c.targets, ignored(options_.ignores, options_.ignore),
                                                  options_.smoothing, options_.leave_one_out != 0);
    if (options_.kind == HONE_POLY1)
      return alone(c, logits, poly1_cross_entropy_term<smooth_labels>(target, options_.epsilon));
    if (options_.kind == HONE_SOFTMAX_FOCAL)
      return alone(c, logits, softmax_focal_term<smooth_labels>(target, options_.gamma));
    if (!weights_.empty()) return taught(c, logits, cross_entropy_term<weighed_labels>({target, numbers(weights_)}));
    if (options_.distillation == 0 && options_.z_loss == 0 && !is_present(c.targets.lambdas) &&
        !is_present(c.targets.row_weights)) {
      const cross_entropy_term plain(
          smooth_target<any_classes>{target.target.first, target.epsilon, target.elsewhere_only});
      return c.evaluate(logits, options_.factor * plain);  // what is asked for most has loops of its own
    }
    return taught(c, logits, cross_entropy_term<smooth_labels>(target));
  }

  template <class View>
  double of_probabilities(call const& c, View logits) const {
    c.refuse(is_present(c.targets.labels), "labels", "a loss of probabilities");
    c.refuse_mixing("a loss of probabilities");
    if (options_.kind != HONE_CROSS_ENTROPY || !weights_.empty())
      detail::fail("numbers are given, must be labels for any loss but HONE_CROSS_ENTROPY without class_weights");
    const probabilities_target<View> soft{c.beside<View>(c.targets.numbers, "numbers")};
    const cross_entropy_term term(
        smooth_target<probabilities_target<View>>{soft, options_.smoothing, options_.leave_one_out != 0});
    return taught(c, logits, term);
  }

  /// Evaluates cross entropy with the z-loss and, where distillation is asked for, the teacher.
  template <class View, class Target>
  double taught(call const& c, View logits, cross_entropy_term<Target> const& term) const {
    const auto labelled = options_.factor * term;
    const auto z = z_loss();
    if (options_.distillation == 0) return c.evaluate(logits, weigh_rows(labelled + z, c.row_weights()));
    const distillation_term teacher(c.beside<View>(c.targets.teacher, "teacher"), options_.temperature);
    return c.evaluate(logits, weigh_rows(labelled + options_.distillation * teacher + z, c.row_weights()));
  }

  /// The z-loss; a factor of 0 leaves it out, whatever the logits are.
  scaled<z_loss_term> z_loss() const { return {z_loss_term(options_.z_loss), options_.z_loss != 0 ? 1.0 : 0.0}; }

  template <class View, class Term>
  double alone(call const& c, View logits, Term const& term) const {
    return c.evaluate(logits, weigh_rows(options_.factor * term, c.row_weights()));
  }

  hone_row_options options_;
  std::vector<double> weights_;
};

}  // namespace hone::inline HONE_ABI::c

#include <hone/core/macros_pop.hpp>
