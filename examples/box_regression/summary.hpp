// SPDX-License-Identifier: MIT
/// What the numbers say: a table and verdicts, both computed.
#pragma once

#include "simulation.hpp"

namespace regression {

/// The final errors of those named, the largest first: "IoU 4.5e+04 > GIoU 206".
std::string order_text(const std::vector<const outcome*>& sorted);

/// Whether the published orderings hold, of hone's gradients and of darknet's; then where darknet's end lower.
/// The judgement ends with a colon. Empty where there is no case.
std::vector<std::string> verdicts(const results& r);

/// The rows as lines of text, aligned.
std::string table_text(const results& r);

}  // namespace regression
