// SPDX-License-Identifier: MIT
/// Outputs of evaluate share no memory with what it reads, nor with one another: a backend then may write whenever it
/// likes. One pair may be the same memory, the gradient and the prediction.
#pragma once

#include <hone/core/list.hpp>
#include <hone/core/outputs.hpp>
#include <hone/core/overlap.hpp>
#include <hone/core/view_check.hpp>
#include <hone/loss/box/term.hpp>
#include <hone/loss/element/term.hpp>
#include <hone/loss/row/term.hpp>
#include <hone/target/target.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// see(name, footprint) for the memory that a term reads beside the prediction. A term may have a member
/// each_input(see) for what is not its target, teacher or boxes.
template <class Term, class See>
void each_input_of_term(Term const& term, See const& see) {
  if constexpr (requires { term.each_input(see); }) term.each_input(see);
  if constexpr (row_term<Term>) {
    if constexpr (row::has_target<Term>) each_input(term.target, see);
    if constexpr (row::has_teacher<Term>) see("distillation teacher", footprint_of(term.teacher));
  } else if constexpr (elementwise<Term>) {
    term.targets.views().each([&](auto const& view) { see("targets", footprint_of(view)); });
    if constexpr (requires { term.targets.labels; }) each_input(term.targets.labels, see);
    if constexpr (requires { term.targets.target; }) each_input(term.targets.target, see);
    term.weights.each([&]<class Weights>(Weights const& w) {
      w.views().each([&](auto const& view) { see("weigh_elements weights", footprint_of(view)); });
      if constexpr (requires { w.weights; }) see("weights of columns", footprint_of(w.weights));
    });
  } else if constexpr (boxwise<Term>) {
    see("boxes", footprint_of(term.boxes));
  }
}
template <class Leaf, class See>
void each_input_of_leaf(Leaf const& leaf, See const& see) {
  each_input_of_term(leaf.term, see);
  for (int k = 0; k < Leaf::weight_count; ++k)
    see(leaf.weights[k].is_repeated() ? "factor" : "weigh_rows weights", footprint_of(leaf.weights[k]));
}

/// The memory of the outputs that a call asks for.
struct footprint_of_outputs {
  footprint gradient, unreduced, value;

  void require_apart_from(const char* name, footprint const& input) const {
    require_apart("evaluate", "gradient", gradient, name, input);
    require_apart("evaluate", "unreduced", unreduced, name, input);
    require_apart("evaluate", "value", value, name, input);
  }
};

/// Returns the outputs, for a backend that reads more. `losses` is how many numbers unreduced has. Sizes have been
/// checked.
template <class View, class... Leaf>
footprint_of_outputs require_outputs_apart(View prediction, typename outputs_of<View>::type const& out,
                                           list<Leaf...> const& all, index losses) {
  const footprint_of_outputs outputs{footprint_of(out.gradient), footprint_of(out.unreduced, losses),
                                     footprint_of(out.value, 1)};
  const footprint logits = footprint_of(prediction);
  require_same_or_apart("evaluate", "gradient", outputs.gradient, "prediction", logits);
  require_apart("evaluate", "unreduced", outputs.unreduced, "prediction", logits);
  require_apart("evaluate", "value", outputs.value, "prediction", logits);
  require_apart("evaluate", "unreduced", outputs.unreduced, "gradient", outputs.gradient);
  require_apart("evaluate", "value", outputs.value, "gradient", outputs.gradient);
  require_apart("evaluate", "value", outputs.value, "unreduced", outputs.unreduced);
  all.each([&](auto const& leaf) {
    each_input_of_leaf(leaf,
                       [&](const char* name, footprint const& input) { outputs.require_apart_from(name, input); });
  });
  return outputs;
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
