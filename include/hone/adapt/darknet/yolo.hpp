// SPDX-License-Identifier: MIT
/// YOLO heads of darknet: the layout of a yolo layer as hone's levels and views, and its whole loss in l.delta.
#pragma once

#include <hone/adapt/darknet/layer.hpp>
#include <hone/cpu/run/pieces.hpp>
#include <hone/detect/decode.hpp>
#include <hone/detect/yolov4/matching.hpp>
#include <hone/detect/yolov4/objectness.hpp>
#include <hone/loss/box/ciou.hpp>
#include <hone/loss/element/binary_cross_entropy.hpp>
#include <hone/loss/element/binary_labels.hpp>
#include <hone/loss/element/weights.hpp>
#include <hone/target/classes.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::adapt {

namespace detail {

/// darknet's yolo layer. Its numbers are batch x n anchors x (4 + 1 + classes) entries x h x w: entry_index of darknet.
template <class Layer>
concept darknet_yolo = darknet_layer<Layer> && requires(Layer const& l) {
  { l.w } -> std::convertible_to<index>;
  { l.h } -> std::convertible_to<index>;
  { l.n } -> std::convertible_to<index>;
  { l.total } -> std::convertible_to<index>;
  { l.classes } -> std::convertible_to<index>;
  { l.biases } -> std::convertible_to<float const*>;
  { *l.mask } -> std::convertible_to<index>;
};

}  // namespace detail

/// The anchors of a yolo layer's network and the numbers of its level, which views them.
class yolo_level {
 public:
  /// Copies l.biases, the sides of all l.total anchors in pixels of the network's input, whose size the other numbers
  /// are. Throws hone::invalid_argument if a number is not positive, l.mask has gaps, or the cells are not square.
  template <detail::darknet_yolo Layer>
  yolo_level(Layer const& l, integer net_width, integer net_height)
      : images_(index(l.batch)), rows_(index(l.h)), columns_(index(l.w)), count_(index(l.n)) {
    const char* const function = "yolo_level";
    const auto positive = [&](const char* name, index x) {
      hone::detail::require(x >= 1, function, name, x, "at least 1");
    };
    positive("layer.w", columns_), positive("layer.h", rows_), positive("layer.n", count_);
    positive("net_width", net_width), positive("net_height", net_height), positive("layer.classes", index(l.classes));
    if (net_width * rows_ != net_height * columns_)
      hone::detail::fail("%s: %jd x %jd pixels on %jd x %jd cells, the cells must be square", function,
                         std::intmax_t(net_width), std::intmax_t(net_height), std::intmax_t(columns_),
                         std::intmax_t(rows_));
    stride_ = double(net_width) / double(columns_);
    first_ = l.mask ? index(l.mask[0]) : 0;
    for (index a = 0; l.mask && a < count_; ++a)
      if (index(l.mask[a]) != first_ + a)
        hone::detail::fail("%s: layer.mask[%jd] is %jd, must be %jd: anchors of a level must be consecutive", function,
                           std::intmax_t(a), std::intmax_t(l.mask[a]), std::intmax_t(first_ + a));
    if (l.outputs != (5 + index(l.classes)) * count_ * rows_ * columns_)
      hone::detail::fail("%s: layer.outputs is %jd, must be n x (5 + classes) x h x w, %jd x %jd x %jd x %jd", function,
                         std::intmax_t(l.outputs), std::intmax_t(count_), std::intmax_t(5 + index(l.classes)),
                         std::intmax_t(rows_), std::intmax_t(columns_));
    for (index a = 0; a < index(l.total); ++a)
      anchors_.push_back({double(l.biases[2 * a]), double(l.biases[2 * a + 1])});
    hone::detail::require_level(function, level());
  }

  /// The level, for hone::yolov4::match and others. It views the anchors of this object.
  anchor_level level() const noexcept {
    return {.images = images_,
            .rows = rows_,
            .columns = columns_,
            .stride = stride_,
            .anchors = anchors_,
            .first = first_,
            .count = count_};
  }

