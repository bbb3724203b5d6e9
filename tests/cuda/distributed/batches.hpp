// SPDX-License-Identifier: MIT
/// Batches that ranks share, and objectives over some of their rows, in memory of the host or of a device.
#pragma once

#include <hone/core/number.hpp>
#include <hone/core/numbers.hpp>
#include <hone/core/reduction.hpp>
#include <hone/core/view.hpp>
#include <hone/distil.hpp>
#include <hone/loss.hpp>
#include <hone/target/classes.hpp>
#include <hone/target/smooth.hpp>
#include <hone/target/weigh_classes.hpp>

#include <support/numbers.hpp>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace batches {

using hone::index;

/// Where the numbers of some rows are.
template <class T>
struct rows_at {
  index rows, columns;
  T const *z, *teacher, *dense;
  int const* labels;
  float const *row_weights, *class_weights;

  hone::matrix_view<const T> view(T const* of) const { return {of, rows, columns}; }
  auto classes() const { return hone::classes(std::span(labels, static_cast<std::size_t>(rows)), {.ignore = -100}); }
  auto row_numbers() const { return hone::numbers(row_weights, rows); }
  auto class_numbers() const { return hone::numbers(class_weights, columns); }
};

/// A whole batch on the host: some labels are ignored, `dense` are in [0, 1].
template <class T>
struct batch {
  index rows, columns;
  std::vector<T> z, teacher, dense;
  std::vector<int> labels;
  std::vector<float> row_weights, class_weights;

  batch(index n, index k) : rows(n), columns(k) {
    const auto fill = [&](std::vector<T>& to, index from, bool dense_) {
      for (const double x : support::noise(from, n * k))
        to.push_back(static_cast<T>(static_cast<float>(dense_ ? std::abs(x) / 4 : x)));
    };
    fill(z, 1, false), fill(teacher, 100, false), fill(dense, 1000, true);
    labels = support::labels(n, k);
    for (std::size_t i = 3; i < labels.size(); i += 7) labels[i] = -100;
    for (index i = 0; i < n; ++i) row_weights.push_back(static_cast<float>(i % 5) * 0.3f);
    for (index c = 0; c < k; ++c) class_weights.push_back(0.1f + static_cast<float>(c % 7) * 0.37f);
  }
  rows_at<T> all() const {
    return {rows,         columns,       z.data(),           teacher.data(),
            dense.data(), labels.data(), row_weights.data(), class_weights.data()};
  }
  /// Makes boxes of four columns: some corners are in any order.
  void make_boxes() {
    for (std::vector<T>* x : {&z, &teacher})
      for (std::size_t i = 0; i < x->size(); i += 4)
        if (i % 36 != 0)
          for (std::size_t c = i; c < i + 2; ++c)
            (*x)[c + 2] =
                static_cast<T>(static_cast<float>((*x)[c]) + std::abs(static_cast<float>((*x)[c + 2])) + 0.5f);
  }
};

struct smoothed {
  static constexpr bool of_elements = false, divides_by_weights = false;
  template <class Rows>
  auto operator()(Rows const& r) const {
    return hone::cross_entropy(hone::smooth(r.classes(), 0.1));
  }
};
struct three_terms {
  static constexpr bool of_elements = false, divides_by_weights = true;
  template <class Rows>
  auto operator()(Rows const& r) const {
    return hone::weigh_rows(hone::cross_entropy(hone::weigh_classes(r.classes(), r.class_numbers())), r.row_numbers()) +
           0.3 * hone::distillation(r.view(r.teacher), 4) + hone::z_loss(1e-4);
  }
};
struct focal {
  static constexpr bool of_elements = true, divides_by_weights = false;
  template <class Rows>
  auto operator()(Rows const& r) const {
    return hone::sigmoid_focal_loss(r.view(r.dense));
  }
};
struct two_of_elements {
  static constexpr bool of_elements = true, divides_by_weights = false;
  template <class Rows>
  auto operator()(Rows const& r) const {
    return hone::weigh_rows(hone::binary_cross_entropy(r.classes()), r.row_numbers()) +
           0.5 * hone::sigmoid_focal_loss(r.view(r.dense));
  }
};
struct boxes {
  static constexpr bool of_elements = false, divides_by_weights = false;
  template <class Rows>
  auto operator()(Rows const& r) const {
    return hone::weigh_rows(hone::ciou_loss(r.view(r.teacher)), r.row_numbers()) +
           0.5 * hone::iou_loss(r.view(r.teacher));
  }
};

/// The value of all rows on the CPU, and its gradient.
double on_cpu(smoothed, batch<float> const& of, hone::reduction how, std::vector<float>& gradient);
double on_cpu(three_terms, batch<float> const& of, hone::reduction how, std::vector<float>& gradient);
double on_cpu(focal, batch<float> const& of, hone::reduction how, std::vector<float>& gradient);
double on_cpu(two_of_elements, batch<float> const& of, hone::reduction how, std::vector<float>& gradient);
double on_cpu(boxes, batch<float> const& of, hone::reduction how, std::vector<float>& gradient);

}  // namespace batches
