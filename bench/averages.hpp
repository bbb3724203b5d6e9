// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace bench {

/// Prints the rows of averages; threads 0 means 1 and 2.
void averages(double budget, std::string const& filter, int threads);

}  // namespace bench
