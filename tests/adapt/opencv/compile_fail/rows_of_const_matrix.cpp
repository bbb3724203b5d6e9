// SPDX-License-Identifier: MIT
// wrong: hone::adapt: a const cv::Mat gives views of const numbers: rows_of<const float>
#include <hone/adapt/opencv.hpp>

auto rows_of_const_matrix(const cv::Mat& z) {
#ifdef WRONG
  return hone::adapt::rows_of<float>(z);
#else
  return hone::adapt::rows_of<const float>(z);
#endif
}
