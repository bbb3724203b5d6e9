// SPDX-License-Identifier: MIT
/// Everything for a CPU trainer. Needs Eigen.
#pragma once

#include <hone/average/ema.hpp>
#include <hone/average/ema_state.hpp>
#include <hone/average/state_file.hpp>
#include <hone/average/swa.hpp>
#include <hone/core/error.hpp>
#include <hone/core/number.hpp>
#include <hone/core/numbers.hpp>
#include <hone/core/objective.hpp>
#include <hone/core/outputs.hpp>
#include <hone/core/reduction.hpp>
#include <hone/core/tensor_list.hpp>
#include <hone/core/view.hpp>
#include <hone/cpu/copy.hpp>
#include <hone/cpu/evaluate.hpp>
#include <hone/cpu/swap.hpp>
#include <hone/cpu/update.hpp>
#include <hone/loss/binary_cross_entropy.hpp>
#include <hone/loss/cross_entropy.hpp>
#include <hone/loss/distillation.hpp>
#include <hone/loss/quality_focal.hpp>
#include <hone/loss/sigmoid_focal.hpp>
#include <hone/loss/softmax_focal.hpp>
#include <hone/loss/varifocal.hpp>
#include <hone/loss/z_loss.hpp>
#include <hone/schedule/cosine.hpp>
#include <hone/schedule/cosine_restarts.hpp>
#include <hone/schedule/linear_scaling.hpp>
#include <hone/schedule/warmup_cosine.hpp>
#include <hone/target/classes.hpp>
#include <hone/target/mix.hpp>
#include <hone/target/probabilities.hpp>
#include <hone/target/smooth.hpp>
#include <hone/target/weigh_classes.hpp>
#include <hone/version.hpp>
