// SPDX-License-Identifier: MIT
// wrong: calibration: the logits must be a hone::matrix_view or hone::image_view of float, double, or a 16-bit
// floating-point type
#include <hone/hone.hpp>

#include <vector>

auto reliability_of_vector(const hone::cpu& cpu, const std::vector<float>& logits, const std::vector<int>& labels) {
#ifdef WRONG
  return hone::reliability(cpu, logits, labels);
#else
  return hone::reliability(cpu, hone::matrix_view{logits.data(), labels.size(), 10}, labels);
#endif
}
