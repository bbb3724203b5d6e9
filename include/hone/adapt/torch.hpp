// SPDX-License-Identifier: MIT
/// hone in LibTorch, 1.13 or later: docs/torch.md.
#pragma once

#include <hone/adapt/torch/cpu.hpp>
