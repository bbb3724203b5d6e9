// SPDX-License-Identifier: MIT
/// Large batches: accumulation, groups without decay, zero-initialised scales. Written by tests/structure/doors.py.
#pragma once

#include <hone/core/config.hpp>  // first: it refuses compilers of older standards

#include <hone/large_batch/accumulation.hpp>
#include <hone/large_batch/decay_groups.hpp>
#include <hone/large_batch/zero_fill.hpp>
