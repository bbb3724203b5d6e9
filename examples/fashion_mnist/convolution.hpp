// SPDX-License-Identifier: MIT
/// One stage of the network on one image: 3x3 convolution with zero padding, ReLU, 2x2 max-pooling.
#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cstdint>
#include <type_traits>

namespace demo {

template <class T>
using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A row-major view of numbers, const where they are.
template <class T>
auto map_of(T* data, Eigen::Index rows, Eigen::Index columns) {
  using plain = matrix<std::remove_const_t<T>>;
  return Eigen::Map<std::conditional_t<std::is_const_v<T>, const plain, plain>>(data, rows, columns);
}

/// Scratch space of one thread at a time; nothing in it survives a call.
template <class T>
struct workspace {
  matrix<T> patches, plane;
};

template <class T>
struct convolution {
  Eigen::Index in, out, side;  // channels in and out; the image is side x side, and side is even

  constexpr Eigen::Index taps() const { return in * 9; }
  constexpr Eigen::Index outputs() const { return out * side * side / 4; }
  constexpr Eigen::Index size() const { return out * (taps() + 1); }  // weights, then biases

  /// winners: which of its four pixels each output came from, or `closed` where the ReLU is.
  void forward(const T* parameters, const T* image, T* pooled, std::int32_t* winners, workspace<T>& work) const {
    gather(image, work);
    work.plane.noalias() = map_of(parameters, out, taps()) * work.patches;
    const T* bias = parameters + out * taps();
    const T* top = work.plane.data();
    for (Eigen::Index row = 0; row < out * side / 2; ++row, top += 2 * side, pooled += side / 2, winners += side / 2)
      for (Eigen::Index x = 0; x < side / 2; ++x) {
        const T a = top[2 * x], b = top[2 * x + 1], c = top[side + 2 * x], d = top[side + 2 * x + 1];
        const T upper = a > b ? a : b, lower = c > d ? c : d, most = upper > lower ? upper : lower;
        const T value = most + bias[row / (side / 2)];
        const std::int32_t winner = a == most ? 0 : b == most ? 1 : c == most ? 2 : 3;
        winners[x] = value > T(0) ? winner : closed;
        pooled[x] = value > T(0) ? value : T(0);
      }
  }

  /// Adds to the gradient of the parameters; writes that of the image, unless image_gradient is null.
  void backward(const T* parameters, const T* image, const std::int32_t* winners, const T* pooled_gradient, T* gradient,
                T* image_gradient, workspace<T>& work) const {
    work.plane.setZero(out, side * side);
    T* top = work.plane.data();
    for (Eigen::Index channel = 0; channel < out; ++channel)
      for (Eigen::Index y = 0; y < side; y += 2, top += 2 * side)
        for (Eigen::Index x = 0; x < side; x += 2, ++winners, ++pooled_gradient)
          if (*winners != closed) top[(*winners >> 1) * side + (*winners & 1) + x] = *pooled_gradient;
    gather(image, work);
    map_of(gradient, out, taps()).noalias() += work.plane * work.patches.transpose();
    map_of(gradient + out * taps(), out, 1) += work.plane.rowwise().sum();
    if (image_gradient == nullptr) return;
    work.patches.noalias() = map_of(parameters, out, taps()).transpose() * work.plane;
    scatter(work, image_gradient);
  }

 private:
  static constexpr std::int32_t closed = 4;

  /// patches: one row per tap, holding the image shifted by that tap, with zeros from outside.
  void gather(const T* image, workspace<T>& work) const {
    work.patches.resize(taps(), side * side);
    each_tap_row(work, [&](T* patch, Eigen::Index from, Eigen::Index to, Eigen::Index at) {
      std::fill(patch, patch + from, T(0));
      if (from < to) std::copy(image + at + from, image + at + to, patch + from);
      std::fill(patch + to, patch + side, T(0));
    });
  }

  /// The transpose of gather: adds every patch to where it came from.
  void scatter(workspace<T>& work, T* image) const {
    std::fill(image, image + in * side * side, T(0));
    each_tap_row(work, [&](const T* patch, Eigen::Index from, Eigen::Index to, Eigen::Index at) {
      for (Eigen::Index x = from; x < to; ++x) image[at + x] += patch[x];
    });
  }

  /// visit(row of a patch, first and last + 1 of its pixels inside the image, where its pixel 0 is there).
  template <class Visit>
  void each_tap_row(workspace<T>& work, const Visit& visit) const {
    T* patch = work.patches.data();
    for (Eigen::Index c = 0; c < in; ++c)
      for (Eigen::Index dy = -1; dy <= 1; ++dy)
        for (Eigen::Index dx = -1; dx <= 1; ++dx)
          for (Eigen::Index y = 0; y < side; ++y, patch += side) {
            const bool inside = y + dy >= 0 && y + dy < side;
            const Eigen::Index from = inside ? std::max<Eigen::Index>(0, -dx) : 0;
            const Eigen::Index to = inside ? std::min(side, side - dx) : 0;
            visit(patch, from, to, (c * side + y + dy) * side + dx);
          }
  }
};

}  // namespace demo
