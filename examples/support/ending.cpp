// SPDX-License-Identifier: MIT
#include "ending.hpp"

#include "command_line.hpp"
#include "interrupt.hpp"
#include "report_file.hpp"

namespace demo {

void print_results(const std::string& table, const std::vector<std::string>& sentences) {
  if (interrupted())
    std::printf("\ninterrupted%s\n", table.empty() ? " before the end of the first epoch: no results" : "; so far:");
  if (!table.empty()) std::printf("\n%s\n", table.c_str());
  for (const std::string& sentence : sentences) std::printf("%s\n", sentence.c_str());
}

int finish(const std::string& report, const std::string& page) {
  write_report(report, page);
  std::printf("report: %s\n", report.c_str());
  return interrupted() ? stopped : done;
}

}  // namespace demo
