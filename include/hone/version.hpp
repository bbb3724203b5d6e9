// SPDX-License-Identifier: MIT
/// The version, here and nowhere else: the build reads it from this file.
#pragma once

#include <hone/core/config.hpp>

namespace hone::inline HONE_ABI {

inline constexpr const char* version = "0.2.0";

}  // namespace hone::inline HONE_ABI
