// SPDX-License-Identifier: MIT
/// Everything for a CPU trainer. Needs Eigen. Written by tests/structure/doors.py.
#pragma once

#include <hone/core/config.hpp>  // first: it refuses compilers of older standards

#include <hone/cpu.hpp>
#include <hone/policies.hpp>
#include <hone/version.hpp>
