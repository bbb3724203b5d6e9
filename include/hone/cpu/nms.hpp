// SPDX-License-Identifier: MIT
/// Non-maximum suppression on the CPU. Candidates come by falling score and are held against the boxes kept so far: a
/// tile of them by all threads against what earlier tiles kept, then one after the other against the tile's own.
#pragma once

#include <hone/cpu/backend.hpp>
#include <hone/cpu/convert.hpp>
#include <hone/cpu/kept_boxes.hpp>
#include <hone/detect/nms.hpp>

#include <algorithm>
#include <vector>

namespace hone {

namespace on_cpu {

struct nms_candidate {
  index group;        // those of other groups suppress nothing of this one
  std::uint64_t key;  // order of the score
  index row;

  bool before(nms_candidate const& b) const noexcept { return key != b.key ? key > b.key : row < b.row; }
};

template <class Exceeds, class A>
class nms_group {
  static constexpr index tile = 256;
  static constexpr index pairs_of_chunk = 32768;  // some ten microseconds of work

 public:
  static std::size_t bytes(index boxes) noexcept {
    return carver::room_for<box<A>>(static_cast<std::size_t>(boxes)) + kept_boxes<A>::bytes(boxes);
  }

  nms_group(std::byte* memory, index boxes, A threshold) noexcept
      : pieces_(memory),
        boxes_(pieces_.take<box<A>>(static_cast<std::size_t>(boxes))),
        kept_(pieces_, boxes),
        threshold_(threshold) {}

  /// Calls take(i) for every candidate i in [0, count) that is kept, `most` at most. boxes(i) is its box.
  template <class Boxes, class Take>
  void run(cpu const& backend, index count, index most, Boxes const& boxes, Take const& take) {
    kept_.clear();
    for (index i = 0; i < count; ++i) boxes_[i] = boxes(i);
    for (index begin = 0; begin < count && kept_.size() < most; begin += tile) {
      const index end = std::min(begin + tile, count), first = kept_.size();
      bool out[tile];
      const index per = std::clamp<index>(pairs_of_chunk / std::max<index>(first, 1), 8, tile);
      for_chunks(backend, (end - begin + per - 1) / per, 0, [&](index chunk, std::byte*) {
        const index from = begin + chunk * per, to = std::min(from + per, end);
        for (index i = from; i < to; ++i) out[i - begin] = suppressed(i, 0);
      });
      for (index i = begin; i < end && kept_.size() < most; ++i) {
        if (out[i - begin] || suppressed(i, first)) continue;
        kept_.add(boxes_[i]);
        take(i);
      }
    }
  }

 private:
  bool suppressed(index i, index first) const noexcept {
    return kept_.suppress(boxes_[i], first, Exceeds{}, threshold_);
  }

