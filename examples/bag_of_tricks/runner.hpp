// SPDX-License-Identifier: MIT
/// Many trainings, several at a time.
#pragma once

#include "progress.hpp"
#include "results.hpp"

namespace ladder {

/// Each once, after its teacher, which is added where it is missing; otherwise seed by seed.
std::vector<training> with_teachers(const plan& plan, const std::vector<training>& wanted);

/// Reads what is recorded in the folder and trains the rest, `jobs` at a time, each on one thread: the numbers do not
/// depend on jobs. Returns early where it was interrupted. The first error of a training is thrown when the others that
/// run are over.
results run_all(const std::vector<training>& all, const plan& plan, const images& data,
                const std::filesystem::path& folder, int jobs);

}  // namespace ladder
