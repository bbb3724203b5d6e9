// SPDX-License-Identifier: MIT
/// Draws of boxes for images whose pixels have their channels side by side.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/number.hpp>
#include <hone/sample/draw.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::adapt {

/// The draw for a batch N x H x W x C: as blend pastes boxes in planes, a draw of boxes in images whose rows are
/// W · C wide. A draw without boxes is the same for every layout.
template <class Draw>
Draw interleaved(Draw draw, integer channels) {
  hone::detail::require(channels >= 1, "interleaved", "channels", channels.value, "at least 1");
  if constexpr (requires { draw.boxes; }) {
    draw.width *= channels;
    for (pixel_box& box : draw.boxes) box.x1 *= channels, box.x2 *= channels;
  }
  return draw;
}

}  // namespace hone::inline HONE_ABI::adapt

#include <hone/core/macros_pop.hpp>
