// SPDX-License-Identifier: MIT
/// What is measured once, when a training is over.
#pragma once

#include "images.hpp"
#include "record.hpp"

namespace ladder {

/// Fills in all but the curves and the time. What has to be chosen, a temperature and the bias of a missing class, is
/// chosen on the held-out images.
void measure(network& net, const images& data, std::optional<int> missing, record& r);

}  // namespace ladder
