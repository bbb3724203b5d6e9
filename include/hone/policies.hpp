// SPDX-License-Identifier: MIT
/// All policies, which need no backend. Written by tests/structure/doors.py.
#pragma once

#include <hone/core/config.hpp>  // first: it refuses compilers of older standards

#include <hone/average.hpp>
#include <hone/calibration.hpp>
#include <hone/detect.hpp>
#include <hone/distil.hpp>
#include <hone/distributed.hpp>
#include <hone/extend.hpp>
#include <hone/gradient.hpp>
#include <hone/large_batch.hpp>
#include <hone/loss.hpp>
#include <hone/parity.hpp>
#include <hone/precision.hpp>
#include <hone/sample.hpp>
#include <hone/schedule.hpp>
#include <hone/structure.hpp>
#include <hone/target.hpp>
