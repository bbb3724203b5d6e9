// SPDX-License-Identifier: MIT
// wrong: layer_scale: y is written, its type is const
#include <hone/hone.hpp>

#ifdef WRONG
using number = const float;
#else
using number = float;
#endif

void layer_scale_to_const(hone::cpu& cpu, hone::image_view<const float> x, std::span<const float> gamma,
                          hone::image_view<number> y) {
  hone::layer_scale(cpu, x, gamma, y);
}
