// SPDX-License-Identifier: MIT
/// Everything for a CUDA trainer. Needs the CUDA toolkit. Written by tests/structure/doors.py.
#pragma once

#include <hone/core/config.hpp>  // first: it refuses compilers of older standards

#include <hone/cuda.cuh>
#include <hone/policies.hpp>
#include <hone/version.hpp>
