// SPDX-License-Identifier: MIT
/// Non-maximum suppression: the options and checks of a call, and the order of the rows.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/numbers.hpp>
#include <hone/core/overlap.hpp>
#include <hone/core/view.hpp>
#include <hone/core/view_check.hpp>
#include <hone/detect/suppression.hpp>
#include <hone/loss/box/box_number.hpp>
#include <hone/loss/box/pairwise.hpp>

#include <cstdint>
#include <limits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct nms_options {
  real threshold = 0.5;  ///< in [0, 1]: suppresses a row whose overlap with a kept row is larger
  real score_threshold = -std::numeric_limits<double>::infinity();  ///< considers only rows with a larger score
  integer most = std::numeric_limits<index>::max();                 ///< maximum number of kept rows per image
  integer most_per_class = std::numeric_limits<index>::max();       ///< and per class of an image, in batched_nms
};

namespace detail {

/// Tests the bits, so that -ffast-math cannot remove the test.
HONE_HD inline bool is_nan(double x) noexcept { return __builtin_bit_cast(std::uint64_t, x) << 1 > 0x7ffULL << 53; }

/// Returns a number above 0 that is larger for a larger x, and equal for both zeros. x must not be NaN.
HONE_HD inline std::uint64_t order_of(double x) noexcept {
  constexpr std::uint64_t sign = 1ULL << 63;
  const auto bits = __builtin_bit_cast(std::uint64_t, x);
  return bits == sign ? sign : (bits & sign) != 0 ? ~bits : bits | sign;
}

/// Returns order_of(score), or 0 if the row is not considered: its box or score is NaN, or its score is <= `threshold`.
template <class A>
HONE_HD std::uint64_t rank_key(double score, double threshold, A const (&box)[4]) noexcept {
  const bool comparable = !is_nan(box[0]) && !is_nan(box[1]) && !is_nan(box[2]) && !is_nan(box[3]) && !is_nan(score);
  return comparable && order_of(threshold) < order_of(score) ? order_of(score) : 0;
}

template <class T>
inline constexpr bool is_boxes = false;
template <class T>
inline constexpr bool is_boxes<matrix_view<T>> = box_number<std::remove_const_t<T>>;

/// Numbers at a constant stride.
template <element S>
struct score_column {
  S const* data;
  index count, stride;

  index size() const noexcept { return count; }
  HONE_HD double operator[](index i) const noexcept {
    return static_cast<double>(static_cast<accumulator_t<S>>(data[i * stride]));
  }
};

template <element S>
footprint footprint_of(score_column<S> const& scores) noexcept {
  return footprint_of(matrix_view<S const>(scores.data, scores.count, 1, scores.stride));
}

/// Scores are a contiguous range, or one column of a matrix.
template <class Scores>
concept score_range = contiguous<Scores const&> && element<number_in<Scores const&>>;
template <class Scores>
inline constexpr bool is_score_matrix = false;
template <class S>
inline constexpr bool is_score_matrix<matrix_view<S>> = element<std::remove_const_t<S>>;
template <class Scores>
concept nms_scores = std::constructible_from<numbers, Scores const&> || score_range<Scores> || is_score_matrix<Scores>;

template <nms_scores Scores>
auto scores_of(const char* function, Scores const& scores) {
  if constexpr (is_score_matrix<Scores>) {
    if (scores.rows < 0 || scores.columns != 1)
      fail("%s: scores is %jd x %jd, must be one column", function, std::intmax_t(scores.rows),
           std::intmax_t(scores.columns));
    require_memory(function, "scores", scores);
    return score_column<number_of<Scores>>{scores.data, scores.rows, scores.row_stride};
  } else if constexpr (std::constructible_from<numbers, Scores const&>) {
    return numbers(scores);
  } else {
    return score_column<number_in<Scores const&>>{data_of(scores), count_of(scores), 1};
  }
}

/// The compile-time checks of every suppression.
template <class Boxes, class Scores, class Format>
constexpr void require_detections() {
  static_assert(is_boxes<Boxes>,
                "nms: the boxes must be a hone::matrix_view of float, double, or a 16-bit floating-point type, or of "
                "integers");
  static_assert(nms_scores<Scores>,
                "nms: the scores must be a std::vector or std::span of float or double, or of a 16-bit floating-point "
                "type, or a hone::matrix_view of one column of these");
  static_assert(box_format<Format>, "nms: the format must be hone::corners, hone::centers or hone::top_left");
}
template <class Boxes, class Scores, class Format, class Classes>
constexpr void require_detections() {
  require_detections<Boxes, Scores, Format>();
  static_assert(contiguous_integers<Classes const&>, "nms: the classes must be a std::vector or std::span of integers");
}
template <class Boxes, class Scores, class Format, class Classes, class Images>
constexpr void require_detections() {
  require_detections<Boxes, Scores, Format, Classes>();
  static_assert(contiguous_integers<Images const&>, "nms: the images must be a std::vector or std::span of integers");
}

inline void require_nms(const char* function, nms_options const& options) {
  require(options.threshold >= 0 && options.threshold <= 1, function, "threshold", options.threshold.value,
          "in [0, 1]");
  require(!is_nan(options.score_threshold), function, "score_threshold", options.score_threshold.value, "a number");
  require(options.most >= 0, function, "most", options.most.value, "at least 0");
  require(options.most_per_class >= 0, function, "most_per_class", options.most_per_class.value, "at least 0");
}

/// Checks that there is one number per box; `of` is the plural noun in the error message.
inline void require_one_per_box(const char* function, index count, const char* of, index boxes) {
  if (count != boxes) fail("%s: %jd %s for %jd boxes", function, std::intmax_t(count), of, std::intmax_t(boxes));
}

template <class T, class Scores>
void require_nms(const char* function, matrix_view<const T> boxes, Scores const& scores, nms_options const& options) {
  require_boxes(function, "boxes", boxes);
  require_one_per_box(function, scores.size(), "scores", boxes.rows);
  require_nms(function, options);
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
