// SPDX-License-Identifier: MIT
/// Schedules of the learning rate and of other numbers. Written by tests/structure/doors.py.
#pragma once

#include <hone/core/config.hpp>  // first: it refuses compilers of older standards

#include <hone/schedule/constant.hpp>
#include <hone/schedule/cosine.hpp>
#include <hone/schedule/cosine_k_decay.hpp>
#include <hone/schedule/cosine_restarts.hpp>
#include <hone/schedule/exponential.hpp>
#include <hone/schedule/inverse_square_root.hpp>
#include <hone/schedule/linear_scaling.hpp>
#include <hone/schedule/milestones.hpp>
#include <hone/schedule/noise.hpp>
#include <hone/schedule/one_cycle.hpp>
#include <hone/schedule/polynomial.hpp>
#include <hone/schedule/scaled_by.hpp>
#include <hone/schedule/schedule.hpp>
#include <hone/schedule/sequence.hpp>
#include <hone/schedule/shifted.hpp>
#include <hone/schedule/sqrt_scaling.hpp>
#include <hone/schedule/step_decay.hpp>
#include <hone/schedule/warmup.hpp>
#include <hone/schedule/warmup_cosine.hpp>
#include <hone/schedule/wsd.hpp>
