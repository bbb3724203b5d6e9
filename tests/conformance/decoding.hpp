// SPDX-License-Identifier: MIT
/// What every backend must answer for decoded boxes, their chain rule, and changes of formats.
#pragma once

#include <conformance/batch.hpp>

#include <cmath>

namespace conformance {

/// YOLOv5's boxes in pixels and their chain rule, against the formula; and these boxes as corners.
template <class Device>
void decoded_boxes() {
  const std::vector<hone::anchor_size> anchors{{10, 13}, {33, 23}};
  const hone::anchor_level level{.images = 2, .rows = 7, .columns = 9, .stride = 16, .anchors = anchors};
  const index slots = level.slots(), channels = 6;
  std::vector<float> head, gradient;
  for (index i = 0; i < slots * channels; ++i) head.push_back(float(3 * std::sin(1.7 * double(i))));
  for (index i = 0; i < slots * 4; ++i) gradient.push_back(float(std::cos(0.9 * double(i))));
  const typename Device::template buffer<float> raw(head), by_box(gradient), boxes(gradient), corners(gradient),
      to(head);
  Device::decode_boxes(hone::yolov5::decoding(), level, hone::matrix_view<const float>{raw.data(), slots, channels},
                       hone::matrix_view<float>{boxes.data(), slots, 4});
  Device::chain_boxes(hone::yolov5::decoding(), level, hone::matrix_view<const float>{raw.data(), slots, channels},
                      hone::matrix_view<const float>{by_box.data(), slots, 4},
                      hone::matrix_view<float>{to.data(), slots, channels});
  Device::convert_boxes(hone::matrix_view<const float>{boxes.data(), slots, 4}, hone::centers,
                        hone::matrix_view<float>{corners.data(), slots, 4}, hone::corners);
  const auto seen = boxes.host(), slopes = to.host(), ends = corners.host();
  double worst = 0;
  const auto compare = [&](float a, double b) { worst = std::max(worst, std::abs(double(a) - b) / (1 + std::abs(b))); };
  for (index s = 0; s < slots; ++s) {
    const hone::slot_place at = level.at(s);
    double box[4];
    for (index c = 0; c < channels; ++c) {
      const auto i = std::size_t(s * channels + c), k = std::size_t(s * 4 + c);
      if (c >= 4) {
        compare(slopes[i], double(head[i]));
        continue;
      }
      const double p = 1 / (1 + std::exp(-double(head[i])));
      const hone::anchor_size a = anchors[std::size_t(at.anchor)];
      const double side = c % 2 == 0 ? a.width : a.height, cell = double(c % 2 == 0 ? at.column : at.row);
      box[c] = c < 2 ? (2 * p - 0.5 + cell) * 16 : 4 * p * p * side;
      compare(seen[k], box[c]);
      compare(slopes[i], double(gradient[k]) * (c < 2 ? 32 * p * (1 - p) : 8 * side * p * p * (1 - p)));
    }
    for (int c = 0; c < 2; ++c) {
      compare(ends[std::size_t(s * 4 + c)], box[c] - box[c + 2] / 2);
      compare(ends[std::size_t(s * 4 + c + 2)], box[c] + box[c + 2] / 2);
    }
  }
  CHECK(worst < 4e-6);
}

}  // namespace conformance
