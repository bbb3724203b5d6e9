// SPDX-License-Identifier: MIT
/// The command line.
#pragma once

#include "canvas_options.hpp"

#include <span>

namespace detection {

using demo::usage_error;
using options = demo::canvas_options;

/// Arguments without the program's name. Checks ranges; names of recipes are checked where they are known.
options parse(std::span<const char* const> arguments);

std::string help_text();

}  // namespace detection
