// SPDX-License-Identifier: MIT
/// Non-maximum suppression: what a call may say, when one box suppresses another, and in which order rows come.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/numbers.hpp>
#include <hone/core/view.hpp>
#include <hone/loss/box/box_pair.hpp>
#include <hone/loss/box/pairwise.hpp>

#include <cstdint>
#include <limits>

namespace hone {

struct nms_options {
  real threshold = 0.5;  ///< a row goes where it overlaps a kept one by more; in [0, 1]
  real score_threshold = -std::numeric_limits<double>::infinity();  ///< only rows with a score above it take part
  integer most = std::numeric_limits<index>::max();                 ///< at most so many rows are kept
};

namespace detail {

/// IoU > t, without division: I > t U. Exact where areas and t U are.
struct iou_exceeds {
  template <operand V>
  HONE_HD auto operator()(box_pair<V> const& b, V t) const noexcept {
    return t * b.whole < b.intersection;
  }
};

/// DIoU = IoU - ρ²/c² > t (Zheng et al. 2020, arXiv 1911.08287), times U c². No product of four lengths overflows.
struct diou_exceeds {
  template <operand V>
  HONE_HD auto operator()(box_pair<V> const& b, V t) const noexcept {
    const V diagonal = b.x.hull * b.x.hull + b.y.hull * b.y.hull;
    const V distance = b.x.offset * b.x.offset + b.y.offset * b.y.offset;
    return distance * b.whole < (b.intersection - t * b.whole) * diagonal;
  }
};

/// The threshold of the arithmetic. No overlap exceeds 1, but a rounded area of what one or the other box covers may be
/// an ulp less than that of what both cover.
inline double threshold_of(nms_options const& options) noexcept {
  return options.threshold < 1 ? options.threshold.value : 2;
}

/// By its bits, so that -ffast-math cannot fold it away.
HONE_HD inline bool is_nan(double x) noexcept { return __builtin_bit_cast(std::uint64_t, x) << 1 > 0x7ffULL << 53; }

/// Above 0, larger for a larger number, and the same for both zeros. x is not NaN.
HONE_HD inline std::uint64_t order_of(double x) noexcept {
  constexpr std::uint64_t sign = 1ULL << 63;
  const auto bits = __builtin_bit_cast(std::uint64_t, x);
  return bits == sign ? sign : (bits & sign) != 0 ? ~bits : bits | sign;
}

/// The order of a score, 0 where the row takes no part: NaN is in it, or its score is not above the least.
template <class A>
HONE_HD std::uint64_t rank_key(double score, double least, A const (&box)[4]) noexcept {
  const bool whole = !is_nan(box[0]) && !is_nan(box[1]) && !is_nan(box[2]) && !is_nan(box[3]) && !is_nan(score);
  return whole && order_of(least) < order_of(score) ? order_of(score) : 0;
}

template <class T>
inline constexpr bool is_boxes = false;
template <class T>
inline constexpr bool is_boxes<matrix_view<T>> = element<std::remove_const_t<T>>;

template <class T>
concept class_numbers = std::ranges::contiguous_range<T const&> && std::integral<std::ranges::range_value_t<T const&>>;

/// What every suppression says of arguments that it cannot take.
template <class Boxes, class Scores>
constexpr void require_detections() {
  static_assert(is_boxes<Boxes>,
                "nms: the boxes must be a hone::matrix_view of float, double, or a 16-bit floating-point type");
  static_assert(std::constructible_from<numbers, Scores const&>,
                "nms: the scores must be a std::vector or std::span of float or double");
}
template <class Boxes, class Scores, class Classes>
constexpr void require_detections() {
  require_detections<Boxes, Scores>();
  static_assert(class_numbers<Classes>, "nms: the classes must be a std::vector or std::span of integers");
}

inline void require_nms(const char* function, nms_options const& options) {
  require(options.threshold >= 0 && options.threshold <= 1, function, "threshold", options.threshold.value,
          "in [0, 1]");
  require(!is_nan(options.score_threshold), function, "score_threshold", options.score_threshold.value, "a number");
  require(options.most >= 0, function, "most", options.most.value, "at least 0");
}

/// `of` numbers, of which there must be one per box.
inline void require_one_per_box(const char* function, index given, const char* of, index boxes) {
  if (given != boxes) fail("%s: %jd %s for %jd boxes", function, std::intmax_t(given), of, std::intmax_t(boxes));
}

template <class T>
void require_nms(const char* function, matrix_view<const T> boxes, numbers scores, nms_options const& options) {
  require_boxes(function, "boxes", boxes);
  require_one_per_box(function, scores.size(), "scores", boxes.rows);
  require_nms(function, options);
}

}  // namespace detail
}  // namespace hone
