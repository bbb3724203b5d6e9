// SPDX-License-Identifier: MIT
/// The network that was there before hone, on Eigen.
///
///   28 x 28 -> [conv 3x3, ReLU, max-pool] 16 x 14 x 14 -> [same] 32 x 7 x 7 -> dense 64, ReLU -> 10 logits
#pragma once

#include "convolution.hpp"
#include "named_tensors.hpp"
#include "random.hpp"
#include "slices.hpp"

#include <cstdint>

namespace demo {

/// T is float; the gradient check of the tests takes double.
template <class T>
class basic_network {
 public:
  using vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;

  static constexpr Eigen::Index pixels = 28 * 28, hidden = 64, classes = 10;

  vector parameters, gradient;  // every weight of the network, and the gradient that backward() left

  basic_network(std::uint64_t seed, int threads) : parameters(size), gradient(size), threads_(threads) {
    parameters.setZero();
    std::mt19937_64 random(seed);
    fill_uniform(random, weights(parameters, first_at, first_.out, first_.taps()), first_.taps());
    fill_uniform(random, weights(parameters, second_at, second_.out, second_.taps()), second_.taps());
    fill_uniform(random, weights(parameters, hidden_at, hidden, features), features);
    fill_uniform(random, weights(parameters, output_at, classes, hidden), hidden);
  }

  /// images is n x 784. The logits, n x 10, stay valid until the next call.
  const matrix<T>& forward(const matrix<T>& images) {
    images_ = &images;
    logits_.resize(images.rows(), classes);
    for_each_slice(threads_, [&](int s) { forward(state_[s], rows(s)); });
    return logits_;
  }

  const matrix<T>& logits() const { return logits_; }  // of the last forward()

  /// What lies where in the parameters.
  static named_tensors tensors() {
    named_tensors all;
    const auto layer = [&all](const std::string& name, Eigen::Index rows, Eigen::Index columns, int dimensions) {
      all.add(name + ".weight", rows, columns, dimensions);
      all.add(name + ".bias", 1, rows, 1);
    };
    layer("conv1", first_.out, first_.taps(), 4);
    layer("conv2", second_.out, second_.taps(), 4);
    layer("fc1", hidden, features, 2);
    layer("fc2", classes, hidden, 2);
    return all;
  }

  /// The gradient with respect to the logits of the last forward(), whose images must still be there.
  void backward(const matrix<T>& logit_gradient) {
    for_each_slice(threads_, [&](int s) { backward(state_[s], rows(s), logit_gradient); });
    gradient = state_[0].gradient;
    for (int s = 1; s < slices; ++s) gradient += state_[s].gradient;
  }

 private:
  static constexpr convolution<T> first_{1, 16, 28}, second_{16, 32, 14};
  static constexpr Eigen::Index features = second_.outputs();
  // Where each layer begins in the vector of parameters: its weights, then its biases.
  static constexpr Eigen::Index first_at = 0, second_at = first_at + first_.size(),
                                hidden_at = second_at + second_.size(), output_at = hidden_at + hidden * (features + 1),
                                size = output_at + classes * (hidden + 1);

  struct range {
    Eigen::Index begin, count;
  };
  struct state {  // what a slice keeps from forward() for backward()
    matrix<T> pooled1, pooled2, activated;
    matrix<std::int32_t> winners1, winners2;
    vector gradient;
    workspace<T> work;
  };

  range rows(int slice) const {
    const Eigen::Index n = logits_.rows(), begin = n * slice / slices;
    return {begin, n * (slice + 1) / slices - begin};
  }

  template <class Vector>
  static auto weights(Vector& v, Eigen::Index at, Eigen::Index out, Eigen::Index in) {
    return map_of(v.data() + at, out, in);
  }
  template <class Vector>
  static auto biases(Vector& v, Eigen::Index at, Eigen::Index out, Eigen::Index in) {
    return map_of(v.data() + at + out * in, 1, out).row(0);
  }

  void forward(state& s, range at) {
    s.pooled1.resize(at.count, first_.outputs());
    s.pooled2.resize(at.count, second_.outputs());
    s.winners1.resize(at.count, first_.outputs());
    s.winners2.resize(at.count, second_.outputs());
    for (Eigen::Index i = 0; i < at.count; ++i) {
      const T* p = parameters.data();
      first_.forward(p + first_at, images_->row(at.begin + i).data(), s.pooled1.row(i).data(), s.winners1.row(i).data(),
                     s.work);
      second_.forward(p + second_at, s.pooled1.row(i).data(), s.pooled2.row(i).data(), s.winners2.row(i).data(),
                      s.work);
    }
    s.activated.noalias() = s.pooled2 * weights(parameters, hidden_at, hidden, features).transpose();
    s.activated.rowwise() += biases(parameters, hidden_at, hidden, features);
    s.activated = s.activated.cwiseMax(T(0));
    auto logits = logits_.middleRows(at.begin, at.count);
    logits.noalias() = s.activated * weights(parameters, output_at, classes, hidden).transpose();
    logits.rowwise() += biases(parameters, output_at, classes, hidden);
  }

  void backward(state& s, range at, const matrix<T>& logit_gradient) {
    s.gradient.setZero(size);
    if (at.count == 0) return;
    const auto g = logit_gradient.middleRows(at.begin, at.count);
    weights(s.gradient, output_at, classes, hidden).noalias() = g.transpose() * s.activated;
    biases(s.gradient, output_at, classes, hidden) = g.colwise().sum();
    matrix<T> h = g * weights(parameters, output_at, classes, hidden);
    h = (s.activated.array() > T(0)).select(h, T(0));
    weights(s.gradient, hidden_at, hidden, features).noalias() = h.transpose() * s.pooled2;
    biases(s.gradient, hidden_at, hidden, features) = h.colwise().sum();
    matrix<T> pooled2 = h * weights(parameters, hidden_at, hidden, features);
    vector pooled1(first_.outputs());
    for (Eigen::Index i = 0; i < at.count; ++i) {
      const T* p = parameters.data();
      T* d = s.gradient.data();
      second_.backward(p + second_at, s.pooled1.row(i).data(), s.winners2.row(i).data(), pooled2.row(i).data(),
                       d + second_at, pooled1.data(), s.work);
      first_.backward(p + first_at, images_->row(at.begin + i).data(), s.winners1.row(i).data(), pooled1.data(),
                      d + first_at, nullptr, s.work);
    }
  }

  int threads_;
  const matrix<T>* images_ = nullptr;
  matrix<T> logits_;
  state state_[slices];
};

using network = basic_network<float>;

}  // namespace demo
