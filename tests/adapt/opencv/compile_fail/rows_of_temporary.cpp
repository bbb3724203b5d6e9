// SPDX-License-Identifier: MIT
// wrong: hone::adapt: the argument is a temporary cv::Mat, which may be the last that holds its numbers
#include <hone/adapt/opencv.hpp>

auto rows_of_temporary(cv::Mat& z) {
#ifdef WRONG
  return hone::adapt::rows_of<float>(z.clone());
#else
  return hone::adapt::rows_of<float>(z);
#endif
}
