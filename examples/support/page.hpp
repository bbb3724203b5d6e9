// SPDX-License-Identifier: MIT
/// What the examples' reports have in common: HTML pages that need nothing from outside.
#pragma once

#include "chart.hpp"

namespace demo {

/// Colours of the style sheet: class c0 to c12.
inline constexpr int colours = 13;

/// Everything up to the body's first heading.
std::string page_head(const std::string& title);

/// What comes before the first colon is the judgement.
std::string verdict_line(const std::string& sentence);

/// A chart under its title and a note.
std::string figure(const chart& c, const std::string& note);

}  // namespace demo
