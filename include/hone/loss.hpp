// SPDX-License-Identifier: MIT
/// Losses of rows, elements and boxes. Written by tests/structure/doors.py.
#pragma once

#include <hone/core/config.hpp>  // first: it refuses compilers of older standards

#include <hone/loss/apart.hpp>
#include <hone/loss/box/aligned.hpp>
#include <hone/loss/box/box.hpp>
#include <hone/loss/box/box_axis.hpp>
#include <hone/loss/box/box_number.hpp>
#include <hone/loss/box/box_pair.hpp>
#include <hone/loss/box/ciou.hpp>
#include <hone/loss/box/diou.hpp>
#include <hone/loss/box/eiou.hpp>
#include <hone/loss/box/experimental/alpha_iou.hpp>
#include <hone/loss/box/experimental/inner_iou.hpp>
#include <hone/loss/box/experimental/mpdiou.hpp>
#include <hone/loss/box/experimental/wise_iou.hpp>
#include <hone/loss/box/format_change.hpp>
#include <hone/loss/box/giou.hpp>
#include <hone/loss/box/iou.hpp>
#include <hone/loss/box/pairwise.hpp>
#include <hone/loss/box/siou.hpp>
#include <hone/loss/box/term.hpp>
#include <hone/loss/element/asymmetric.hpp>
#include <hone/loss/element/binary_cross_entropy.hpp>
#include <hone/loss/element/binary_labels.hpp>
#include <hone/loss/element/logistic.hpp>
#include <hone/loss/element/poly1_binary_cross_entropy.hpp>
#include <hone/loss/element/quality_focal.hpp>
#include <hone/loss/element/sigmoid_focal.hpp>
#include <hone/loss/element/term.hpp>
#include <hone/loss/element/varifocal.hpp>
#include <hone/loss/element/weights.hpp>
#include <hone/loss/evaluable.hpp>
#include <hone/loss/modulation.hpp>
#include <hone/loss/region/dice.hpp>
#include <hone/loss/region/jaccard.hpp>
#include <hone/loss/region/lovasz.hpp>
#include <hone/loss/region/overlap.hpp>
#include <hone/loss/region/sigmoid.hpp>
#include <hone/loss/region/term.hpp>
#include <hone/loss/region/tversky.hpp>
#include <hone/loss/row/cross_entropy.hpp>
#include <hone/loss/row/distribution_focal.hpp>
#include <hone/loss/row/expected_bin.hpp>
#include <hone/loss/row/gather.hpp>
#include <hone/loss/row/ldam.hpp>
#include <hone/loss/row/poly1_cross_entropy.hpp>
#include <hone/loss/row/skipped_rows.hpp>
#include <hone/loss/row/soft_target_focal.hpp>
#include <hone/loss/row/softmax_focal.hpp>
#include <hone/loss/row/statistics.hpp>
#include <hone/loss/row/term.hpp>
#include <hone/loss/row/z_loss.hpp>
