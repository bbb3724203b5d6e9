// SPDX-License-Identifier: MIT
/// A deformable convolution with the convolution that predicts its offsets and its mask.
#pragma once

#include "named_tensors.hpp"
#include "pixel_convolution.hpp"
#include "planes.hpp"

#include <string>

namespace deformable {

using demo::map_of;
using demo::matrix;
using Eigen::Index;

/// Deformable convolution v2 (Zhu et al. 2019, arXiv 1811.11168), 3x3, stride 1, without a bias. Images are rows of
/// pixels, as pixel_convolution takes them. Where the predicting convolution is 0, and it begins so, all taps lie on
/// their grid and the mask is 1/2.
template <class T>
class deformable_layer {
 public:
  static constexpr Index taps = 9;

  deformable_layer(const std::string& name, Index in, Index out, Index side, demo::named_tensors& parameters)
      : in_(in),
        out_(out),
        side_(side),
        predicting_{in, 3 * taps, side, 1},
        predicting_at_(parameters.add(name + ".offset.weight", predicting_.taps(), 3 * taps, 4)),
        bias_at_(parameters.add(name + ".offset.bias", 1, 3 * taps, 1)),
        weight_at_(parameters.add(name + ".weight", out, in * taps, 2)) {}

  /// In pixels: a row per offset channel and image.
  const matrix<T>& offsets() const { return offsets_; }

  void forward(const T* p, const matrix<T>& x, matrix<T>& y, matrix<T>& patches) {
    predicting_.forward(p + predicting_at_, x, predicted_, patches);
    predicted_.rowwise() += map_of(p + bias_at_, 1, 3 * taps).row(0);
    const matrix<T> moved = predicted_.leftCols(2 * taps),
                    masked = (1 + (-predicted_.rightCols(taps).array()).exp()).inverse();
    demo::to_planes(moved, side_ * side_, offsets_);
    demo::to_planes(masked, side_ * side_, mask_);
    demo::to_planes(x, side_ * side_, x_);
    y_.resize(images(x) * out_, side_ * side_);
    hone::deform_conv2d(cpu_, features_of(x_, in_), features_of(offsets_, 2 * taps), features_of(mask_, taps),  // hone
                        weight_of(p), {}, {.padding = 1}, features_of(y_, out_));
    demo::to_pixels(y_, out_, y);
  }

  /// Writes to the gradient d of the parameters, which begins with zeros, and that of x.
  void backward(const T* p, const matrix<T>& x, const matrix<T>& y_gradient, T* d, matrix<T>& x_gradient,
                matrix<T>& patches) {
    demo::to_planes(y_gradient, side_ * side_, y_);
    x_gradient_.resizeLike(x_), offset_gradient_.resizeLike(offsets_), mask_gradient_.resizeLike(mask_);
    hone::deform_conv2d_backward(cpu_, features_of(x_, in_), features_of(offsets_, 2 * taps),  // hone
                                 features_of(mask_, taps), weight_of(p), {.padding = 1}, features_of(y_, out_),
                                 {.input = features_of(x_gradient_, in_),
                                  .offsets = features_of(offset_gradient_, 2 * taps),
                                  .mask = features_of(mask_gradient_, taps),
                                  .weight = weight_of(d)});
    mask_gradient_.array() *= mask_.array() * (1 - mask_.array());
    demo::to_pixels(offset_gradient_, 2 * taps, part_);
    predicted_.leftCols(2 * taps) = part_;
    demo::to_pixels(mask_gradient_, taps, part_);
    predicted_.rightCols(taps) = part_;
    map_of(d + bias_at_, 1, 3 * taps) = predicted_.colwise().sum();
    predicting_.backward(p + predicting_at_, x, predicted_, d + predicting_at_, &x_gradient, patches);
    demo::to_pixels(x_gradient_, in_, part_);
    x_gradient += part_;
  }

 private:
  Index images(const matrix<T>& x) const { return x.rows() / (side_ * side_); }
  hone::feature_view<T> features_of(matrix<T>& planes, Index channels) const {
    return {planes.data(), planes.rows() / channels, channels, side_, side_};
  }
  template <class Number>  // T or const T
  hone::feature_view<Number> weight_of(Number* p) const {
    return {p + weight_at_, out_, in_, 3, 3};
  }

  const hone::cpu cpu_{1};
  Index in_, out_, side_;
  demo::pixel_convolution<T> predicting_;
  Index predicting_at_, bias_at_, weight_at_;

  matrix<T> predicted_, offsets_, mask_, x_, y_, x_gradient_, offset_gradient_, mask_gradient_, part_;
};

}  // namespace deformable
