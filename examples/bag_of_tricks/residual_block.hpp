// SPDX-License-Identifier: MIT
/// Two convolutions and a way around them (He et al. 2015, arXiv 1512.03385).
#pragma once

#include "junction.hpp"
#include "pixel_convolution.hpp"
#include "shortcut.hpp"

namespace ladder {

/// y = ReLU(branch + x), branch = norm(conv(ReLU(norm(conv(x))))). Where it halves the image, a shortcut stands for x.
template <class T>
class residual_block {
 public:
  matrix<T> y, x_gradient;  // of the last forward() and backward()

  residual_block(const std::string& name, Index in, Index out, Index side, Index stride, const structure& with,
                 const block_place& place, demo::named_tensors& parameters, demo::named_tensors& statistics)
      : first_{in, out, side, stride},
        second_{out, out, side / stride, 1},
        norm_{out},
        first_at_(parameters.add(name + ".conv1.weight", first_.taps(), out, 4)),
        first_norm_(demo::add_norm(name + ".bn1", out, parameters, statistics)),
        second_at_(parameters.add(name + ".conv2.weight", second_.taps(), out, 4)),
        second_norm_(demo::add_norm(name + ".bn2", out, parameters, statistics)) {
    if (stride == 2) shortcut_.emplace(name + ".downsample", in, out, side, with.d, parameters, statistics);
    junction_.emplace(name, out, second_.side * second_.side, with, place, parameters);
  }

  /// x has to stay for backward(). p and s: all parameters and statistics of the network.
  void forward(const T* p, T* s, const matrix<T>& x, const pass& pass, matrix<T>& patches) {
    x_ = &x;
    first_.forward(p + first_at_, x, middle_, patches);
    norm_.forward(p + first_norm_.parameters, s + first_norm_.statistics, middle_, first_kept_, pass.training);
    middle_ = middle_.cwiseMax(T(0));
    second_.forward(p + second_at_, middle_, y, patches);
    norm_.forward(p + second_norm_.parameters, s + second_norm_.statistics, y, second_kept_, pass.training);
    if (shortcut_) shortcut_->forward(p, s, x, pass.training);
    junction_->forward(p, y, shortcut_ ? shortcut_->y : x, pass);
  }

  /// g, the gradient of y, is used up. Adds to d, the gradient of all parameters, which begins with zeros.
  void backward(const T* p, matrix<T>& g, T* d, matrix<T>& patches) {
    junction_->backward(p, y, g, around_gradient_, d);
    norm_.backward(p + second_norm_.parameters, second_kept_, g, d + second_norm_.parameters);
    second_.backward(p + second_at_, middle_, g, d + second_at_, &middle_gradient_, patches);
    middle_gradient_ = (middle_.array() > T(0)).select(middle_gradient_, T(0));
    norm_.backward(p + first_norm_.parameters, first_kept_, middle_gradient_, d + first_norm_.parameters);
    first_.backward(p + first_at_, *x_, middle_gradient_, d + first_at_, &x_gradient, patches);
    if (shortcut_)
      shortcut_->backward(p, around_gradient_, d, x_gradient);
    else
      x_gradient += around_gradient_;
  }

 private:
  demo::pixel_convolution<T> first_, second_;
  batch_norm<T> norm_;
  Index first_at_;
  norm_place first_norm_;
  Index second_at_;
  norm_place second_norm_;
  std::optional<shortcut<T>> shortcut_;
  std::optional<junction<T>> junction_;  // its parameters are behind those of the shortcut

  const matrix<T>* x_ = nullptr;
  matrix<T> middle_, middle_gradient_, around_gradient_;
  typename batch_norm<T>::kept first_kept_, second_kept_;
};

}  // namespace ladder
