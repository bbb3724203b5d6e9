// SPDX-License-Identifier: MIT
/// What the numbers say, in words: for the terminal and for the report.
#pragma once

#include "results.hpp"

namespace ladder {

/// "8.21 ± 0.11"; percent.
std::string percent(std::span<const double> parts);

/// "helps", "hurts" or "has no clear effect"; of what a trick does to the error.
std::string judgement(const paired_test& change);

/// One sentence per step: "residual, + mixup helps: error 8.21 ± 0.11 %, -0.12 points (p 0.03, lower in 5 of 5)"
std::string sentence_of(const std::string& network, const step_result& s, const std::string& against);

/// What leaving a trick out says about the trick.
std::string sentence_of_omission(const std::string& network, const step_result& s);

/// Whether everything together cuts the error of the baseline by 14 %.
std::string overall(const plan& plan, const std::string& network, const std::vector<step_result>& ladder);

}  // namespace ladder
