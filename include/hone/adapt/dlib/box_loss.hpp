// SPDX-License-Identifier: MIT
/// hone's box losses as a loss layer of dlib, for nets that predict one box per sample.
#pragma once

#include <hone/adapt/dlib/losses.hpp>

#include <dlib/geometry.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::adapt {

/// The corners of a box: its width is right - left. dlib's rectangles have their last pixels as right and bottom, so
/// their width, of drectangle too, is right - left + 1: corners_of and rectangle_of convert.
struct box_label {
  float left = 0, top = 0, right = 0, bottom = 0;
};

/// Returns the corners, in pixels, of a dlib::rectangle or drectangle.
inline box_label corners_of(dlib::drectangle const& r) {
  return {static_cast<float>(r.left()), static_cast<float>(r.top()), static_cast<float>(r.right() + 1),
          static_cast<float>(r.bottom() + 1)};
}
/// The inverse of corners_of.
inline dlib::drectangle rectangle_of(box_label const& b) {
  return {double(b.left), double(b.top), double(b.right) - 1, double(b.bottom) - 1};
}

/// A loss layer of one box per sample. Factory::objective(boxes) makes the objective from the labels, a
/// hone::matrix_view<const float> of N x 4 centers:
///
///     struct overlap {
///       auto objective(hone::matrix_view<const float> boxes) const { return hone::giou_loss(boxes, hone::centers); }
///     };
///
/// The output of the net is N x 4 x 1 x 1: the centre and the logarithms of the sides, so that no output is an inverted
/// box, whose gradient would be 0. A logarithm above 40 counts as 40. The labels of the net are box_label; one without
/// an area is hone::invalid_argument. Units are the caller's: outputs of a net are near 0, so divide pixels by a
/// typical side.
template <class Factory>
class dlib_box_loss : public detail::saved_loss<dlib_box_loss<Factory>, Factory> {
  static_assert(
      detail::makes_objective_of<Factory, matrix_view<const float>>,
      "dlib_box_loss: the factory needs objective(boxes) const, where boxes is a hone::matrix_view<const float>");

 public:
  using training_label_type = box_label;
  using output_label_type = box_label;
  static constexpr char const* layer_name = "dlib_box_loss";

  dlib_box_loss() = default;
  dlib_box_loss(Factory factory, cpu backend = {})  // NOLINT(google-explicit-constructor)
      : detail::saved_loss<dlib_box_loss, Factory>(std::move(factory)), backend_(backend) {}

  template <class Subnet, class Labels>
  void to_label(dlib::tensor const& input, Subnet const& net, Labels to) const {
    const matrix_view raw = outputs_of(input, net);
    for (index i = 0; i < raw.rows; ++i) {
      float const* b = raw.row(i);
      const float x = side(b[2]) / 2, y = side(b[3]) / 2;
      *to++ = box_label{b[0] - x, b[1] - y, b[0] + x, b[1] + y};
    }
  }

  template <class Labels, class Subnet>
  double compute_loss_value_and_gradient(dlib::tensor const& input, Labels truth, Subnet& net) const {
    const matrix_view raw = outputs_of(input, net);
    std::vector<float> y, boxes;
    y.reserve(static_cast<std::size_t>(raw.rows) * 4), boxes.reserve(y.capacity());
    for (index i = 0; i < raw.rows; ++i, ++truth) {
      box_label const& b = *truth;
      if (!(b.left < b.right && b.top < b.bottom))
        detail::fail("dlib_box_loss: the box of sample %jd has no area: left %.9g, top %.9g, right %.9g, bottom %.9g",
                     std::intmax_t(i), double(b.left), double(b.top), double(b.right), double(b.bottom));
      y.insert(y.end(), {(b.left + b.right) / 2, (b.top + b.bottom) / 2, b.right - b.left, b.bottom - b.top});
      float const* from = raw.row(i);
      boxes.insert(boxes.end(), {from[0], from[1], side(from[2]), side(from[3])});
    }
    dlib::tensor& gradient = net.get_gradient_input();
    const matrix_view<float> by_raw(gradient.host_write_only(), raw.rows, 4);
    const matrix_view<const float> targets(y.data(), raw.rows, 4), predicted(boxes.data(), raw.rows, 4);
    const double loss = evaluate(backend_, this->factory().objective(targets), predicted, {.gradient = by_raw});
    for (index i = 0; i < raw.rows; ++i)
      for (const int c : {2, 3}) by_raw.row(i)[c] *= raw.row(i)[c] > largest ? 0 : predicted.row(i)[c];
    return loss;
  }

 private:
  static constexpr float largest = 40;

  static float side(float logarithm) noexcept { return std::exp(std::min(logarithm, largest)); }

  template <class Subnet>
  static matrix_view<const float> outputs_of(dlib::tensor const& input, Subnet const& net) {
    detail::require_output(layer_name, input, net, true);
    const matrix_view z = rows_of(net.get_output());
    if (z.columns != 4)
      detail::fail("dlib_box_loss: the output of the net has %jd numbers per sample, must be 4",
                   std::intmax_t(z.columns));
    return z;
  }

  cpu backend_;
};

}  // namespace hone::inline HONE_ABI::adapt

#include <hone/core/macros_pop.hpp>
