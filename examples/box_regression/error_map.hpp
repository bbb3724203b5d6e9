// SPDX-License-Identifier: MIT
/// The final error over the places where the anchors began, as inline SVG.
#pragma once

#include "simulation.hpp"

namespace regression {

/// One map for each loss, all on one scale, and the scale. The disc is cut into squares; a square's colour is the mean
/// final error of the cases that began there.
std::string error_maps(const results& r);

}  // namespace regression
