// SPDX-License-Identifier: MIT
/// How a program ends that makes a report.
#pragma once

#include <string>
#include <vector>

namespace demo {

/// Says whether it was interrupted, then the table and the sentences. The table is empty where there are no results.
void print_results(const std::string& table, const std::vector<std::string>& sentences);

/// Replaces the report at once, as write_report() does, and names it. Returns the exit code.
int finish(const std::string& report, const std::string& page);

}  // namespace demo
