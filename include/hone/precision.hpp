// SPDX-License-Identifier: MIT
/// Low precision: master weights. Written by tests/structure/doors.py.
#pragma once

#include <hone/core/config.hpp>  // first: it refuses compilers of older standards

#include <hone/precision/master_weights.hpp>
#include <hone/precision/round_number.hpp>
#include <hone/precision/stochastic_rounding.hpp>
