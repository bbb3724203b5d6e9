// SPDX-License-Identifier: MIT
/// A small network whose last convolution is deformable, or plain and wider.
///
///   40 x 40 -> [conv 3x3 / 2, norm, ReLU] 8 x 20 x 20 -> the same, 16 x 10 x 10
///           -> [deformable conv 3x3, norm, ReLU] 32 x 10 x 10, or plain and wider -> mean of pixels -> 10
#pragma once

#include "batch_norm.hpp"
#include "canvases.hpp"
#include "deformable_layer.hpp"
#include "he_initialisation.hpp"
#include "norm_place.hpp"

#include <optional>

namespace deformable {

/// T is float; the gradient check of the tests takes double. On one thread.
template <class T>
class network {
 public:
  using vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;

  static constexpr Index classes = 10, first_width = 8, second_width = 16, deformable_width = 32;

  vector parameters, gradient, statistics;

  /// width: of a plain last convolution; nothing for the deformable one.
  explicit network(std::uint64_t seed, std::optional<Index> width = {}) : width_(width.value_or(deformable_width)) {
    add("conv1", 1, first_width, canvas_side, 2);
    add("conv2", first_width, second_width, canvas_side / 2, 2);
    if (width)
      add("conv3", second_width, width_, last_side, 1);
    else
      deformable_.emplace("conv3", second_width, width_, last_side, tensors_);
    norms_.push_back({width_});
    places_.push_back(demo::add_norm("bn3", width_, tensors_, statistic_tensors_));
    head_at_ = tensors_.add("fc.weight", classes, width_, 2);
    tensors_.add("fc.bias", 1, classes, 1);
    initialise(seed);
  }

  const demo::named_tensors& tensors() const { return tensors_; }
  /// Of the last forward(), in pixels; 0 of a plain network.
  double mean_offset() const { return deformable_ ? deformable_->offsets().cwiseAbs().mean() : 0; }

  /// canvases is n x 1600. The logits, n x 10, stay valid until the next call.
  const matrix<T>& forward(const matrix<T>& canvases, bool training) {
    const T* p = parameters.data();
    x_[0] = map_of(canvases.data(), canvases.size(), 1);
    for (std::size_t i = 0; i < 3; ++i) {
      if (i == 2 && deformable_)
        deformable_->forward(p, x_[2], x_[3], patches_);
      else
        convolutions_[i].forward(p + at_[i], x_[i], x_[i + 1], patches_);
      norms_[i].forward(p + places_[i].parameters, statistics.data() + places_[i].statistics, x_[i + 1], kept_[i],
                        training);
      x_[i + 1] = x_[i + 1].cwiseMax(T(0));
    }
    pooled_.resize(canvases.rows(), width_);
    for (Index i = 0; i < canvases.rows(); ++i) pooled_.row(i) = x_[3].middleRows(i * pixels, pixels).colwise().mean();
    logits_.noalias() = pooled_ * map_of(p + head_at_, classes, width_).transpose();
    logits_.rowwise() += map_of(p + head_at_ + classes * width_, 1, classes).row(0);
    return logits_;
  }

  /// The gradient with respect to the logits of the last forward(), which was one in training.
  void backward(const matrix<T>& logit_gradient) {
    const T* p = parameters.data();
    T* d = gradient.data();
    gradient.setZero();
    map_of(d + head_at_, classes, width_).noalias() = logit_gradient.transpose() * pooled_;
    map_of(d + head_at_ + classes * width_, 1, classes) = logit_gradient.colwise().sum();
    pooled_.noalias() = logit_gradient * map_of(p + head_at_, classes, width_);
    pooled_ /= static_cast<T>(pixels);
    g_.resize(x_[3].rows(), width_);
    for (Index i = 0; i < pooled_.rows(); ++i) g_.middleRows(i * pixels, pixels).rowwise() = pooled_.row(i);
    for (std::size_t i = 3; i-- > 0;) {
      g_ = (x_[i + 1].array() > T(0)).select(g_, T(0));
      norms_[i].backward(p + places_[i].parameters, kept_[i], g_, d + places_[i].parameters);
      if (i == 2 && deformable_)
        deformable_->backward(p, x_[2], g_, d, x_gradient_, patches_);
      else
        convolutions_[i].backward(p + at_[i], x_[i], g_, d + at_[i], i > 0 ? &x_gradient_ : nullptr, patches_);
      g_.swap(x_gradient_);
    }
  }

 private:
  static constexpr Index last_side = canvas_side / 4, pixels = last_side * last_side;

  void add(const std::string& name, Index in, Index out, Index side, Index stride) {
    convolutions_.push_back({in, out, side, stride});
    at_.push_back(tensors_.add(name + ".weight", 9 * in, out, 4));
    if (convolutions_.size() == 3) return;  // its norm is the deformable one's as well
    norms_.push_back({out});
    places_.push_back(demo::add_norm("bn" + std::to_string(norms_.size()), out, tensors_, statistic_tensors_));
  }

  /// What predicts offsets begins with 0.
  void initialise(std::uint64_t seed) {
    gradient.setZero(tensors_.size());
    std::mt19937_64 random(seed);
    demo::initialise(tensors_, parameters, statistic_tensors_, statistics,
                     [&](const demo::named_tensor& t) { return t.name == "conv3.offset.weight" ? nullptr : &random; });
  }

  Index width_;
  demo::named_tensors tensors_, statistic_tensors_;
  std::vector<demo::pixel_convolution<T>> convolutions_;
  std::optional<deformable_layer<T>> deformable_;
  std::vector<demo::batch_norm<T>> norms_;
  std::vector<Index> at_;
  std::vector<demo::norm_place> places_;
  Index head_at_ = 0;

  matrix<T> x_[4];  // what each convolution takes, and what the last one gives
  typename demo::batch_norm<T>::kept kept_[3];
  matrix<T> pooled_, logits_, g_, x_gradient_, patches_;
};

/// The width of a plain last convolution with which the network has at least as many parameters as the deformable one.
inline Index equal_width() {
  const Index wanted = network<float>(1).parameters.size();
  Index width = network<float>::deformable_width;
  while (network<float>(1, width).parameters.size() < wanted) ++width;
  return width;
}

}  // namespace deformable
