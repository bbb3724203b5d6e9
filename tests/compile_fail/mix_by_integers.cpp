// SPDX-License-Identifier: MIT
// wrong: mix: lambda must be one number, or a std::vector, std::span or Eigen vector of float or double
#include <hone/hone.hpp>

#include <vector>

auto mix_by_integers(const std::vector<int>& labels, const std::vector<float>& lambda) {
#ifdef WRONG
  return hone::mix(hone::classes(labels), hone::classes(labels), labels);
#else
  return hone::mix(hone::classes(labels), hone::classes(labels), lambda);
#endif
}
