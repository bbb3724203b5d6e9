// SPDX-License-Identifier: MIT
/// Averages of parameters, and their states on disk. Written by tests/structure/doors.py.
#pragma once

#include <hone/core/config.hpp>  // first: it refuses compilers of older standards

#include <hone/average/averaged_in.hpp>
#include <hone/average/averaging.hpp>
#include <hone/average/ema.hpp>
#include <hone/average/ema_state.hpp>
#include <hone/average/ramp.hpp>
#include <hone/average/state_file.hpp>
#include <hone/average/state_stream.hpp>
#include <hone/average/swa.hpp>
