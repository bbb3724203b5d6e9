// SPDX-License-Identifier: MIT
/// Policies of one's own, one of each kind: docs/extending.md shows them. They run on both backends.
#pragma once

#include <hone/extend.hpp>

#include <cmath>

namespace own {

// [element_formula]
struct squared_hinge_options {
  hone::real margin = 1;  ///< from which logit on an element is right
};

/// The squared hinge of an L2-SVM (Tang 2013, arXiv 1306.0239). With y = 2t - 1 and u = max(margin - y x, 0):
///   value  u²        gradient  -2 y u
struct squared_hinge_formula {
  double margin;

  template <hone::operand V>
  HONE_HD hone::value_grad<V> operator()(V x, V t) const {
    const V y = t + t - V(1), u = max(V(margin) - y * x, V(0));
    return {u * u, V(-2) * y * u};
  }
};

/// Targets as binary_cross_entropy takes them. Margin finite and positive.
template <class Targets>
auto squared_hinge_loss(Targets targets, squared_hinge_options options = {}) {
  static_assert(hone::extend::element_targets<Targets>,
                "squared_hinge_loss: the targets must be a hone::matrix_view or hone::classes(labels)");
  const double margin = options.margin;
  hone::extend::require(margin > 0 && hone::extend::finite(margin), "squared_hinge_loss", "margin", margin,
                        "finite and positive");
  return hone::extend::element_loss(squared_hinge_formula{margin}, targets);
}

static_assert(hone::element_formula<squared_hinge_formula>);
// [/element_formula]

// [row_term]
/// The confidence penalty (Pereyra et al. 2017, arXiv 1701.06548). With p = softmax(z), m = Σ p z:
///   value  β Σ p log p  =  β (m - log Σ exp z)        gradient  β p (z - m)
struct confidence_penalty_term : hone::row_term_base {
  using statistics = hone::row::list<hone::row::softmax<>, hone::row::total<0, hone::row::coordinate<0>>>;
  static constexpr bool gradient_reads_coordinates = true;

  double beta;

  explicit confidence_penalty_term(double beta_) : beta(beta_) {}

  template <hone::operand V>
  struct result {
    V loss, rate, mean;
  };

  template <hone::operand V>
  HONE_HD result<V> finish(hone::row::normaliser<V> const& p, V total) const {
    const V mean = total * p.inverse;
    return {V(beta) * (mean - p.log_sum), V(beta) * p.inverse, mean};
  }
  template <hone::operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const& e) const {
    const V w = hone::row::weight(e);
    return r.rate * w * select(w == V(0), V(0), hone::row::coordinate_of(e) - r.mean);  // 0 where z is -inf
  }
};

static_assert(hone::row_term<confidence_penalty_term>);
// [/row_term]

// [corner_formula]
/// Smooth L1 on the corners of a box (Girshick 2015, arXiv 1504.08083). With d a difference of corners:
///   value  Σ d² / 2 where |d| < 1, |d| - 1/2 elsewhere        gradient  d, limited to [-1, 1]
struct smooth_l1_formula {
  template <hone::operand V>
  HONE_HD hone::box_grad<V> operator()(hone::box<V> const& predicted, hone::box<V> const& target) const {
    const V a = predicted.x1 - target.x1, b = predicted.y1 - target.y1;
    const V c = predicted.x2 - target.x2, d = predicted.y2 - target.y2;
    return {part(a) + part(b) + part(c) + part(d), {slope(a), slope(b), slope(c), slope(d)}};
  }

 private:
  template <hone::operand V>
  HONE_HD static V slope(V d) {
    return max(min(d, V(1)), V(-1));
  }
  template <hone::operand V>
  HONE_HD static V part(V d) {
    return slope(d) * (d - V(0.5) * slope(d));
  }
};

/// Boxes as every box loss of hone takes them.
template <class Boxes, class Format = hone::corners_format>
auto smooth_l1_loss(Boxes boxes, Format format = {}) {
  return hone::extend::box_loss(smooth_l1_formula(), format, boxes);
}

static_assert(hone::corner_formula<smooth_l1_formula>);
// [/corner_formula]

