// SPDX-License-Identifier: MIT
/// Targets: classes, probabilities, smoothing, mixing, weights. Written by tests/structure/doors.py.
#pragma once

#include <hone/core/config.hpp>  // first: it refuses compilers of older standards

#include <hone/target/classes.hpp>
#include <hone/target/mix.hpp>
#include <hone/target/partner_classes.hpp>
#include <hone/target/probabilities.hpp>
#include <hone/target/row_parts.hpp>
#include <hone/target/smooth.hpp>
#include <hone/target/target.hpp>
#include <hone/target/two_hot.hpp>
#include <hone/target/weigh_classes.hpp>
