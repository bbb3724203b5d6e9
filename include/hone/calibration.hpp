// SPDX-License-Identifier: MIT
/// Calibration: reliability diagrams and temperature scaling. Written by tests/structure/doors.py.
#pragma once

#include <hone/core/config.hpp>  // first: it refuses compilers of older standards

#include <hone/calibration/labels.hpp>
#include <hone/calibration/reliability.hpp>
#include <hone/calibration/temperature.hpp>
