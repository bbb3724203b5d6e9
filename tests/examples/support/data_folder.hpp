// SPDX-License-Identifier: MIT
/// A folder with made-up data and a place for the report.
#pragma once

#include "idx_files.hpp"
#include "program.hpp"

namespace test {

struct data_folder : folder {
  std::string data = path.string(), report = (path / "report.html").string();

  data_folder(std::uint32_t train, std::uint32_t tests) { write_data(path, train, tests); }

  /// run() on the data, with the report.
  outcome with(std::vector<std::string> arguments, const std::string& word = {}) const {
    arguments.insert(arguments.end(), {"--data", data, "--report", report});
    return run(arguments, word);
  }
};

}  // namespace test