 private:
  index images_, rows_, columns_, count_, first_ = 0;
  double stride_ = 1;
  std::vector<anchor_size> anchors_;
};

/// Views the numbers of a yolo layer, slot by slot: a row has the box, the objectness and the classes of a slot.
template <detail::darknet_yolo Layer>
image_view<const float> slots_of(Layer const& l, float const* numbers = nullptr) {
  return {detail::numbers_or_output("slots_of", l, numbers), index(l.batch) * index(l.n), 5 + index(l.classes),
          index(l.h), index(l.w)};
}

struct yolo_loss_options {
  real box = 1, objectness = 1, classes = 1;   ///< darknet's iou_normalizer, obj_normalizer and cls_normalizer
  real iou_threshold = 1;                      ///< iou_thresh: other anchors with a higher shape IoU match, too
  real scale_x_y = 1;                          ///< of the centres
  binary_labels labels = {};                   ///< of the classes, such as hone::smooth_binary(0.1) (label_smooth_eps)
  yolov4::objectness_options confidence = {};  ///< ignore_thresh, truth_thresh and others
};

/// The parts of a yolo layer's loss, summed over the batch.
struct yolo_losses {
  double box = 0, objectness = 0, classes = 0;
  index matches = 0;

  double total() const noexcept { return box + objectness + classes; }
};

