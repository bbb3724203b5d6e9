// SPDX-License-Identifier: MIT
/// Deformable convolution as other libraries differentiate it by offsets on the rim. Values are equal.
#pragma once

#include <hone/structure/deform_conv.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::parity {

/// Returns the options with the derivatives of torchvision.ops.deform_conv2d (0.29): from the right everywhere.
constexpr deform_conv_options torchvision_deform_conv(deform_conv_options options = {}) noexcept {
  options.border = deform_border::rightward;
  return options;
}

/// Returns the options with the derivatives of mmcv.ops.deform_conv2d and modulated_deform_conv2d (2.x): 0 on the rim.
constexpr deform_conv_options mmcv_deform_conv(deform_conv_options options = {}) noexcept {
  options.border = deform_border::none;
  return options;
}

}  // namespace hone::inline HONE_ABI::parity

#include <hone/core/macros_pop.hpp>
