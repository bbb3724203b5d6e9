// SPDX-License-Identifier: MIT
/// Pieces of networks: deformable convolution. Written by tests/structure/doors.py.
#pragma once

#include <hone/core/config.hpp>  // first: it refuses compilers of older standards

#include <hone/structure/deform_conv.hpp>
#include <hone/structure/deform_tap.hpp>
