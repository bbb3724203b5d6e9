// SPDX-License-Identifier: MIT
/// Scenes inside a page.
#pragma once

#include "scene.hpp"

namespace detection {

/// The scene as SVG with its own boxes dashed, and over them those that were found, from `least_score` on, with class
/// and score on hover.
std::string picture(const scene& scene, const std::vector<detected>& found, const std::vector<std::string>& classes,
                    double least_score);

}  // namespace detection
