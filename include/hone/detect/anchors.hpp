// SPDX-License-Identifier: MIT
/// The inputs and results of matching labelled boxes with a detector's anchors. All of it is host code, because a batch
/// has hundreds of boxes, and the results are indices and small vectors.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/number.hpp>
#include <hone/core/numbers.hpp>
#include <hone/core/view_check.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// A labelled box. Centre and sides are fractions of the image, as in YOLO's label files. A coordinate outside its
/// range by at most 1e-6, such as by rounding, is clamped to the range.
struct labelled_box {
  integer image = 0;  ///< index in the batch
  integer label = 0;
  double x = 0, y = 0;           ///< in [0, 1]
  double width = 0, height = 0;  ///< finite, >= 0; a box of area 0 matches nothing
  double score = 1;              ///< weight of the box, finite, >= 0: λ or 1-λ if two images are mixed
};

/// The sides of an anchor in pixels of the network's input, as in configurations. Finite and positive.
struct anchor_size {
  double width, height;
};

/// The position of a slot: image of the batch, anchor within the level, row and column of its cell.
struct slot_place {
  index image, anchor, row, column;

  bool operator==(slot_place const&) const = default;
};

/// A level, one output of a detector: a grid of cells with one prediction per anchor of the level. Each prediction has
/// a number, its slot: ((image · anchors + anchor) · rows + row) · columns + column.
struct anchor_level {
  integer images = 1;
  integer rows = 0, columns = 0;              ///< number of cells
  real stride = 1;                            ///< pixels of the network's input per cell
  std::span<const anchor_size> anchors = {};  ///< of this level; or of all levels, for a matching that compares all
  integer first = 0;                          ///< index of this level's first anchor in `anchors`
  integer count = -1;                         ///< number of this level's anchors; -1: all from `first` on

  /// Returns the number of this level's anchors.
  index anchor_count() const noexcept { return count >= 0 ? count.value : index(anchors.size()) - first; }
  /// Returns the size of an anchor, counted within the level.
  anchor_size anchor(index within) const noexcept { return anchors[static_cast<std::size_t>(first + within)]; }
  index slots_of_image() const noexcept { return anchor_count() * rows * columns; }
  index slots() const noexcept { return images * slots_of_image(); }
  /// Returns the number of a slot; the anchor is counted within the level.
  index slot(index image, index anchor, index row, index column) const noexcept {
    return ((image * anchor_count() + anchor) * rows + row) * columns + column;
  }
  /// The inverse of slot(), for a slot in [0, slots()).
  slot_place at(index slot) const noexcept {
    const index cell = slot / columns, plane = cell / rows;
    return {plane / anchor_count(), plane % anchor_count(), cell % rows, slot % columns};
  }
};

/// A box that a slot has to predict.
struct anchor_match {
  index box, slot;
  index image, anchor, row, column;  ///< of the slot; the anchor is counted within the level

  bool operator==(anchor_match const&) const = default;
};

