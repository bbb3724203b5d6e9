// SPDX-License-Identifier: MIT
/// A small ResNet-like network on Eigen. On one thread: batch norm looks at the whole batch anyway.
///
///   28 x 28 -> [conv 3x3 / 2, norm, ReLU] w x 14 x 14 -> blocks of w -> blocks of 2w x 7 x 7 -> mean of pixels -> 10
#pragma once

#include "he_initialisation.hpp"
#include "residual_block.hpp"

#include <cstdint>

namespace ladder {

/// T is float; the gradient check of the tests takes double.
template <class T>
class residual_network {
 public:
  using vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;

  static constexpr Index side = 28, classes = 10;

  vector parameters, gradient, statistics;  // statistics: the running ones of the norms

  residual_network(std::uint64_t seed, Index width, int blocks, const structure& with = {})
      : width_(width),
        stem_{1, width, side, 2},
        stem_norm_{width},
        stem_at_(tensors_.add("stem.conv.weight", stem_.taps(), width, 4)),
        norm_at_(demo::add_norm("stem.bn", width, tensors_, statistic_tensors_)) {
    blocks_.reserve(static_cast<std::size_t>(2 * blocks));
    for (int i = 0; i < 2 * blocks; ++i) {
      const bool second = i >= blocks, halves = i == blocks;
      const std::string name = (second ? "layer2." : "layer1.") + std::to_string(i % blocks);
      blocks_.emplace_back(name, second && !halves ? 2 * width : width, second ? 2 * width : width,
                           second && !halves ? side / 4 : side / 2, halves ? 2 : 1, with,
                           block_place{seed, i, 2 * blocks}, tensors_, statistic_tensors_);
    }
    head_at_ = tensors_.add("fc.weight", classes, 2 * width, 2);
    tensors_.add("fc.bias", 1, classes, 1);
    initialise(seed);
  }

  const demo::named_tensors& tensors() const { return tensors_; }

  /// images is n x 784. The logits, n x 10, stay valid until the next call. In training they are normalised by the
  /// batch, and the statistics move.
  const matrix<T>& forward(const matrix<T>& images, const pass& pass) {
    const T* p = parameters.data();
    images_ = map_of(images.data(), images.size(), 1);  // a pixel per row
    stem_.forward(p + stem_at_, images_, stem_y_, patches_);
    stem_norm_.forward(p + norm_at_.parameters, statistics.data() + norm_at_.statistics, stem_y_, stem_kept_,
                       pass.training);
    stem_y_ = stem_y_.cwiseMax(T(0));
    const matrix<T>* x = &stem_y_;
    for (residual_block<T>& b : blocks_) {
      b.forward(p, statistics.data(), *x, pass, patches_);
      x = &b.y;
    }
    pooled_.resize(images.rows(), 2 * width_);
    for (Index i = 0; i < images.rows(); ++i) pooled_.row(i) = x->middleRows(i * pixels, pixels).colwise().mean();
    logits_.noalias() = pooled_ * map_of(p + head_at_, classes, 2 * width_).transpose();
    logits_.rowwise() += map_of(p + head_at_ + classes * 2 * width_, 1, classes).row(0);
    return logits_;
  }

  /// The gradient with respect to the logits of the last forward(), which was one in training.
  void backward(const matrix<T>& logit_gradient) {
    const T* p = parameters.data();
    T* d = gradient.data();
    gradient.setZero();
    map_of(d + head_at_, classes, 2 * width_).noalias() = logit_gradient.transpose() * pooled_;
    map_of(d + head_at_ + classes * 2 * width_, 1, classes) = logit_gradient.colwise().sum();
    pooled_.noalias() = logit_gradient * map_of(p + head_at_, classes, 2 * width_);
    pooled_ /= static_cast<T>(pixels);
    g_.resize(pooled_.rows() * pixels, 2 * width_);
    for (Index i = 0; i < pooled_.rows(); ++i) g_.middleRows(i * pixels, pixels).rowwise() = pooled_.row(i);
    matrix<T>* g = &g_;
    for (std::size_t i = blocks_.size(); i-- > 0;) {
      blocks_[i].backward(p, *g, d, patches_);
      g = &blocks_[i].x_gradient;
    }
    *g = (stem_y_.array() > T(0)).select(*g, T(0));
    stem_norm_.backward(p + norm_at_.parameters, stem_kept_, *g, d + norm_at_.parameters);
    stem_.backward(p + stem_at_, images_, *g, d + stem_at_, nullptr, patches_);
  }

 private:
  static constexpr Index pixels = side / 4 * (side / 4);  // of the last blocks

  /// What all structures have begins alike.
  void initialise(std::uint64_t seed) {
    gradient.setZero(tensors_.size());
    std::mt19937_64 random(seed), of_excitations(seed + 1'000'000'007);
    demo::initialise(tensors_, parameters, statistic_tensors_, statistics, [&](const demo::named_tensor& t) {
      return t.name.find(".se.") == std::string::npos ? &random : &of_excitations;
    });
  }

  Index width_;
  demo::named_tensors tensors_, statistic_tensors_;
  demo::pixel_convolution<T> stem_;
  batch_norm<T> stem_norm_;
  Index stem_at_;
  norm_place norm_at_;
  std::vector<residual_block<T>> blocks_;
  Index head_at_ = 0;

  typename batch_norm<T>::kept stem_kept_;
  matrix<T> images_, stem_y_, pooled_, logits_, g_, patches_;
};

}  // namespace ladder
