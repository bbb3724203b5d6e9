// SPDX-License-Identifier: MIT
/// The training that all ranks do together.
#pragma once

#include "data.hpp"
#include "options.hpp"

#include <hone/adapt/mpi.hpp>

namespace demo {

/// Trains and writes FOLDER/parameters, FOLDER/average and FOLDER/curve, by rank 0. Returns the accuracy, or
/// -1 where a checkpoint had no step left.
double train(options const& options, dataset const& data, hone::mpi const& ranks);

}  // namespace demo
