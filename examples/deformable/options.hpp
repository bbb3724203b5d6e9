// SPDX-License-Identifier: MIT
/// The command line.
#pragma once

#include "command_line.hpp"
#include "train.hpp"

#include <span>

namespace deformable {

struct options {
  std::string data = {};  // empty: where the Debian package puts it
  int jobs = 0;           // 0: one per core
  struct plan plan = {};
  bool quick = false, help = false;
};

/// Arguments without the program's name.
options parse(std::span<const char* const> arguments);

std::string help_text();

}  // namespace deformable
