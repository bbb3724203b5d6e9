// SPDX-License-Identifier: MIT
/// A small single-stage detector, on Eigen. Of every cell of 8 x 8 pixels it says what has its centre there, and where
/// the box is:
///
///   96 x 96 -> [conv 3x3, ReLU, max-pool] 8 x 48 x 48 -> 16 x 24 x 24 -> 32 x 12 x 12
///           -> [conv 3x3, ReLU] 48 x 12 x 12 -> 48 x 12 x 12 -> 1x1: a logit per class, and 4 numbers of a box
#pragma once

#include "convolution.hpp"
#include "plain_convolution.hpp"
#include "random.hpp"
#include "scene.hpp"
#include "slices.hpp"

namespace detection {

using demo::map_of;
using demo::matrix;

inline constexpr int cell_side = 8, grid_side = canvas_side / cell_side, cells = grid_side * grid_side;

/// T is float; the gradient check of the tests takes double.
template <class T>
class basic_network {
 public:
  using vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;

  vector parameters, gradient;  // every weight of the network, and the gradient that backward() left

  /// Every class of every cell begins with the probability `prior` (RetinaNet, section 3.3), every box with 24 pixels.
  basic_network(std::uint64_t seed, int threads, int classes, double prior = 0.01)
      : classes_(classes), threads_(threads), state_(demo::slices) {
    parameters.setZero(box_at() + 4 * (features + 1));
    gradient.resizeLike(parameters);
    std::mt19937_64 random(seed);
    T* p = parameters.data();
    for (int i = 0; i < 3; ++i)
      demo::fill_uniform(random, map_of(p + at[i], pooled_[i].out, pooled_[i].taps()), pooled_[i].taps());
    for (int i = 0; i < 2; ++i)
      demo::fill_uniform(random, map_of(p + at[3 + i], plain_[i].out, plain_[i].taps()), plain_[i].taps());
    for (auto weights : {map_of(p + class_at, classes_, features), map_of(p + box_at(), Eigen::Index(4), features)}) {
      demo::fill_uniform(random, weights, features);
      weights *= T(0.05);  // nearly the biases alone
    }
    map_of(p + class_at + classes_ * features, 1, classes_).setConstant(T(-std::log((1 - prior) / prior)));
    map_of(p + box_at() + 4 * features + 2, 1, 2).setConstant(T(std::log(24.0 / cell_side)));
  }

  /// images is n x 96². logits() and boxes() stay valid until the next call.
  void forward(const matrix<T>& images) {
    images_ = &images;
    logits_.resize(images.rows(), classes_ * cells);
    boxes_.resize(images.rows(), 4 * cells);
    demo::for_each_slice(threads_, [&](int s) {
      state& to = state_[static_cast<std::size_t>(s)];
      to.kept.resize(static_cast<std::size_t>(end(s) - begin(s)));
      for (Eigen::Index i = begin(s); i < end(s); ++i)
        forward(i, to.kept[static_cast<std::size_t>(i - begin(s))], to.work);
    });
  }

  int classes() const { return static_cast<int>(classes_); }
  const matrix<T>& logits() const { return logits_; }  // n x (classes x 144): planes of classes
  const matrix<T>& boxes() const { return boxes_; }    // n x (4 x 144)

  /// From the gradients of logits() and boxes() of the last forward(), whose images must still be there.
  void backward(const matrix<T>& logit_gradient, const matrix<T>& box_gradient) {
    demo::for_each_slice(threads_, [&](int s) {
      state& from = state_[static_cast<std::size_t>(s)];
      from.gradient.setZero(parameters.size());
      for (Eigen::Index i = begin(s); i < end(s); ++i)
        backward(i, from.kept[static_cast<std::size_t>(i - begin(s))], logit_gradient, box_gradient, from);
    });
    gradient = state_[0].gradient;
    for (std::size_t s = 1; s < state_.size(); ++s) gradient += state_[s].gradient;
  }

