// SPDX-License-Identifier: MIT
/// Squeeze-and-excitation with its parameters in a network's.
#pragma once

#include "named_tensors.hpp"
#include "planes.hpp"

namespace ladder {

using demo::matrix;
using Eigen::Index;

/// Scales every channel of every image by what the means of all channels say (Hu et al. 2018, arXiv 1709.01507).
template <class T>
class excitation {
 public:
  excitation(const std::string& name, Index channels, demo::named_tensors& parameters)
      : channels_(channels), width_(hone::squeeze_excite_width(channels)) {  // hone
    reduce_ = parameters.add(name + ".fc1.weight", width_, channels, 2);
    reduce_bias_ = parameters.add(name + ".fc1.bias", 1, width_, 1);
    expand_ = parameters.add(name + ".fc2.weight", channels, width_, 2);
    expand_bias_ = parameters.add(name + ".fc2.bias", 1, channels, 1);
  }

  /// All are planes; x and, if there is one, the residual stay for backward().
  void forward(const T* p, hone::image_view<const T> x, hone::image_view<T> y,
               const hone::plane_scale_options<T>& options) {
    hone::recalibrate(cpu_, branch_at(p), x, y, kept_.resized(x.images, channels_, width_), options);  // hone
  }
  /// With the residual and the activation of forward(). Writes the gradient of the parameters.
  void backward(const T* p, hone::image_view<const T> x, hone::image_view<const T> dy, hone::image_view<T> dx, T* d,
                const hone::plane_scale_backward_options<T>& options) {
    hone::recalibrate_backward(cpu_, branch_at(p), x, dy, kept_.resized(x.images, channels_, width_), dx, branch_at(d),
                               scratch_.resized(x.images, channels_, width_), options);  // hone
  }

 private:
  struct numbers {
    matrix<T> squeezed, excited, hidden, activated;

    hone::recalibration_numbers<T> resized(Index images, Index channels, Index width) {
      squeezed.resize(images, channels), excited.resize(images, channels);
      hidden.resize(images, width), activated.resize(images, width);
      return {.squeezed = view_of(squeezed),
              .excited = view_of(excited),
              .hidden = view_of(hidden),
              .activated = view_of(activated)};
    }
    static hone::matrix_view<T> view_of(matrix<T>& m) { return {m.data(), m.rows(), m.cols()}; }
  };

  template <class Number>  // T or const T
  hone::squeeze_excite<Number> branch_at(Number* p) const {
    return {.reduce = {p + reduce_, width_, channels_},
            .reduce_bias = {p + reduce_bias_, static_cast<std::size_t>(width_)},
            .expand = {p + expand_, channels_, width_},
            .expand_bias = {p + expand_bias_, static_cast<std::size_t>(channels_)}};
  }

  const hone::cpu cpu_{1};
  Index channels_, width_, reduce_ = 0, reduce_bias_ = 0, expand_ = 0, expand_bias_ = 0;
  numbers kept_, scratch_;
};

}  // namespace ladder
