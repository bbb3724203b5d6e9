// SPDX-License-Identifier: MIT
/// What the trainings say together.
#pragma once

#include "train.hpp"

#include <string>

namespace deformable {

/// A line for either kind: error, parameters, seconds of a core per epoch and how far the taps moved.
std::string table_text(const plan& plan, const std::vector<outcome>& all);

/// Whether the deformable network errs less, p < 0.05 in Student's paired test over the seeds that both have.
std::string verdict(const std::vector<outcome>& all);

}  // namespace deformable