// [target]
/// Labels of annotators who are right with a probability that is known for each row: q = c one_hot + (1 - c) / K.
template <class Label>
struct trusted_labels {
  static constexpr int labels = 1, dense_parts = 0;
  static constexpr bool has_uniform = true;

  hone::classes_target<Label> inner;
  hone::numbers trust;  // c, one per row

  HONE_HD bool ignoring() const { return inner.ignoring(); }
  HONE_HD bool ignores(hone::index i) const { return inner.ignores(i); }
  HONE_HD bool labels_fit(hone::index i, hone::index columns) const { return inner.labels_fit(i, columns); }
  HONE_HD double label_weight(hone::index i, hone::numbers w) const { return inner.label_weight(i, w); }
  HONE_HD auto dense_views() const { return inner.dense_views(); }
  trusted_labels of_rows(hone::index first, hone::index count) const {  // for linear_logits on CUDA
    return {inner.of_rows(first, count), trust.part(first, count)};
  }

  template <class Number, class Sink>
  HONE_HD void visit(hone::index i, hone::index columns, Number scale, Sink& sink) const {
    const Number c = trust.as<Number>(i);
    inner.visit(i, columns, scale * c, sink);
    sink.uniform(scale * (Number(1) - c) / static_cast<Number>(columns));
  }
  template <class See>
  void each_input(See const& see) const {  // so that outputs may not overlap them
    inner.each_input(see);
    see("trust", hone::extend::footprint_of(trust));
  }
  void check_shape(hone::index rows, hone::index columns) const {
    inner.check_shape(rows, columns);
    if (trust.size() != rows) hone::extend::fail("evaluate: %jd trusts for %jd rows", trust.size(), rows);
  }
  void check_values(hone::index rows, hone::index columns) const {
    inner.check_values(rows, columns);
    for (hone::index i = 0; i < rows; ++i)
      hone::extend::require(trust[i] >= 0 && trust[i] <= 1, "evaluate", "a trust", trust[i], "in [0, 1]");
  }
};

static_assert(hone::row_target<trusted_labels<int>> && hone::rowwise_target<trusted_labels<int>>);
// [/target]

// [schedule]
/// Triangles between two rates (Smith 2017, arXiv 1506.01186): up for half a period, and down again.
struct triangular {
  double low = 1e-4, high = 1e-2;
  hone::integer period = 2000;

  HONE_HD double rate(hone::integer step) const {
    const double at = static_cast<double>(step.value % period.value) / static_cast<double>(period.value);
    return low + (high - low) * (1 - std::abs(2 * at - 1));
  }
};

static_assert(hone::schedule<triangular>);
// [/schedule]

// [average]
/// The mean of the first `means` updates, then an exponential average.
struct mean_then_ema {
  double decay = 0.999;
  hone::integer means = 100;

  HONE_HD hone::average_step at(hone::integer n) const {
    return {n.value <= means.value ? 1 / static_cast<double>(n.value) : 1 - decay};
  }
};

static_assert(hone::averaging<mean_then_ema>);
// [/average]

// [step]
/// AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101) with the factor of a clipped gradient, and an average of the
/// parameters, in one pass.
struct adamw_and_average {
  double rate, first, second, epsilon, decay, correction1, correction2;  // corrections: 1 - first^n, 1 - second^n
  double factor, weight;                                                 // of the gradients; of the average

  template <hone::operand V>
  HONE_HD void operator()(V& p, V& m, V& v, V& shadow, V const& gradient) const {
    const V g = V(factor) * gradient;
    m += V(1 - first) * (g - m);
    v += V(1 - second) * (g * g - v);
    p -= V(rate) * (m / V(correction1) / (sqrt(v / V(correction2)) + V(epsilon)) + V(decay) * p);
    shadow += V(weight) * (p - shadow);
  }
};
// [/step]

// [update]
/// SGD with momentum, which hone::step gives gradients that are unscaled and clipped.
struct sgd {
  double rate, momentum;

  template <hone::operand V>
  HONE_HD void operator()(V const& g, V& p, V& m) const {
    m = V(momentum) * m + g;
    p -= V(rate) * m;
  }
};
// [/update]

}  // namespace own
