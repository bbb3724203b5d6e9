// SPDX-License-Identifier: MIT
// wrong: attend: the module must be of float, or of double for images of double
#include <hone/hone.hpp>

#ifdef WRONG
using number = double;
#else
using number = float;
#endif

void attend_of_doubles(hone::cpu& cpu, hone::cbam<const number> const& module, hone::image_view<float> x,
                       hone::cbam_numbers<float> const& numbers) {
  hone::attend(cpu, module, x, {4, 4}, x, numbers);
}
