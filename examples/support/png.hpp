// SPDX-License-Identifier: MIT
/// Images as text inside a page.
#pragma once

#include "resize.hpp"

#include <array>
#include <span>
#include <string>

namespace demo {

/// A grey PNG.
std::string png(const grey_image& image);

using colour = std::array<std::uint8_t, 3>;  // red, green, blue

/// A PNG whose pixels are indices into a palette of at most 256 colours.
std::string png(const grey_image& image, std::span<const colour> palette);

std::string base64(const std::string& bytes);

}  // namespace demo
