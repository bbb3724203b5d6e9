// SPDX-License-Identifier: MIT
/// Non-maximum suppression on the CPU. Candidates are processed in order of decreasing score, 256 at a time. All
/// threads compare the tile with boxes kept from earlier tiles; then one thread resolves suppression inside the tile.
#pragma once

#include <hone/cpu/boxes/kept_boxes.hpp>
#include <hone/cpu/memory/convert.hpp>
#include <hone/cpu/run/backend.hpp>
#include <hone/detect/nms.hpp>

#include <algorithm>
#include <utility>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cpu {

/// A row that may be kept. It can suppress only rows of its own group: a class, or a class of one image.
template <class Group>
struct nms_candidate {
  Group group;
  std::uint64_t key;  // the order of the score
  index row;

  bool before(nms_candidate const& b) const noexcept { return key != b.key ? key > b.key : row < b.row; }
};

using image_and_class = std::pair<index, index>;
inline index image_of(index) noexcept { return 0; }  // one image for all classes
inline index image_of(image_and_class group) noexcept { return group.first; }

template <class Rule, class A, class Format>
class nms_group {
  static constexpr index tile = 256;
  static constexpr index pairs_of_chunk = 32768;  // about ten microseconds of work

 public:
  static std::size_t bytes(index boxes) noexcept {
    return arena::room_for<box<A>>(static_cast<std::size_t>(boxes)) + kept_boxes<A, Format>::bytes(boxes);
  }

  nms_group(std::byte* memory, index boxes, double threshold) noexcept
      : pieces_(memory),
        boxes_(pieces_.take<box<A>>(static_cast<std::size_t>(boxes))),
        survivors_(pieces_, boxes),
        rule_(threshold) {}

  /// Calls take(i) for every candidate i in [0, count) that is kept, at most `most` times. boxes(i) returns its box.
  template <class Boxes, class Take>
  void run(cpu const& backend, index count, index limit, Boxes const& boxes, Take const& take) {
    survivors_.clear();
    for (index i = 0; i < count; ++i) boxes_[i] = boxes(i);
    for (index begin = 0; begin < count && survivors_.size() < limit; begin += tile) {
      const index end = std::min(begin + tile, count), first = survivors_.size();
      bool out[tile];
      const index per = std::clamp<index>(pairs_of_chunk / std::max<index>(first, 1), 8, tile);
      for_chunks(backend, (end - begin + per - 1) / per, 0, [&](index chunk, std::byte*) {
        const index from = begin + chunk * per, to = std::min(from + per, end);
        for (index i = from; i < to; ++i) out[i - begin] = suppressed(i, 0);
      });
      for (index i = begin; i < end && survivors_.size() < limit; ++i) {
        if (out[i - begin] || suppressed(i, first)) continue;
        survivors_.add(boxes_[i]);
        take(i);
      }
    }
  }

 private:
  bool suppressed(index i, index first) const noexcept { return survivors_.suppress(boxes_[i], first, rule_); }

  arena pieces_;
  box<A>* boxes_;
  kept_boxes<A, Format> survivors_;
  Rule rule_;
};

