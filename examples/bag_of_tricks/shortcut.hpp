// SPDX-License-Identifier: MIT
/// The way around a block that halves the image.
#pragma once

#include "batch_norm.hpp"
#include "norm_place.hpp"
#include "planes.hpp"

namespace ladder {

using demo::batch_norm;
using demo::map_of;
using demo::matrix;
using demo::norm_place;
using demo::planes_of;
using Eigen::Index;

/// A 1x1 convolution and a norm, of the means of 2x2 pixels (ResNet-D of Bag of Tricks, arXiv 1812.01187) or of every
/// second pixel of every second line (its ResNet-B and those before).
template <class T>
class shortcut {
 public:
  matrix<T> y;

  shortcut(const std::string& name, Index in, Index out, Index side, bool pools, demo::named_tensors& parameters,
           demo::named_tensors& statistics)
      : in_(in),
        out_(out),
        side_(side),
        pools_(pools),
        norm_{out},
        at_(parameters.add(name + ".conv.weight", in, out, 4)),
        norm_at_(demo::add_norm(name + ".bn", out, parameters, statistics)) {}

  void forward(const T* p, T* s, const matrix<T>& x, bool training) {
    shrink(x);
    y.noalias() = small_ * map_of(p + at_, in_, out_);
    norm_.forward(p + norm_at_.parameters, s + norm_at_.statistics, y, kept_, training);
  }

  /// g, the gradient of y, is used up. Adds to that of x, and to d.
  void backward(const T* p, matrix<T>& g, T* d, matrix<T>& x_gradient) {
    norm_.backward(p + norm_at_.parameters, kept_, g, d + norm_at_.parameters);
    map_of(d + at_, in_, out_).noalias() += small_.transpose() * g;
    small_.noalias() = g * map_of(p + at_, in_, out_).transpose();
    spread(x_gradient);
  }

 private:
  hone::plane_size size() const { return {side_, side_}; }
  Index pooled() const { return side_ / 2 * (side_ / 2); }

  void shrink(const matrix<T>& x) {
    if (!pools_) {
      small_.resize(x.rows() / 4, in_);
      each_sampled(x.rows(), [&](Index to, Index from) { small_.row(to) = x.row(from); });
      return;
    }
    demo::to_planes(x, side_ * side_, large_planes_);
    small_planes_.resize(large_planes_.rows(), pooled());
    hone::average_pool(cpu_, planes_of(large_planes_, in_), size(), planes_of(small_planes_, in_));  // hone
    demo::to_pixels(small_planes_, in_, small_);
  }
  void spread(matrix<T>& x_gradient) {
    if (!pools_) {
      each_sampled(x_gradient.rows(), [&](Index from, Index to) { x_gradient.row(to) += small_.row(from); });
      return;
    }
    demo::to_planes(small_, pooled(), small_planes_);
    hone::average_pool_backward(cpu_, planes_of(small_planes_, in_), size(), planes_of(large_planes_, in_));  // hone
    demo::to_pixels(large_planes_, in_, large_);
    x_gradient += large_;
  }
  /// visit(pixel of the halved images, pixel of the images) for all of the former.
  template <class Visit>
  void each_sampled(Index rows, const Visit& visit) const {
    Index small = 0;
    for (Index line = 0; line < rows / side_; line += 2)  // of all images: an even number in each
      for (Index at = 0; at < side_; at += 2, ++small) visit(small, line * side_ + at);
  }

  const hone::cpu cpu_{1};
  Index in_, out_, side_;
  bool pools_;
  batch_norm<T> norm_;
  Index at_;
  norm_place norm_at_;

  matrix<T> small_, large_, small_planes_, large_planes_;
  typename batch_norm<T>::kept kept_;
};

}  // namespace ladder
