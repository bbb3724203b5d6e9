// SPDX-License-Identifier: MIT
/// Options that several programs have, as rows of their tables; each sets the member that is called like it.
#pragma once

#include "command_line.hpp"

namespace demo {

/// A member of the options' `plan`.
auto planned(auto member) {
  return [=](auto& options) -> auto& { return options.plan.*member; };
}

template <class Options>
option<Options> data_option(std::string_view meaning = "the four idx files, plain or .gz") {
  return {"--data", "FOLDER", meaning, set_text(&Options::data)};
}

template <class Options>
option<Options> seeds_option() {
  return {"--seeds", "N", "trainings per recipe, with seeds 1 to N", set_number(&Options::seeds, 1, 1000)};
}

/// 0: one per core.
template <class Options>
option<Options> threads_option() {
  return {"--threads", "N", "threads; the results do not depend on it (default: one per core)",
          set_number(&Options::threads, 1, 1024)};
}

/// 0: one per core.
template <class Options>
option<Options> jobs_option() {
  return {"--jobs", "N", "trainings at a time; the numbers do not depend on it (default: one per core)",
          set_number(&Options::jobs, 1, 1024)};
}

template <class Options>
option<Options> report_option() {
  return {"--report", "FILE", "the report, one HTML page", set_text(&Options::report)};
}

template <class Options>
option<Options> help_option() {
  return {"--help", "", "this text", set_true(&Options::help)};
}

}  // namespace demo
