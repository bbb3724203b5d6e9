// SPDX-License-Identifier: MIT
/// Structure of networks: deformable convolution, attention, pools, drop path. Written by tests/structure/doors.py.
#pragma once

#include <hone/core/config.hpp>  // first: it refuses compilers of older standards

#include <hone/structure/activation.hpp>
#include <hone/structure/average_pool.hpp>
#include <hone/structure/batch_norm.hpp>
#include <hone/structure/blur_pool.hpp>
#include <hone/structure/branch_selection.hpp>
#include <hone/structure/cbam.hpp>
#include <hone/structure/channel_scale.hpp>
#include <hone/structure/deform_conv.hpp>
#include <hone/structure/deform_tap.hpp>
#include <hone/structure/drop_block.hpp>
#include <hone/structure/drop_path.hpp>
#include <hone/structure/pixel_reduction.hpp>
#include <hone/structure/pixel_scale.hpp>
#include <hone/structure/plane_check.hpp>
#include <hone/structure/plane_gate.hpp>
#include <hone/structure/plane_mean_and_max.hpp>
#include <hone/structure/plane_reduction.hpp>
#include <hone/structure/plane_scale.hpp>
#include <hone/structure/pool.hpp>
#include <hone/structure/precise_batch_norm.hpp>
#include <hone/structure/recalibrate_check.hpp>
#include <hone/structure/recalibration.hpp>
#include <hone/structure/running_statistics.hpp>
#include <hone/structure/weight_standardisation.hpp>
