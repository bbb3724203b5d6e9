// SPDX-License-Identifier: MIT
/// Lovász-Softmax: the convex extension of the Jaccard loss of the classes of images.
#pragma once

#include <hone/loss/region/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct lovasz_softmax_options {
  bool per_image = false;                           ///< one loss per image, and their mean; otherwise one for the batch
  absent_classes absent = absent_classes::skipped;  ///< counted: the loss of an absent class is its largest error
  numbers weights = {};                             ///< one per class, finite, >= 0; a class of weight 0 is left out
};

/// The factor g of an error. Errors are in descending order; with G pixels of the class, F and B of them and of the
/// others among the first k, the Jaccard loss of the first k errors is 1 - (G - F) / (G + B), and g is its increase by
/// this error. F and B are `found` and `others`, without the pixel itself.
HONE_HD inline double lovasz_factor(double of_class, double found, double others, bool is_of_class) noexcept {
  const double whole = of_class + others, first = others == 0 ? 1 : 0;
  const double above = is_of_class ? 1 : of_class == 0 ? first : of_class - found;
  return above / (is_of_class ? whole : of_class == 0 ? 1 : whole * (whole + 1));
}

/// The loss of a class, which a backend puts in place of Σ p q, and its class number.
struct lovasz_formula {
  HONE_HD region_loss<double> operator()(region_sums<double> const& s) const { return {s.both, 0, 1}; }
};

/// A region loss whose derivative by p differs from pixel to pixel: a backend stores it, and with_slopes is the term of
/// the rows that reads it. This term itself adds nothing.
template <class Target>
struct lovasz_softmax_term : region_rows_base {
  using statistics = row::list<row::softmax<>>;
  static constexpr bool sorts_pixels = true;

  Target target;
  lovasz_formula formula = {};
  // Of the backend: the derivatives of the errors, in the prediction's layout, and a number per class that multiplies
  // them.
  void const* slopes = nullptr;
  row::class_table table = {};

  lovasz_softmax_term(Target target_, region_policy policy_) : region_rows_base(policy_), target(target_) {}

  template <operand V>
  struct result {
    V loss;
  };
  template <operand V>
  HONE_HD result<V> finish(row::normaliser<V> const&) const {
    return {V(0)};
  }
  template <operand V, class E>
  HONE_HD V gradient(result<V> const&, E const&) const {
    return V(0);
  }
};

namespace detail {

/// The rows of a region loss with a derivative per pixel. `teacher` is a view of these derivatives by p, each to be
/// multiplied by the class number.
template <class Target, class View>
struct with_slopes : row_term_base {
  using statistics = row::list<row::softmax<>>;
  using later_sweep = row::sweep<1>;  // Σ p a
  static constexpr int class_numbers = 1;

  Target target;
  View teacher;
  row::class_table table;

  with_slopes(Target target_, View slopes, row::class_table table_) : target(target_), teacher(slopes), table(table_) {}

  template <operand V>
  struct result {
    V loss, inverse, mean;
  };

  template <operand V, class E>
  HONE_HD bundle<V, 1> later(row::normaliser<V> const& softmax, E const& e) const {
    return {{row::weight(e) * softmax.inverse * slope(e)}};
  }
  template <operand V>
  HONE_HD result<V> finish(row::normaliser<V> const& softmax, bundle<V, 1> const& total) const {
    return {V(0), softmax.inverse, total[0]};
  }
  template <operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const& e) const {
    return row::weight(e) * r.inverse * (slope(e) - r.mean);
  }

 private:
  /// Returns the derivative by p. It is infinite behind the last class, where the weight is 0.
  template <class E>
  HONE_HD static auto slope(E const& e) {
    return row::class_number<0>(e) * zero_where(row::weight(e) == typename E::number(0), e.teacher);
  }
};

}  // namespace detail

/// Sorts the errors m = 1 - p of the pixels of a class and p of the others, for every class (Berman et al. 2018, arXiv
/// 1705.08790):
///   value     mean over the classes of weight Σ m g, g as in lovasz_factor, m in descending order
///   gradient  that of m with constant g; equal errors are in the order of the pixels
/// Pixels that are ignored are left out. The value does not depend on the reduction. Takes hone::classes(labels), and
/// no weigh_rows. The derivatives, one number per pixel and class, are in scratch memory or workspace.
template <class Target>
auto lovasz_softmax_loss(Target target, lovasz_softmax_options const& options = {}) {
  static_assert(detail::is_classes<Target>, "lovasz_softmax_loss: the argument must be hone::classes(labels)");
  if constexpr (detail::is_classes<Target>) {
    return lovasz_softmax_term(target, {false, options.per_image, options.absent, options.weights});
  } else {
    return detail::no_region_loss({}, {}, {});
  }
}

static_assert(row_term<lovasz_softmax_term<classes_target<int>>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
