// SPDX-License-Identifier: MIT
// Every loss that hone ships meets the concept of its kind. The checks stand here, not in the headers: they compile
// each formula once, and every program that includes hone would wait for that.
#include <hone/distil.hpp>
#include <hone/loss.hpp>
#include <hone/parity.hpp>
#include <hone/target.hpp>

namespace {

using namespace hone;  // NOLINT

using labels = classes_target<int>;
using teacher = matrix_view<const float>;

static_assert(row_term<cross_entropy_term<labels>>);
static_assert(row_term<cross_entropy_term<two_hot_target>>);  // distribution_focal_loss
static_assert(row_term<expected_bin_term>);
static_assert(row_term<ldam_term<int>>);
static_assert(row_term<poly1_cross_entropy_term<labels>>);
static_assert(row_term<soft_target_focal_term<labels>>);
static_assert(row_term<softmax_focal_term<labels>>);
static_assert(row_term<z_loss_term>);
static_assert(row_term<decoupled_distillation_term<labels, teacher>>);
static_assert(row_term<distillation_term<teacher>>);
static_assert(row_term<jensen_shannon_term<teacher>>);
static_assert(row_term<reverse_distillation_term<teacher>>);
static_assert(row_term<top_k_distillation_term>);

static_assert(element_formula<asymmetric_formula>);
static_assert(element_formula<binary_cross_entropy_formula>);
static_assert(element_formula<poly1_binary_cross_entropy_formula>);
static_assert(element_formula<quality_focal_formula>);
static_assert(element_formula<sigmoid_focal_formula>);
static_assert(element_formula<smoothed_binary_cross_entropy_formula>);
static_assert(element_formula<varifocal_formula>);

static_assert(box_metric_formula<iou_metric> && box_formula<one_minus<iou_metric>>);
static_assert(box_metric_formula<giou_metric> && box_formula<one_minus<giou_metric>>);
static_assert(box_metric_formula<diou_metric> && box_formula<one_minus<diou_metric>>);
static_assert(box_metric_formula<ciou_metric> && box_formula<one_minus<ciou_metric>>);
static_assert(box_metric_formula<eiou_metric> && box_formula<one_minus<eiou_metric>>);
static_assert(box_metric_formula<siou_metric> && box_formula<one_minus<siou_metric>>);
static_assert(box_metric_formula<experimental::alpha_diou_metric> &&
              box_metric_formula<experimental::inner_iou_metric>);
static_assert(box_metric_formula<experimental::mpdiou_metric>);
static_assert(box_formula<log_iou_formula> && box_formula<squared_iou_formula> && box_formula<focal_eiou_formula>);
static_assert(box_formula<experimental::alpha_iou_formula> && box_formula<experimental::wise_iou_formula>);

namespace darknet = darknet_compat;
static_assert(box_formula<darknet::iou_formula> && box_formula<darknet::giou_formula>);
static_assert(box_formula<darknet::diou_formula> && box_formula<darknet::ciou_formula>);
static_assert(box_metric_formula<parity::epsilon_giou_metric> && box_metric_formula<parity::epsilon_diou_metric>);
static_assert(box_metric_formula<parity::epsilon_ciou_metric>);
static_assert(box_metric_formula<parity::mmdet_iou_metric> && box_metric_formula<parity::mmdet_giou_metric>);
static_assert(box_formula<parity::mmdet_siou_formula>);
static_assert(box_formula<minus_log<parity::mmdet_iou_metric>>);
static_assert(box_metric_formula<parity::ultralytics_ciou_metric>);

}  // namespace
