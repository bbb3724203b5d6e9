// SPDX-License-Identifier: MIT
// What docs/matrices.md begins the section of OpenCV with.
// [program]
#include <hone/adapt/opencv.hpp>
#include <hone/hone.hpp>
#include <opencv2/core.hpp>

#include <cstdio>
#include <vector>

int main() {
  const int n = 4, height = 32, width = 32;
  std::vector<cv::Mat> images;  // a black one, then brighter ones
  for (int i = 0; i < n; ++i) images.emplace_back(height, width, CV_32FC3, cv::Scalar::all(0.25 * i));

  std::vector<float> batch(images.size() * images[0].total() * 3);
  hone::adapt::stack_planes(images, hone::image_view{batch.data(), n, 3, height, width});  // N x C x H x W
  const auto draw = hone::mixup{.alpha = 1}.draw(1, 0, n);                                 // seed, step, samples
  const hone::matrix_view rows{batch.data(), n, 3 * height * width};
  hone::blend(hone::cpu(), draw, rows, rows);  // train on the batch and on hone::mix of its labels
  for (int i = 0; i < n; ++i)
    std::printf("image %d with image %d: %.3f\n", i, int(draw.partner[unsigned(i)]), *rows.row(i));
}
// [/program]
