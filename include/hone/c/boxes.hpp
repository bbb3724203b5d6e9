// SPDX-License-Identifier: MIT
/// The losses of boxes: one template per kind, format and type. Boxes are rows of a matrix.
#pragma once

#include <hone.h>
#include <hone/c/loss.hpp>
#include <hone/loss/box/ciou.hpp>
#include <hone/loss/box/diou.hpp>
#include <hone/loss/box/eiou.hpp>
#include <hone/loss/box/giou.hpp>
#include <hone/loss/box/iou.hpp>
#include <hone/loss/box/siou.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::c {

class box_loss final : public hone_loss {
 public:
  explicit box_loss(hone_box_options const& options) : options_(options) {
    require_kind("kind", options.kind, HONE_FOCAL_EIOU);
    require_kind("format", options.format, HONE_CXCYWH);
    require(options.gamma >= 0 && detail::finite(options.gamma), "gamma", options.gamma, "finite and not negative");
  }

  double evaluate(call const& c) const override {
    constexpr auto name = "a loss of boxes";
    c.refuse(c.targets.teacher != nullptr, "teacher", name);
    c.refuse(is_present(c.targets.labels), "labels", name);
    c.refuse_mixing(name);
    if (c.prediction.layout != HONE_MATRIX)
      detail::fail("layout of prediction is %d, boxes must be a HONE_MATRIX", int(c.prediction.layout));
    double value = 0;
    with_type(c.prediction.dtype, "prediction", [&]<class T>(of_type<T>) {
      if constexpr (sizeof(T) > 2) {
        const auto targets = c.beside<matrix_view<const T>>(c.targets.numbers, "numbers");
        value = options_.format == HONE_XYXY ? of_kind(c, targets, corners) : of_kind(c, targets, centers);
      } else {
        refuse_narrow(c.prediction, name);
      }
    });
    return value;
  }

 private:
  template <class View, class Format>
  double of_kind(call const& c, View targets, Format format) const {
    const auto of = [&](auto const& loss) {
      return c.evaluate(view_of<View>(c.prediction), weigh_rows(loss, c.row_weights()));
    };
    switch (options_.kind) {
      case HONE_GIOU:
        return of(giou_loss(targets, format));
      case HONE_DIOU:
        return of(diou_loss(targets, format));
      case HONE_CIOU:
        return of(ciou_loss(targets, format));
      case HONE_EIOU:
        return of(eiou_loss(targets, format));
      case HONE_SIOU:
        return of(siou_loss(targets, format));
      case HONE_LOG_IOU:
        return of(log_iou_loss(targets, format));
      case HONE_FOCAL_EIOU:
        return of(focal_eiou_loss(targets, {.gamma = options_.gamma}, format));
      default:
        return of(iou_loss(targets, format));
    }
  }

  hone_box_options options_;
};

}  // namespace hone::inline HONE_ABI::c

#include <hone/core/macros_pop.hpp>
