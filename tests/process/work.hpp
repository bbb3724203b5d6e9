// SPDX-License-Identifier: MIT
/// What the programs of this folder ask of hone: something of each verb that needs scratch memory or threads.
#pragma once

#include <hone/hone.hpp>

#include <cstdint>
#include <vector>

namespace process {

struct work {
  hone::index rows, columns;
  std::vector<float> z, gradient, teacher;
  std::vector<int> labels;
  std::vector<float> boxes, scores, weights;

  explicit work(hone::index rows_ = 2000, hone::index columns_ = 37)
      : rows(rows_), columns(columns_), z(std::size_t(rows * columns)), gradient(z.size()), teacher(z.size()) {
    std::uint32_t state = 1;
    const auto next = [&] { return static_cast<float>((state = state * 1664525u + 1013904223u) >> 8) / 16777216.0f; };
    for (float& x : z) x = 8 * next() - 4;
    for (float& x : teacher) x = 8 * next() - 4;
    for (hone::index i = 0; i < rows; ++i) labels.push_back(static_cast<int>(i * 7 % columns));
    for (int i = 0; i < 64; ++i) {
      const float x = 100 * next(), y = 100 * next();
      boxes.insert(boxes.end(), {x, y, x + 20, y + 20});
      scores.push_back(next());
    }
    for (hone::index c = 0; c < columns; ++c) weights.push_back(0.5f + static_cast<float>(c % 3));
  }

  double loss(int threads) {
    const hone::matrix_view t{teacher.data(), rows, columns};
    return hone::evaluate(hone::cpu(threads),
                          hone::cross_entropy(hone::smooth(hone::classes(labels), 0.1)) + hone::distillation(t, 4),
                          hone::matrix_view{z.data(), rows, columns}, {.gradient = {gradient.data(), rows, columns}});
  }

  /// A number that depends on all verbs.
  double all(int threads) {
    const hone::cpu cpu(threads);
    const hone::matrix_view view{z.data(), rows, columns};
    double sum = loss(threads);
    sum += hone::evaluate(cpu, hone::cross_entropy(hone::weigh_classes(hone::classes(labels), weights)), view);
    sum += hone::evaluate(cpu, hone::binary_cross_entropy(hone::classes(labels)), view);
    const hone::matrix_view<const float> all_boxes{boxes.data(), 64, 4}, some{boxes.data(), 63, 4};
    sum += hone::evaluate(cpu, hone::ciou_loss(some), hone::matrix_view<const float>{boxes.data() + 4, 63, 4});
    hone::tensor_list<float> list;
    list.push_back({gradient.data(), hone::index(gradient.size())});
    sum += hone::transform(cpu, hone::clip_by_global_norm(0.01), list).norm;
    hone::ema_state<float> state(list);
    hone::update(cpu, hone::ema{}, state, list);
    hone::copy(cpu, state, list);
    sum += double(hone::nms(cpu, all_boxes, scores).size());
    std::vector<float> mixed(z.size());
    hone::blend(cpu, hone::mixup{.alpha = 0.2}.draw(1, 2, rows), view, hone::matrix_view{mixed.data(), rows, columns});
    for (float x : mixed) sum += double(x);
    return sum;
  }
};

}  // namespace process
