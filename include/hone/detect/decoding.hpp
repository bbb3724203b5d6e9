// SPDX-License-Identifier: MIT
/// Policies that decode the raw numbers of a detector's head to boxes, and gradients by the chain rule. Each number of
/// a box depends on one raw number of its slot, so that its derivative is one number, too.
#pragma once

#include <hone/core/operand.hpp>
#include <hone/detect/anchors.hpp>
#include <hone/loss/box/box.hpp>
#include <hone/loss/element/logistic.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The unit of a decoded box.
enum class box_unit : unsigned char {
  cells,   ///< cells, from the first corner of the slot's cell, as in boxes_in_cells
  pixels,  ///< pixels of the network's input
  image    ///< fractions of the image
};

/// The box of a slot, in cells from the first corner of its cell, and the derivative of each number by its raw number.
template <class V>
struct decoded_box {
  V box[4], slope[4];
};

/// decoding(raw, width, height) returns the box, in D::format, of a slot whose anchor has these sides, in cells.
template <class D>
concept box_decoding = box_format<typename D::format> && requires(D const& d, double const (&raw)[4]) {
  { d(raw, 1.0, 1.0) } -> std::same_as<decoded_box<double>>;
};

namespace detail {

/// YOLOv3's sides, and centres that can lie outside their cell:
///   centre  k σ(t) - (k - 1)/2        side  anchor · e^t
/// t is clamped to at most 40, with slope 0 above, because no image has e^40 cells.
struct exponential_decoding {
  using format = centers_format;

  double scale;

  template <operand V>
  HONE_HD decoded_box<V> operator()(V const (&raw)[4], V width, V height) const noexcept {
    decoded_box<V> b;
    const V anchor[2] = {width, height};
    for (int axis = 0; axis < 2; ++axis) {
      const logistic<V> s(raw[axis]);
      const V t = raw[axis + 2];
      b.box[axis] = V(scale) * s.p - V(0.5 * (scale - 1));
      b.slope[axis] = V(scale) * s.p * s.complement;
      b.box[axis + 2] = anchor[axis] * exp(min(t, V(40)));
      b.slope[axis + 2] = select(V(40) < t, V(0), b.box[axis + 2]);
    }
    return b;
  }
};

}  // namespace detail

namespace yolov4 {

/// darknet's yolo_layer. scale_x_y, > 0, is 1.2, 1.1 and 1.05 for the levels of YOLOv4's configuration.
///   centre  k σ(t) - (k - 1)/2        side  anchor · e^t
inline detail::exponential_decoding decoding(real scale_x_y = 1) {
  detail::require_positive("yolov4::decoding", "scale_x_y", scale_x_y);
  return {scale_x_y};
}

}  // namespace yolov4

namespace ppyolo {

/// PaddleDetection's yolo_box, with the formula of YOLOv4; scale_x_y > 0.
inline detail::exponential_decoding decoding(real scale_x_y = 1.05) {
  detail::require_positive("ppyolo::decoding", "scale_x_y", scale_x_y);
  return {scale_x_y};
}

}  // namespace ppyolo

namespace yolov5 {

/// YOLOv5's Detect:
///   centre  2 σ(t) - 1/2        side  anchor · (2 σ(t))²
struct decoding {
  using format = centers_format;

  template <operand V>
  HONE_HD decoded_box<V> operator()(V const (&raw)[4], V width, V height) const noexcept {
    decoded_box<V> b;
    const V anchor[2] = {width, height};
    for (int axis = 0; axis < 2; ++axis) {
      const logistic<V> s(raw[axis]), r(raw[axis + 2]);
      b.box[axis] = V(2) * s.p - V(0.5);
      b.slope[axis] = V(2) * s.p * s.complement;
      b.box[axis + 2] = V(4) * anchor[axis] * r.p * r.p;
      b.slope[axis + 2] = V(8) * anchor[axis] * r.p * r.p * r.complement;
    }
    return b;
  }
};

}  // namespace yolov5

/// The distances of the sides from the middle of the cell, in cells: left, top, right, bottom, as predicted by
/// detectors without anchors, directly or as expected_bin of a distribution (FCOS, Tian et al. 2019, arXiv 1904.01355;
/// Li et al. 2020, arXiv 2006.04388). The level has one anchor, of any size.
///   corners  1/2 - left, 1/2 - top, 1/2 + right, 1/2 + bottom
struct distance_decoding {
  using format = corners_format;

  template <operand V>
  HONE_HD decoded_box<V> operator()(V const (&raw)[4], V, V) const noexcept {
    const V half = V(0.5), one = V(1);
    return {{half - raw[0], half - raw[1], half + raw[2], half + raw[3]}, {-one, -one, one, one}};
  }
};

static_assert(box_decoding<detail::exponential_decoding> && box_decoding<yolov5::decoding> &&
              box_decoding<distance_decoding>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
