// SPDX-License-Identifier: MIT
/// Mixing of samples: mixup, CutMix, and their random numbers. Written by tests/structure/doors.py.
#pragma once

#include <hone/core/config.hpp>  // first: it refuses compilers of older standards

#include <hone/sample/beta.hpp>
#include <hone/sample/blend.hpp>
#include <hone/sample/cutmix.hpp>
#include <hone/sample/detections.hpp>
#include <hone/sample/draw.hpp>
#include <hone/sample/elementary.hpp>
#include <hone/sample/mixup.hpp>
#include <hone/sample/mixup_or_cutmix.hpp>
#include <hone/sample/partners.hpp>
#include <hone/sample/philox.hpp>
#include <hone/sample/seed_of_rank.hpp>
