// SPDX-License-Identifier: MIT
// wrong: blend: images and mixed are of one type: float, double, half, bfloat16 or std::uint8_t
#include <hone/hone.hpp>

#include <cstdint>

#ifdef WRONG
using number = std::int32_t;
#else
using number = std::uint8_t;
#endif

void blend_of_integers(hone::cpu& cpu, hone::mixup_draw const& draw, hone::matrix_view<number> images) {
  hone::blend(cpu, draw, images, images);
}
