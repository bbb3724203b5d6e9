// SPDX-License-Identifier: MIT
/// Everything for a CUDA trainer. Needs nvcc; never includes Eigen.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/number.hpp>
#include <hone/core/numbers.hpp>
#include <hone/core/objective.hpp>
#include <hone/core/outputs.hpp>
#include <hone/core/reduction.hpp>
#include <hone/core/tensor_list.hpp>
#include <hone/core/view.hpp>
#include <hone/cuda/device_scalar.cuh>
#include <hone/cuda/device_loss_scaler.cuh>
#include <hone/cuda/evaluate.cuh>
#include <hone/cuda/transform.cuh>
#include <hone/gradient/adaptive_clip.hpp>
#include <hone/gradient/chain.hpp>
#include <hone/gradient/clip_by_norm.hpp>
#include <hone/gradient/clip_by_value.hpp>
#include <hone/gradient/loss_scaler.hpp>
#include <hone/gradient/report.hpp>
#include <hone/gradient/unscale.hpp>
#include <hone/loss/binary_cross_entropy.hpp>
#include <hone/loss/cross_entropy.hpp>
#include <hone/loss/distillation.hpp>
#include <hone/loss/quality_focal.hpp>
#include <hone/loss/sigmoid_focal.hpp>
#include <hone/loss/softmax_focal.hpp>
#include <hone/loss/varifocal.hpp>
#include <hone/loss/z_loss.hpp>
#include <hone/target/classes.hpp>
#include <hone/target/mix.hpp>
#include <hone/target/probabilities.hpp>
#include <hone/target/smooth.hpp>
#include <hone/target/weigh_classes.hpp>
#include <hone/version.hpp>
