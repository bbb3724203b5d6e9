// SPDX-License-Identifier: MIT
// wrong: calibration: the labels must be hone::classes.labels., or a std::vector or std::span of integers
#include <hone/hone.hpp>

#include <vector>

#ifdef WRONG
using label = float;
#else
using label = int;
#endif

auto fit_temperature_of_fractions(const hone::cpu& cpu, hone::matrix_view<const float> logits,
                                  const std::vector<label>& labels) {
  return hone::fit_temperature(cpu, logits, labels);
}
