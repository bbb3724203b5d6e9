// SPDX-License-Identifier: MIT
// wrong: frozen_batch_norm: y must be of float, double or a 16-bit type
#include <hone/hone.hpp>

#ifdef WRONG
using number = int;
#else
using number = float;
#endif

void frozen_batch_norm_of_integers(hone::cpu& cpu, hone::image_view<number> x,
                                   hone::batch_norm_view<float> const& norm) {
  hone::frozen_batch_norm(cpu, x, norm, x);
}
