// SPDX-License-Identifier: MIT
/// hone in LibTorch, 1.13 or later: docs/torch.md.
#pragma once

#include <hone/adapt/torch/averaged_module.hpp>
#include <hone/adapt/torch/blend.hpp>
#include <hone/adapt/torch/cpu.hpp>
#include <hone/adapt/torch/group_by_decay.hpp>
#include <hone/adapt/torch/module_tensors.hpp>
#include <hone/adapt/torch/schedule.hpp>
#include <hone/adapt/torch/transform.hpp>