namespace detail {

/// Throws hone::invalid_argument if a number of the level is out of range or its slots exceed memory.
inline void require_level(const char* function, anchor_level const& level) {
  require(level.images >= 0, function, "images", level.images.value, "at least 0");
  require(level.rows >= 0, function, "rows", level.rows.value, "at least 0");
  require(level.columns >= 0, function, "columns", level.columns.value, "at least 0");
  require_positive(function, "stride", level.stride);
  const auto anchors = static_cast<index>(level.anchors.size());
  if (level.first < 0 || level.first > anchors || level.count < -1 || level.anchor_count() > anchors - level.first)
    fail("%s: %jd anchors from %jd on, there are %jd", function, std::intmax_t(level.count), std::intmax_t(level.first),
         std::intmax_t(anchors));
  const bool any = level.images > 0 && level.anchor_count() > 0 && level.rows > 0 && level.columns > 0;
  if (any && !fits_memory({level.images, level.anchor_count(), level.rows, level.columns}))
    fail("%s: %jd images of %jd x %jd cells with %jd anchors, more slots than memory can hold", function,
         std::intmax_t(level.images), std::intmax_t(level.rows), std::intmax_t(level.columns),
         std::intmax_t(level.anchor_count()));
  for (std::size_t a = 0; a < level.anchors.size(); ++a)
    if (anchor_size const s = level.anchors[a]; !(s.width > 0 && s.height > 0 && finite(s.width) && finite(s.height)))
      fail("%s: anchor %zu is %.9g x %.9g, sides must be finite and positive", function, a, s.width, s.height);
}

/// The largest distance of a label's coordinate from its range that counts as rounding.
inline constexpr double label_rounding = 1e-6;

/// Returns a checked label with its coordinates clamped to their ranges.
inline labelled_box in_range(labelled_box b) noexcept {
  b.x = std::clamp(b.x, 0.0, 1.0), b.y = std::clamp(b.y, 0.0, 1.0);
  b.width = std::max(b.width, 0.0), b.height = std::max(b.height, 0.0);
  return b;
}

inline void require_labelled(const char* function, index images, std::span<const labelled_box> boxes) {
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    labelled_box const& b = boxes[i];
    if (b.image < 0 || b.image >= images)
      fail("%s: image of box %zu is %jd, must be in [0, %jd)", function, i, std::intmax_t(b.image),
           std::intmax_t(images));
    const auto number = [&](const char* name, double x, bool ok, const char* range) {
      if (!ok) fail("%s: %s of box %zu is %.9g, must be %s", function, name, i, x, range);
    };
    const auto inside = [](double x) { return x >= -label_rounding && x <= 1 + label_rounding; };
    const auto side = [](double x) { return x >= -label_rounding && finite(x); };
    number("x", b.x, inside(b.x), "in [0, 1]");
    number("y", b.y, inside(b.y), "in [0, 1]");
    number("width", b.width, side(b.width), "finite and not negative");
    number("height", b.height, side(b.height), "finite and not negative");
    number("score", b.score, b.score >= 0 && finite(b.score), "finite and not negative");
  }
}

inline void require_labelled(const char* function, anchor_level const& level, std::span<const labelled_box> boxes) {
  require_labelled(function, level.images, boxes);
}

/// Throws hone::invalid_argument if the slot of a match does not exist.
inline void require_slots(const char* function, anchor_level const& level, std::span<const anchor_match> matches) {
  const index slots = level.slots();
  for (std::size_t i = 0; i < matches.size(); ++i)
    if (matches[i].slot < 0 || matches[i].slot >= slots)
      fail("%s: slot of match %zu is %jd, must be in [0, %jd)", function, i, std::intmax_t(matches[i].slot),
           std::intmax_t(slots));
}
/// Throws also if the box of a match does not exist.
inline void require_matches(const char* function, anchor_level const& level, std::size_t boxes,
                            std::span<const anchor_match> matches) {
  require_slots(function, level, matches);
  for (std::size_t i = 0; i < matches.size(); ++i)
    if (matches[i].box < 0 || matches[i].box >= index(boxes))
      fail("%s: box of match %zu is %jd, must be in [0, %zu)", function, i, std::intmax_t(matches[i].box), boxes);
}

inline void require_ious(const char* function, numbers ious, std::span<const anchor_match> matches) {
  if (ious.size() != index(matches.size()))
    fail("%s: %jd ious for %zu matches", function, std::intmax_t(ious.size()), matches.size());
}

/// Returns the cell that contains a coordinate; the upper border belongs to the last cell.
inline index cell_of(double x, index cells) noexcept { return std::clamp<index>(static_cast<index>(x), 0, cells - 1); }

inline anchor_match match_of(anchor_level const& level, index box, index image, index anchor, index row,
                             index column) noexcept {
  return {box, level.slot(image, anchor, row, column), image, anchor, row, column};
}

}  // namespace detail

/// Returns the regression targets of the matches, matches.size() x 4: x, y, width and height of each box, in cells,
/// with the centre relative to the cell's first corner. Throws hone::invalid_argument if an argument is invalid.
HONE_IF_CALLED
std::vector<float> boxes_in_cells(anchor_level const& level, std::span<const labelled_box> boxes,
                                  std::span<const anchor_match> matches) {
  detail::require_level("boxes_in_cells", level);
  detail::require_labelled("boxes_in_cells", level, boxes);
  detail::require_matches("boxes_in_cells", level, boxes.size(), matches);
  const auto rows = static_cast<double>(level.rows), columns = static_cast<double>(level.columns);
  std::vector<float> cells;
  cells.reserve(4 * matches.size());
  for (anchor_match const& m : matches) {
    labelled_box const b = detail::in_range(boxes[static_cast<std::size_t>(m.box)]);
    for (const double x : {b.x * columns - static_cast<double>(m.column), b.y * rows - static_cast<double>(m.row),
                           b.width * columns, b.height * rows})
      cells.push_back(static_cast<float>(x));
  }
  return cells;
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
