// SPDX-License-Identifier: MIT
/// Two convolutions and a way around them (He et al. 2015, arXiv 1512.03385).
#pragma once

#include "batch_norm.hpp"
#include "named_tensors.hpp"
#include "pixel_convolution.hpp"

namespace ladder {

/// y = ReLU(norm(conv(ReLU(norm(conv(x))))) + x). Where it halves the image, the way around is a mean of 2x2 pixels, a
/// 1x1 convolution and a norm (ResNet-D of Bag of Tricks, arXiv 1812.01187).
template <class T>
class residual_block {
 public:
  matrix<T> y, x_gradient;  // of the last forward() and backward()

  residual_block(const std::string& name, Index in, Index out, Index side, Index stride,
                 demo::named_tensors& parameters, demo::named_tensors& statistics)
      : first_{in, out, side, stride},
        second_{out, out, side / stride, 1},
        norm_{out},
        stride_(stride),
        first_at_(parameters.add(name + ".conv1.weight", first_.taps(), out, 4)),
        first_norm_(add_norm(name + ".bn1", out, parameters, statistics)),
        second_at_(parameters.add(name + ".conv2.weight", second_.taps(), out, 4)),
        second_norm_(add_norm(name + ".bn2", out, parameters, statistics)) {
    if (stride == 1) return;
    around_at_ = parameters.add(name + ".downsample.conv.weight", in, out, 4);
    around_norm_ = add_norm(name + ".downsample.bn", out, parameters, statistics);
  }

  /// Where the γ and β of a norm begin in the parameters, and its mean and variance in the statistics.
  struct norm_place {
    Index parameters = 0, statistics = 0;
  };
  static norm_place add_norm(const std::string& name, Index channels, demo::named_tensors& parameters,
                             demo::named_tensors& statistics) {
    const norm_place at{parameters.size(), statistics.size()};
    parameters.add(name + ".weight", 1, channels, 1);
    parameters.add(name + ".bias", 1, channels, 1);
    statistics.add(name + ".running_mean", 1, channels, 1);
    statistics.add(name + ".running_var", 1, channels, 1);
    return at;
  }

  /// x has to stay for backward(). p and s: all parameters and statistics of the network.
  void forward(const T* p, T* s, const matrix<T>& x, bool training, matrix<T>& patches) {
    x_ = &x;
    first_.forward(p + first_at_, x, middle_, patches);
    norm_.forward(p + first_norm_.parameters, s + first_norm_.statistics, middle_, first_kept_, training);
    middle_ = middle_.cwiseMax(T(0));
    second_.forward(p + second_at_, middle_, y, patches);
    norm_.forward(p + second_norm_.parameters, s + second_norm_.statistics, y, second_kept_, training);
    if (stride_ == 1) {
      y += x;
    } else {
      shrink(x);
      around_.noalias() = small_ * map_of(p + around_at_, first_.in, first_.out);
      norm_.forward(p + around_norm_.parameters, s + around_norm_.statistics, around_, around_kept_, training);
      y += around_;
    }
    y = y.cwiseMax(T(0));
  }

  /// g, the gradient of y, is used up. Adds to d, the gradient of all parameters, which begins with zeros.
  void backward(const T* p, matrix<T>& g, T* d, matrix<T>& patches) {
    g = (y.array() > T(0)).select(g, T(0));
    around_ = g;
    norm_.backward(p + second_norm_.parameters, second_kept_, g, d + second_norm_.parameters);
    second_.backward(p + second_at_, middle_, g, d + second_at_, &middle_gradient_, patches);
    middle_gradient_ = (middle_.array() > T(0)).select(middle_gradient_, T(0));
    norm_.backward(p + first_norm_.parameters, first_kept_, middle_gradient_, d + first_norm_.parameters);
    first_.backward(p + first_at_, *x_, middle_gradient_, d + first_at_, &x_gradient, patches);
    if (stride_ == 1) {
      x_gradient += around_;
      return;
    }
    norm_.backward(p + around_norm_.parameters, around_kept_, around_, d + around_norm_.parameters);
    map_of(d + around_at_, first_.in, first_.out).noalias() += small_.transpose() * around_;
    small_.noalias() = around_ * map_of(p + around_at_, first_.in, first_.out).transpose();
    spread();
  }

 private:
  /// visit(pixel of the halved images, pixel of x): every pixel of x once.
  template <class Visit>
  void each_pixel(const Visit& visit) const {
    const Index half = first_.side / 2;
    for (Index line = 0; line < x_->rows() / first_.side; ++line)  // of all images: an even number in each
      for (Index at = 0; at < first_.side; ++at) visit(line / 2 * half + at / 2, line * first_.side + at);
  }
  void shrink(const matrix<T>& x) {
    small_.setZero(x.rows() / 4, x.cols());
    each_pixel([&](Index to, Index from) { small_.row(to) += x.row(from); });
    small_ *= T(0.25);
  }
  void spread() {
    each_pixel([&](Index from, Index to) { x_gradient.row(to) += T(0.25) * small_.row(from); });
  }

  pixel_convolution<T> first_, second_;
  batch_norm<T> norm_;
  Index stride_;
  Index first_at_;
  norm_place first_norm_;
  Index second_at_;
  norm_place second_norm_;
  Index around_at_ = 0;
  norm_place around_norm_;

  const matrix<T>* x_ = nullptr;
  matrix<T> middle_, middle_gradient_, small_, around_;
  typename batch_norm<T>::kept first_kept_, second_kept_, around_kept_;
};

}  // namespace ladder