/// Returns the rows that are kept; a row can be suppressed only by rows with the same group_of(row).
template <template <class> class Rule, class T, class Scores, class Format, class GroupOf>
std::vector<index> suppress(cpu const& backend, matrix_view<const T> boxes, Scores const& scores,
                            nms_options const& options, Format, GroupOf const& group_of) {
  using A = detail::box_arithmetic<T>;
  using candidate = nms_candidate<decltype(group_of(0))>;
  const auto numbers_of = [&](index row, A(&to)[4]) { convert(boxes.row(row), to, 4); };
  std::vector<candidate> all;
  all.reserve(static_cast<std::size_t>(boxes.rows));
  for (index i = 0; i < boxes.rows; ++i) {
    A b[4];
    numbers_of(i, b);
    const std::uint64_t key = detail::rank_key(scores[i], options.score_threshold, b);
    if (key != 0) all.push_back({group_of(i), key, i});
  }
  std::sort(all.begin(), all.end(), [](candidate const& a, candidate const& b) {
    return a.group != b.group ? a.group < b.group : a.before(b);
  });

  using group_type = nms_group<Rule<A>, A, Format>;
  const auto count = static_cast<index>(all.size()), limit = std::min<index>(options.most, options.most_per_class);
  const scratch<scratch_for::detections> memory(group_type::bytes(count));
  group_type one(memory.data(), count, options.threshold);
  auto survivors_end = all.begin();  // kept candidates move to the front
  for (auto begin = all.begin(); begin != all.end();) {
    const auto end = std::find_if(begin, all.end(), [&](candidate const& c) { return c.group != begin->group; });
    candidate const* const group = &*begin;
    one.run(
        backend, end - begin, limit,
        [&](index i) {
          A b[4];
          numbers_of(group[i].row, b);
          return Format::numbers_of(b);
        },
        [&](index i) { *survivors_end++ = group[i]; });
    begin = end;
  }
  std::sort(all.begin(), survivors_end, [](candidate const& a, candidate const& b) {
    const index x = image_of(a.group), y = image_of(b.group);
    return x != y ? x < y : a.before(b);
  });
  std::vector<index> rows;
  rows.reserve(static_cast<std::size_t>(std::min<index>(survivors_end - all.begin(), options.most)));
  index image = 0, of_image = 0;
  for (auto c = all.begin(); c != survivors_end; ++c) {
    if (image_of(c->group) != image) image = image_of(c->group), of_image = 0;
    if (of_image++ < options.most) rows.push_back(c->row);
  }
  return rows;
}

template <template <class> class Rule, class Boxes, class Scores, class Format>
std::vector<index> suppress_all(cpu const& backend, const char* function, Boxes const& view, Scores const& of_rows,
                                nms_options const& options, Format format) {
  const matrix_view<detail::number_of<Boxes> const> boxes(view);
  const auto scores = detail::scores_of(function, of_rows);
  nms_options one_class = options;
  one_class.most_per_class = options.most;  // there are no classes here
  detail::require_nms(function, boxes, scores, options);
  return suppress<Rule>(backend, boxes, scores, one_class, format, [](index) { return index(0); });
}
template <template <class> class Rule, class Boxes, class Scores, class Format, class Classes, class... Images>
std::vector<index> suppress_by_class(cpu const& backend, const char* function, Boxes const& view, Scores const& of_rows,
                                     nms_options const& options, Format format, Classes const& classes,
                                     Images const&... images) {
  const matrix_view<detail::number_of<Boxes> const> boxes(view);
  const auto scores = detail::scores_of(function, of_rows);
  detail::require_nms(function, boxes, scores, options);
  detail::require_one_per_box(function, detail::count_of(classes), "classes", boxes.rows);
  (detail::require_one_per_box(function, detail::count_of(images), "images", boxes.rows), ...);
  const auto class_of = [c = detail::data_of(classes)](index row) { return static_cast<index>(c[row]); };
  if constexpr (sizeof...(Images) == 0)
    return suppress<Rule>(backend, boxes, scores, options, format, class_of);
  else
    return suppress<Rule>(backend, boxes, scores, options, format, [&](index row) {
      return image_and_class((static_cast<index>(detail::data_of(images)[row]), ...), class_of(row));
    });
}

}  // namespace on_cpu

