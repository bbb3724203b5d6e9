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

/// The mark and the name of a curve, in a legend.
std::string legend_entry(const std::string& name, int colour);

/// A chart under its title and a note.
std::string figure(const chart& c, const std::string& note);

/// The end of the page of trainings in steps of `batch`, at a rate whose peak is `rate`.
std::string how_it_was_run(const std::string& command, int batch, double rate, int threads);

}  // namespace demo
