// SPDX-License-Identifier: MIT
/// Gradients: unscaling, clipping, loss scaling. Written by tests/structure/doors.py.
#pragma once

#include <hone/core/config.hpp>  // first: it refuses compilers of older standards

#include <hone/gradient/adaptive_clip.hpp>
#include <hone/gradient/chain.hpp>
#include <hone/gradient/clip_by_norm.hpp>
#include <hone/gradient/clip_by_value.hpp>
#include <hone/gradient/each_number.hpp>
#include <hone/gradient/loss_scaler.hpp>
#include <hone/gradient/plan.hpp>
#include <hone/gradient/power_sums.hpp>
#include <hone/gradient/report.hpp>
#include <hone/gradient/scaling.hpp>
#include <hone/gradient/settle.hpp>
#include <hone/gradient/step.hpp>
#include <hone/gradient/unscale.hpp>
#include <hone/gradient/update_rule.hpp>
