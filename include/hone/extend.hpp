// SPDX-License-Identifier: MIT
/// What a policy of one's own is made with: docs/extending.md shows one of each kind. These names stay; hone::detail
/// may change at any time.
///
///   hone::element_formula, hone::row_term, hone::box_formula, hone::corner_formula   concepts of losses
///   hone::row_target, hone::schedule, hone::averaging                                concepts of other policies
///   hone::operand, hone::value_grad, hone::box_grad, hone::bundle                    what formulas are written on
///   hone::row                                                                        statistics of a row
///   hone::step, hone::for_each_number (hone/cpu.hpp, hone/cuda.cuh)                  steps over tensor lists
#pragma once

#include <hone/average/averaging.hpp>
#include <hone/core/overlap.hpp>
#include <hone/distil/teacher_view.hpp>
#include <hone/gradient/each_number.hpp>
#include <hone/loss/box/term.hpp>
#include <hone/loss/element/logistic.hpp>
#include <hone/loss/element/term.hpp>
#include <hone/loss/modulation.hpp>
#include <hone/loss/row/term.hpp>
#include <hone/schedule/schedule.hpp>
#include <hone/target/target.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::extend {

/// require(condition, function, parameter, value, "finite and positive") throws hone::invalid_argument, "function:
/// parameter is value, must be finite and positive", unless the condition holds. Write it so that NaN fails.
using detail::require;
/// Whether a double is neither infinite nor NaN, under -ffast-math too.
using detail::finite;
/// fail(format, values…) throws hone::invalid_argument. The format is that of printf.
using detail::fail;

/// element_loss(formula, targets) is the loss of an element_formula: its targets are a matrix_view, an image_view,
/// hone::classes, or what hone::mix and hone::smooth make of them. element_targets<T> says whether T is one of these.
using detail::element_loss;
using detail::element_targets;

/// box_loss(formula, format, boxes) is the loss of a box_formula or corner_formula.
using detail::box_loss;

/// teacher_view(view) is the view of a teacher's logits that a row term keeps as its member `teacher`.
using detail::teacher_view;

/// is_classes<Target> says whether a target is hone::classes(labels).
using detail::is_classes;

/// footprint_of(x) is the memory of a view or of hone::numbers, footprint_of(data, size) that of an array: what a
/// target or a term passes to see in each_input(see), so that outputs that overlap it are refused.
using detail::footprint_of;

}  // namespace hone::inline HONE_ABI::extend

#include <hone/core/macros_pop.hpp>
