// SPDX-License-Identifier: MIT
/// Checks that the outputs of evaluate share no memory with its inputs or with one another, so that a backend may write
/// them in any order. One exception: the gradient may be the same memory as the prediction.
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

/// Calls see(name, footprint) for each range of memory that a term reads beside the prediction. A term may have a
/// member each_input(see) for inputs other than its target, teacher or boxes.
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
    if constexpr (requires { term.formula.each_input(see); }) term.formula.each_input(see);
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

/// Returns the footprint of a gradient with its padding.
template <class T>
footprint footprint_with_padding(matrix_view<T> v) noexcept {
  footprint bytes = footprint_of(v);
  bytes.width = bytes.stride;
  return bytes;
}
template <class T>
footprint footprint_with_padding(image_view<T> v) noexcept {
  return footprint_of(v);
}

/// The memory of the outputs that a call requests, empty where one is absent; of the gradient with the padding that is
/// written.
struct footprint_of_outputs {
  named_footprint of[7];

  /// One copy for all objectives: most of the code of a call would be such checks.
  [[gnu::noinline]] void require_apart_from(const char* name, footprint const& input) const {
    require_apart("evaluate", of, named_footprint{name, input});
  }
  /// Fails if outputs share memory with one another or with the prediction; the gradient may be the prediction.
  [[gnu::noinline]] void require_apart_in_themselves(footprint const& gradient, footprint const& prediction) const {
    const std::span all(of);
    require_same_or_apart("evaluate", "gradient", gradient, "prediction", prediction);
    const bool in_place = same_memory(gradient, prediction);
    require_apart("evaluate", all.subspan(in_place ? 1 : 0), named_footprint{"prediction", prediction});
    require_apart_among("evaluate", all);
  }
};

/// Checks the outputs against one another and against all inputs, and returns their footprints, so that a backend can
/// check its further inputs. `losses` is the length of `unreduced`. The caller has checked the sizes.
template <class View, class... Leaf>
footprint_of_outputs require_outputs_apart(View prediction, typename outputs_of<View>::type const& out,
                                           list<Leaf...> const& all, index losses) {
  const index rows = rows_of(prediction);
  const footprint gradient = footprint_of(out.gradient);
  const footprint_of_outputs outputs{{{"gradient", out.zero_padding ? footprint_with_padding(out.gradient) : gradient},
                                      {"unreduced", footprint_of(out.unreduced, losses)},
                                      {"value", footprint_of(out.value, 1)},
                                      {"log_sum_exp", footprint_of(out.log_sum_exp, rows)},
                                      {"predicted", footprint_of(out.predicted, rows)},
                                      {"correct", footprint_of(out.correct, 1)},
                                      {"counted", footprint_of(out.counted, 1)}}};
  outputs.require_apart_in_themselves(gradient, footprint_of(prediction));
  all.each([&](auto const& leaf) {
    each_input_of_leaf(leaf,
                       [&](const char* name, footprint const& input) { outputs.require_apart_from(name, input); });
  });
  return outputs;
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
