// SPDX-License-Identifier: MIT
// The headers in a project whose CUDA sources are compiled by what hone::cuda says alone.
#include <hone/cuda/run/device.cuh>
#include <hone/loss/row/cross_entropy.hpp>

static_assert(hone::row_term<hone::cross_entropy_term<hone::classes_target<int>>>);