/// Returns the rows of the boxes that greedy suppression keeps, by decreasing score, and by row if scores are equal. A
/// row is suppressed if its IoU with a kept row of a higher score is above the threshold. IoU and threshold are rounded
/// to the nearest number of the arithmetic, so that an IoU of 7/10 is not above 0.7.
///
///     const std::vector<hone::index> kept = hone::nms(cpu, boxes, scores, {.threshold = 0.5});
///
/// boxes: n x 4 in the format, by default corners; numbers of any type. Coordinates beyond 2^30 and inverted boxes are
/// treated as in hone::corners: a box without area overlaps nothing. scores: n floating-point numbers, in a range or in
/// a view of one column. A row is neither kept nor suppresses others if its box or score contains NaN, or if its score
/// is not above .score_threshold, so a score of -inf excludes a row. Throws hone::invalid_argument if a shape, a size
/// or an option is not valid.
template <class Boxes, class Scores, class Format = corners_format>
std::vector<index> nms(cpu const& backend, Boxes const& boxes, Scores const& scores, nms_options options = {},
                       Format format = {}) {
  detail::require_detections<Boxes, Scores, Format>();
  return on_cpu::suppress_all<detail::iou_exceeds>(backend, "nms", boxes, scores, options, format);
}
template <class Boxes, class Scores, box_format Format>
std::vector<index> nms(cpu const& backend, Boxes const& boxes, Scores const& scores, Format format) {
  return nms(backend, boxes, scores, nms_options{}, format);
}
/// nms with DIoU instead of IoU: overlapping boxes with different centres are kept.
template <class Boxes, class Scores, class Format = corners_format>
std::vector<index> diou_nms(cpu const& backend, Boxes const& boxes, Scores const& scores, nms_options options = {},
                            Format format = {}) {
  detail::require_detections<Boxes, Scores, Format>();
  return on_cpu::suppress_all<detail::diou_exceeds>(backend, "diou_nms", boxes, scores, options, format);
}
template <class Boxes, class Scores, box_format Format>
std::vector<index> diou_nms(cpu const& backend, Boxes const& boxes, Scores const& scores, Format format) {
  return diou_nms(backend, boxes, scores, nms_options{}, format);
}

/// nms within each class separately. classes: n integers of any type and value. `.most` limits all classes together.
template <class Boxes, class Scores, class Classes, class Format = corners_format>
std::vector<index> batched_nms(cpu const& backend, Boxes const& boxes, Scores const& scores, Classes const& classes,
                               nms_options options = {}, Format format = {}) {
  detail::require_detections<Boxes, Scores, Format, Classes>();
  return on_cpu::suppress_by_class<detail::iou_exceeds>(backend, "batched_nms", boxes, scores, options, format,
                                                        classes);
}
template <class Boxes, class Scores, class Classes, box_format Format>
std::vector<index> batched_nms(cpu const& backend, Boxes const& boxes, Scores const& scores, Classes const& classes,
                               Format format) {
  return batched_nms(backend, boxes, scores, classes, nms_options{}, format);
}
/// The same for several images at once. images: n integers; only boxes of the same image and class suppress each other.
/// `.most` limits each image. The kept rows are sorted by increasing image, then by decreasing score.
template <class Boxes, class Scores, class Classes, class Images, class Format = corners_format>
  requires(!box_format<Images>)
std::vector<index> batched_nms(cpu const& backend, Boxes const& boxes, Scores const& scores, Classes const& classes,
                               Images const& images, nms_options options = {}, Format format = {}) {
  detail::require_detections<Boxes, Scores, Format, Classes, Images>();
  return on_cpu::suppress_by_class<detail::iou_exceeds>(backend, "batched_nms", boxes, scores, options, format, classes,
                                                        images);
}
/// batched_nms with DIoU instead of IoU.
template <class Boxes, class Scores, class Classes, class Format = corners_format>
std::vector<index> batched_diou_nms(cpu const& backend, Boxes const& boxes, Scores const& scores,
                                    Classes const& classes, nms_options options = {}, Format format = {}) {
  detail::require_detections<Boxes, Scores, Format, Classes>();
  return on_cpu::suppress_by_class<detail::diou_exceeds>(backend, "batched_diou_nms", boxes, scores, options, format,
                                                         classes);
}
template <class Boxes, class Scores, class Classes, box_format Format>
std::vector<index> batched_diou_nms(cpu const& backend, Boxes const& boxes, Scores const& scores,
                                    Classes const& classes, Format format) {
  return batched_diou_nms(backend, boxes, scores, classes, nms_options{}, format);
}
template <class Boxes, class Scores, class Classes, class Images, class Format = corners_format>
  requires(!box_format<Images>)
std::vector<index> batched_diou_nms(cpu const& backend, Boxes const& boxes, Scores const& scores,
                                    Classes const& classes, Images const& images, nms_options options = {},
                                    Format format = {}) {
  detail::require_detections<Boxes, Scores, Format, Classes, Images>();
  return on_cpu::suppress_by_class<detail::diou_exceeds>(backend, "batched_diou_nms", boxes, scores, options, format,
                                                         classes, images);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