 private:
  static constexpr demo::convolution<T> pooled_[3] = {{1, 8, 96}, {8, 16, 48}, {16, 32, 24}};
  static constexpr plain_convolution<T> plain_[2] = {{32, 48, 12}, {48, 48, 12}};
  static constexpr Eigen::Index features = plain_[1].out;
  // Where each layer begins in the vector of parameters: its weights, then its biases.
  static constexpr Eigen::Index second_at = pooled_[0].size(), third_at = second_at + pooled_[1].size(),
                                fourth_at = third_at + pooled_[2].size(), fifth_at = fourth_at + plain_[0].size(),
                                class_at = fifth_at + plain_[1].size();
  static constexpr Eigen::Index at[] = {0, second_at, third_at, fourth_at, fifth_at};
  Eigen::Index box_at() const { return class_at + classes_ * (features + 1); }

  struct image_state {  // what forward() keeps of an image for backward()
    vector pooled[3], plain[2];
    Eigen::Matrix<std::int32_t, Eigen::Dynamic, 1> winners[3];
  };
  struct state {
    std::vector<image_state> kept;
    vector gradient, from[2];
    demo::workspace<T> work;
  };

  Eigen::Index begin(int slice) const { return logits_.rows() * slice / demo::slices; }
  Eigen::Index end(int slice) const { return begin(slice + 1); }

  void forward(Eigen::Index i, image_state& s, demo::workspace<T>& work) {
    const T *p = parameters.data(), *from = images_->row(i).data();
    for (int k = 0; k < 3; ++k) {
      s.pooled[k].resize(pooled_[k].outputs());
      s.winners[k].resize(pooled_[k].outputs());
      pooled_[k].forward(p + at[k], from, s.pooled[k].data(), s.winners[k].data(), work);
      from = s.pooled[k].data();
    }
    for (int k = 0; k < 2; ++k) {
      s.plain[k].resize(plain_[k].outputs());
      plain_[k].forward(p + at[3 + k], from, s.plain[k].data(), work);
      from = s.plain[k].data();
    }
    head(p + class_at, classes_, from, logits_.row(i).data());
    head(p + box_at(), 4, from, boxes_.row(i).data());
  }
  static void head(const T* p, Eigen::Index out, const T* from, T* to) {
    auto planes = map_of(to, out, Eigen::Index(cells));
    planes.noalias() = map_of(p, out, features) * map_of(from, features, Eigen::Index(cells));
    planes.colwise() += map_of(p + out * features, out, 1).col(0);
  }

  void backward(Eigen::Index i, image_state& s, const matrix<T>& logit_gradient, const matrix<T>& box_gradient,
                state& to) {
    const T* p = parameters.data();
    T* d = to.gradient.data();
    to.from[0].setZero(plain_[1].outputs());
    head_back(p + class_at, classes_, s.plain[1].data(), logit_gradient.row(i).data(), d + class_at, to.from[0].data());
    head_back(p + box_at(), 4, s.plain[1].data(), box_gradient.row(i).data(), d + box_at(), to.from[0].data());
    for (int k = 1; k >= 0; --k) {
      const T* image = k > 0 ? s.plain[0].data() : s.pooled[2].data();
      to.from[1].resize(plain_[k].in * cells);
      plain_[k].backward(p + at[3 + k], image, s.plain[k].data(), to.from[0].data(), d + at[3 + k], to.from[1].data(),
                         to.work);
      to.from[0].swap(to.from[1]);
    }
    for (int k = 2; k >= 0; --k) {
      const T* image = k > 0 ? s.pooled[k - 1].data() : images_->row(i).data();
      if (k > 0) to.from[1].resize(pooled_[k - 1].outputs());
      pooled_[k].backward(p + at[k], image, s.winners[k].data(), to.from[0].data(), d + at[k],
                          k > 0 ? to.from[1].data() : nullptr, to.work);
      to.from[0].swap(to.from[1]);
    }
  }
  static void head_back(const T* p, Eigen::Index out, const T* from, const T* g, T* d, T* from_gradient) {
    const auto planes = map_of(g, out, Eigen::Index(cells));
    map_of(d, out, features).noalias() += planes * map_of(from, features, Eigen::Index(cells)).transpose();
    map_of(d + out * features, out, 1) += planes.rowwise().sum();
    map_of(from_gradient, features, Eigen::Index(cells)).noalias() += map_of(p, out, features).transpose() * planes;
  }

  Eigen::Index classes_;
  int threads_;
  const matrix<T>* images_ = nullptr;
  matrix<T> logits_, boxes_;
  std::vector<state> state_;
};

using network = basic_network<float>;

}  // namespace detection