/// The loss of a yolo layer by YOLOv4's rules, with exact gradients. Writes minus the gradient of the sum by the raw
/// numbers into l.delta and the sum into l.cost. `raw` are the numbers before darknet's activations: net.input, in
/// forks state.input; l.output are no longer raw and are not read.
///
///     const hone::adapt::yolo_level level(l, net.w, net.h);
///     hone::adapt::yolo_delta(cpu, l, net.input, level.level(), boxes, {.box = 0.07, .iou_threshold = 0.213});
///
/// Boxes: CIoU of every match, or box_loss(targets), which makes an objective of n x 4 centers in cells. Objectness and
/// classes: binary cross-entropy; of the boxes of a slot, the last one's class. darknet's own gradients of boxes are
/// not those of its losses (hone::darknet_compat has them). Throws hone::invalid_argument, and writes nothing, if an
/// argument is not valid, such as a label that is not below l.classes.
template <detail::darknet_yolo Layer, class BoxLoss>
yolo_losses yolo_delta(cpu const& backend, Layer& l, float const* raw, anchor_level const& level,
                       std::span<const labelled_box> boxes, yolo_loss_options const& options, BoxLoss const& box_loss) {
  const char* const function = "yolo_delta";
  const image_view<const float> slots = slots_of(l, raw);
  const index cells = slots.pixels, classes = index(l.classes), entries = slots.channels, count = level.slots();
  if (!raw) hone::detail::fail("%s: raw is null, give the layer's input", function);
  if (!l.delta) hone::detail::fail("%s: layer.delta is null", function);
  if (raw == l.delta) hone::detail::fail("%s: raw is layer.delta, must be the layer's input", function);
  if (level.images != l.batch || level.rows != l.h || level.columns != l.w || level.anchor_count() != l.n ||
      slots.images * cells != count || index(l.outputs) * index(l.batch) != count * entries)
    hone::detail::fail("%s: the level has %jd x %jd x %jd x %jd slots and the layer %jd x %jd x %jd x %jd", function,
                       std::intmax_t(level.images), std::intmax_t(level.anchor_count()), std::intmax_t(level.rows),
                       std::intmax_t(level.columns), std::intmax_t(l.batch), std::intmax_t(l.n), std::intmax_t(l.h),
                       std::intmax_t(l.w));
  for (const auto& [name, x] : {std::pair("box", options.box), std::pair("objectness", options.objectness),
                                std::pair("classes", options.classes)})
    hone::detail::require(x >= 0 && hone::detail::finite(x), function, name, x, "finite and not negative");
  for (std::size_t i = 0; i < boxes.size(); ++i)
    if (boxes[i].label < 0 || boxes[i].label >= classes)
      hone::detail::fail("%s: the label of box %zu is %jd, must be in [0, %jd)", function, i,
                         std::intmax_t(boxes[i].label), std::intmax_t(classes));

  const auto decoding = yolov4::decoding(options.scale_x_y);
  const auto matches = yolov4::match(level, boxes, {.iou_threshold = options.iou_threshold});
  const auto n = static_cast<index>(matches.size());
  const auto size = static_cast<std::size_t>(count);
  std::vector<float> in_image(4 * size), decoded(4 * matches.size()), by_boxes(4 * matches.size());
  decode_boxes(backend, decoding, level, slots, {in_image.data(), count, 4}, box_unit::image);
  const auto confidence = yolov4::objectness_targets(
      backend, level, matrix_view<const float>(in_image.data(), count, 4), boxes, matches, options.confidence);
  const auto targets = boxes_in_cells(level, boxes, matches), shares = yolov4::box_weights(boxes, matches);
  std::vector<index> labels(size, -1);
  for (anchor_match const& m : matches)
    labels[static_cast<std::size_t>(m.slot)] = boxes[static_cast<std::size_t>(m.box)].label;

  static_cast<void>(
      binary_cross_entropy(hone::classes(labels), options.labels));  // checks them before anything is written

  yolo_losses losses{.matches = n};
  decode_boxes(backend, decoding, level, matches, slots, {decoded.data(), n, 4});
  losses.box =
      0 - evaluate(backend,
                   -options.box.value * weigh_rows(box_loss(matrix_view<const float>(targets.data(), n, 4)), shares),
                   matrix_view<const float>(decoded.data(), n, 4), {.gradient = {by_boxes.data(), n, 4}}, sum);
  chain_boxes(backend, decoding, level, matches, slots, {by_boxes.data(), n, 4},
              {l.delta, slots.images, slots.channels, slots.pixels});

  const index planes = slots.images, stride = entries * cells;  // entry 4 of every plane is the objectness
  losses.objectness =
      0 - evaluate(backend,
                   -options.objectness.value *
                       weigh_elements(
                           binary_cross_entropy(matrix_view<const float>(confidence.target.data(), planes, cells)),
                           matrix_view<const float>(confidence.weight.data(), planes, cells)),
                   matrix_view<const float>(slots.data + 4 * cells, planes, cells, stride),
                   {.gradient = {l.delta + 4 * cells, planes, cells, stride}}, sum);
  for (index p = 0; p < planes; ++p) {
    const std::span<const index> own(labels.data() + p * cells, static_cast<std::size_t>(cells));
    float* const to = l.delta + p * stride + 5 * cells;
    if (std::ranges::all_of(own, [](index label) { return label < 0; })) {
      std::fill_n(to, classes * cells, 0.0f);
      continue;
    }
    const auto objective =
        -options.classes.value * binary_cross_entropy(hone::classes(own, {.ignore = -1}), options.labels);
    losses.classes -=
        evaluate(backend, objective, image_view<const float>(slots.data + p * stride + 5 * cells, 1, classes, cells),
                 {.gradient = {to, 1, classes, cells}}, sum);
  }
  if (l.cost) *l.cost = static_cast<float>(losses.total());
  return losses;
}
template <detail::darknet_yolo Layer>
yolo_losses yolo_delta(cpu const& backend, Layer& l, float const* raw, anchor_level const& level,
                       std::span<const labelled_box> boxes, yolo_loss_options const& options = {}) {
  return yolo_delta(backend, l, raw, level, boxes, options,
                    [](matrix_view<const float> targets) { return ciou_loss(targets, centers); });
}

}  // namespace hone::inline HONE_ABI::adapt

#include <hone/core/macros_pop.hpp>
