// SPDX-License-Identifier: MIT
/// The version, here and nowhere else: the build reads it from this file.
#pragma once

namespace hone {

inline constexpr const char* version = "0.1.0";

}  // namespace hone
