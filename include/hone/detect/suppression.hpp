// SPDX-License-Identifier: MIT
/// A box suppresses another if their overlap, rounded to the nearest number of the arithmetic, is above the threshold,
/// rounded in the same way. So an overlap of 7/10 is not above 0.7, although 0.7 is not a binary number.
#pragma once

#include <hone/loss/box/box_pair.hpp>

#include <cmath>
#include <limits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// A threshold in [0, 1] as a number of A, and half the distance to the next number of A above it. A threshold that
/// rounds to 1 is replaced by 2, which no overlap exceeds, however areas are rounded.
template <class A>
struct overlap_threshold {
  double value, half_step;

  explicit overlap_threshold(double threshold) : value(static_cast<double>(static_cast<A>(threshold))) {
    if (!(value < 1)) value = 2;
    half_step = 0.5 * (static_cast<double>(std::nextafter(static_cast<A>(value), A(4))) - value);
  }

  /// Whether the number of A nearest to n/d is above the threshold: n > (value + half_step) d. In cases of doubt, n -
  /// value · d has few digits, and the fused product loses none of them. A quotient of two numbers of A never lies
  /// halfway between two others.
  HONE_HD bool below(double n, double d) const noexcept { return half_step * d < std::fma(-value, d, n); }
};

/// A rule has three functions. may(b) is true for every pair whose overlap is above the threshold; must(b) is true for
/// no other pair. Both compare products of a few rounded lengths, on any operand. For the few pairs in between, does(b)
/// decides: in double, so that the areas of float boxes are exact and every backend gives the same result.
///
/// IoU > t, with the products I > t U.
template <class A>
class iou_exceeds {
  static constexpr double band = 4 * static_cast<double>(std::numeric_limits<A>::epsilon());  // t U and I: 5 roundings

 public:
  explicit iou_exceeds(double threshold)
      : t_(threshold), low_(static_cast<A>(t_.value * (1 - band))), high_(static_cast<A>(t_.value * (1 + band))) {}

  template <operand V, class Format>
  HONE_HD auto may(box_pair<V, Format> const& b) const noexcept {
    return V(low_) * b.union_area < b.intersection;
  }
  template <operand V, class Format>
  HONE_HD auto must(box_pair<V, Format> const& b) const noexcept {
    return V(high_) * b.union_area < b.intersection;
  }
  template <class Format>
  HONE_HD bool does(box_pair<A, Format> const& b) const noexcept {
    const double both = double(b.x.overlap) * double(b.y.overlap);
    return t_.below(both, double(b.x.side) * double(b.y.side) + (double(b.x.target) * double(b.y.target) - both));
  }

 private:
  overlap_threshold<A> t_;
  A low_, high_;
};

/// DIoU = IoU - ρ²/c² > t (Zheng et al. 2020, arXiv 1911.08287), multiplied by U c²: (I - t U) c² > ρ² U. No product of
/// four lengths overflows.
template <class A>
class diou_exceeds {
  static constexpr double band =
      8 * static_cast<double>(std::numeric_limits<A>::epsilon());  // of U c², about 12 roundings

 public:
  explicit diou_exceeds(double threshold)
      : t_(threshold), low_(static_cast<A>(t_.value - band)), high_(static_cast<A>(t_.value + band)) {}

  template <operand V, class Format>
  HONE_HD auto may(box_pair<V, Format> const& b) const noexcept {
    return above(b, V(low_));
  }
  template <operand V, class Format>
  HONE_HD auto must(box_pair<V, Format> const& b) const noexcept {
    return above(b, V(high_));
  }
  template <class Format>
  HONE_HD bool does(box_pair<A, Format> const& b) const noexcept {
    const double both = double(b.x.overlap) * double(b.y.overlap);
    const double union_area = double(b.x.side) * double(b.y.side) + (double(b.x.target) * double(b.y.target) - both);
    const double diagonal = square(b.x.hull) + square(b.y.hull), distance = square(b.x.offset) + square(b.y.offset);
    return t_.below(std::fma(both, diagonal, -distance * union_area), union_area * diagonal);
  }

 private:
  template <operand V, class Format>
  HONE_HD static auto above(box_pair<V, Format> const& b, V t) noexcept {
    const V diagonal = b.x.hull * b.x.hull + b.y.hull * b.y.hull;
    const V distance = b.x.offset * b.x.offset + b.y.offset * b.y.offset;
    return distance * b.union_area < (b.intersection - t * b.union_area) * diagonal;
  }
  HONE_HD static double square(A x) noexcept { return double(x) * double(x); }

  overlap_threshold<A> t_;
  A low_, high_;
};

/// Evaluates a rule on one pair.
template <class Rule, class A, class Format>
HONE_HD bool exceeds(Rule const& rule, box_pair<A, Format> const& b) noexcept {
  return rule.must(b) || (rule.may(b) && rule.does(b));
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