  carver pieces_;
  box<A>* boxes_;
  kept_boxes<A> kept_;
  A threshold_;
};

/// group_of(row): within what a row may be suppressed.
template <class Exceeds, class T, class GroupOf>
std::vector<index> suppress(cpu const& backend, matrix_view<const T> boxes, numbers scores, nms_options const& options,
                            GroupOf const& group_of) {
  using A = accumulator_t<T>;
  const auto numbers_of = [&](index row, A(&to)[4]) { convert(boxes.row(row), to, 4); };
  std::vector<nms_candidate> all;
  all.reserve(static_cast<std::size_t>(boxes.rows));
  for (index i = 0; i < boxes.rows; ++i) {
    A b[4];
    numbers_of(i, b);
    const std::uint64_t key = detail::rank_key(scores[i], options.score_threshold, b);
    if (key != 0) all.push_back({group_of(i), key, i});
  }
  std::sort(all.begin(), all.end(), [](nms_candidate const& a, nms_candidate const& b) {
    return a.group != b.group ? a.group < b.group : a.before(b);
  });

  using group_type = nms_group<Exceeds, A>;
  const auto count = static_cast<index>(all.size());
  group_type one(scratch<scratch_for::detections>(group_type::bytes(count)), count,
                 static_cast<A>(detail::threshold_of(options)));
  auto kept = all.begin();  // the kept ones move to the front
  for (auto begin = all.begin(); begin != all.end();) {
    const auto end = std::find_if(begin, all.end(), [&](nms_candidate const& c) { return c.group != begin->group; });
    one.run(
        backend, end - begin, options.most,
        [&](index i) {
          A b[4];
          numbers_of(begin[i].row, b);
          return corners_format::corners_of(b);
        },
        [&](index i) { *kept++ = begin[i]; });
    begin = end;
  }
  std::sort(all.begin(), kept, [](nms_candidate const& a, nms_candidate const& b) { return a.before(b); });
  std::vector<index> rows(static_cast<std::size_t>(std::min<index>(kept - all.begin(), options.most)));
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = all[i].row;
  return rows;
}

template <class Exceeds, class Boxes, class Scores>
std::vector<index> suppress_all(cpu const& backend, const char* function, Boxes const& view, Scores const& of_rows,
                                nms_options const& options) {
  const matrix_view<detail::number_of<Boxes> const> boxes(view);
  const numbers scores(of_rows);
  detail::require_nms(function, boxes, scores, options);
  return suppress<Exceeds>(backend, boxes, scores, options, [](index) { return index(0); });
}
template <class Exceeds, class Boxes, class Scores, class Classes>
std::vector<index> suppress_by_class(cpu const& backend, const char* function, Boxes const& view, Scores const& of_rows,
                                     Classes const& classes, nms_options const& options) {
  const matrix_view<detail::number_of<Boxes> const> boxes(view);
  const numbers scores(of_rows);
  detail::require_nms(function, boxes, scores, options);
  detail::require_one_per_box(function, static_cast<index>(std::ranges::size(classes)), "classes", boxes.rows);
  return suppress<Exceeds>(backend, boxes, scores, options,
                           [c = std::ranges::data(classes)](index row) { return static_cast<index>(c[row]); });
}

}  // namespace on_cpu

/// The rows of the boxes that greedy suppression keeps, by falling score; of equal scores the lower row first. A row is
/// suppressed where its IoU with a kept one, of a higher score, is above the threshold.
///
///     const std::vector<hone::index> kept = hone::nms(cpu, boxes, scores, {.threshold = 0.5});
///
/// boxes: n x 4 corners, coordinates beyond 2^30 and inverted boxes as in hone::corners: a box without area overlaps
/// nothing. scores: n, float or double. A row takes no part, neither kept nor suppressing, where NaN is in its box or
/// score, or its score is not above .score_threshold, so -inf marks a row that is none.
/// Throws hone::invalid_argument where a shape, a size or an option does not fit.
template <class Boxes, class Scores>
std::vector<index> nms(cpu const& backend, Boxes const& boxes, Scores const& scores, nms_options options = {}) {
  detail::require_detections<Boxes, Scores>();
  return on_cpu::suppress_all<detail::iou_exceeds>(backend, "nms", boxes, scores, options);
}
/// The same within each class alone: classes are n integers of any type and value. `.most` counts all classes.
template <class Boxes, class Scores, class Classes>
std::vector<index> batched_nms(cpu const& backend, Boxes const& boxes, Scores const& scores, Classes const& classes,
                               nms_options options = {}) {
  detail::require_detections<Boxes, Scores, Classes>();
  return on_cpu::suppress_by_class<detail::iou_exceeds>(backend, "batched_nms", boxes, scores, classes, options);
}
/// nms with DIoU in the place of IoU: boxes that overlap around different centres stay.
template <class Boxes, class Scores>
std::vector<index> diou_nms(cpu const& backend, Boxes const& boxes, Scores const& scores, nms_options options = {}) {
  detail::require_detections<Boxes, Scores>();
  return on_cpu::suppress_all<detail::diou_exceeds>(backend, "diou_nms", boxes, scores, options);
}
/// batched_nms with DIoU in the place of IoU.
template <class Boxes, class Scores, class Classes>
std::vector<index> batched_diou_nms(cpu const& backend, Boxes const& boxes, Scores const& scores,
                                    Classes const& classes, nms_options options = {}) {
  detail::require_detections<Boxes, Scores, Classes>();
  return on_cpu::suppress_by_class<detail::diou_exceeds>(backend, "batched_diou_nms", boxes, scores, classes, options);
}

}  // namespace hone
