// SPDX-License-Identifier: MIT
/// Label-distribution-aware margins: larger margins for rarer classes.
#pragma once

#include <hone/core/overlap.hpp>
#include <hone/loss/row/term.hpp>
#include <hone/target/classes.hpp>

#include <cmath>
#include <span>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct ldam_options {
  real scale = 30;  ///< s, the factor of the logits; in (0, 1e6]
};

/// With y the label, Δ the margin of its class and a = s (z_y - Δ) - log Σ_{c≠y} exp(s z_c):
///   value     log(1 + exp(-a))
///   gradient  -s σ(-a) for y,  s σ(-a) u_c for c ≠ y, with u the softmax of s z over the classes except y
template <class Label>
struct ldam_term : row_term_base {
  using statistics = row::list<row::tempered<row::logits, row::unlabelled>, row::number>;
  using later_sweep = row::sweep<1, row::labelled>;  // the label's logit minus the maximum of the others

  classes_target<Label> target;
  numbers margins;
  double temperature;  // 1 / s

  ldam_term(classes_target<Label> target_, numbers margins_, double temperature_)
      : target(target_), margins(margins_), temperature(temperature_) {}

  template <operand V>
  struct sums {
    V others, margin;
  };
  template <operand V>
  struct result {
    V loss, label, rate;
  };

  template <class See>
  void each_input(See const& see) const {
    see("ldam_loss margins", detail::footprint_of(margins));
  }
  void check_shape(index, index columns) const { detail::require_size(margins, columns, "ldam_loss margin", "class"); }
  void check_values(index, index) const {
    detail::require_values(margins, "ldam_loss margin", "class", detail::finite, "finite");
  }
  ldam_term of_rows(index, index) const { return *this; }  // beside its target it has numbers of classes alone
  /// Returns the margin of the row's label, or 0 if the label is not a class.
  HONE_HD double row_number(index i) const {
    return target.labels_fit(i, margins.size()) ? margins[target.label(i)] : 0;
  }

  template <operand V>
  HONE_HD sums<V> start(row::exponentials<V> const& others, V margin) const {
    return {others.sum, margin};
  }
  template <operand V, class E>
  HONE_HD bundle<V, 1> later(sums<V> const&, E const& e) const {
    return {{select(row::target_of(e) == V(0), V(0), row::coordinate_of(e))}};
  }
  template <operand V>
  HONE_HD result<V> finish(sums<V> const& s, bundle<V, 1> const& label) const {
    const V a = (label[0] - s.margin) * V(1 / temperature) - log(s.others), none(0), one(1);
    const V e = exp_of_nonpositive(max(-abs(a), V(-1e4)));
    const V slope = V(1 / temperature) * (select(a < none, one, e) / (one + e));  // s σ(-a)
    return {max(-a, none) + log1p_of_unit(e), -slope, slope / select(s.others == none, one, s.others)};
  }
  template <operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const& e) const {
    return select(row::target_of(e) == V(0), r.rate * row::weight(e), r.label);
  }
};

/// Cross entropy of s z after margin[y] is subtracted from the label's logit (Cao et al. 2019, arXiv 1906.07413). Takes
/// hone::classes(labels) and a view of one finite margin per class, float or double: see ldam_margins. s is in
/// (0, 1e6]. The authors normalise features and weights, so that logits are in [-1, 1].
template <class Target, class Margins>
auto ldam_loss(Target target, Margins&& margins, ldam_options options = {}) {
  static_assert(detail::is_classes<Target>, "ldam_loss: the first argument must be hone::classes(labels)");
  static_assert(detail::makes_numbers<Margins>,
                "ldam_loss: the margins must be a std::vector or std::span of float or double, one per class");
  const double scale = options.scale;
  detail::require(scale > 0 && scale <= 1e6, "ldam_loss", "scale", scale, "in (0, 1e6]");
  return ldam_term(target, numbers(static_cast<Margins&&>(margins)), 1 / scale);
}

/// Returns the paper's margins: n^(-1/4) of each class's count n > 0, scaled so that the rarest class has `largest`.
inline std::vector<double> ldam_margins(std::span<const double> counts, real largest = 0.5) {
  detail::require_positive("ldam_margins", "largest", largest);
  std::vector<double> margins;
  double maximum = 0;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    if (!(counts[c] > 0 && detail::finite(counts[c])))
      detail::fail("ldam_margins: the count of class %zu is %.9g, must be finite and positive", c, counts[c]);
    margins.push_back(std::pow(counts[c], -0.25));
    maximum = margins.back() > maximum ? margins.back() : maximum;
  }
  for (double& m : margins) m *= largest / maximum;
  return margins;
}

static_assert(row_term<ldam_term<int>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
