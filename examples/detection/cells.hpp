// SPDX-License-Identifier: MIT
/// Which cell answers for which box, and how four numbers of a cell say a box.
#pragma once

#include "network.hpp"
#include "scene.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace detection {

/// The centre and sides of a box, as hone::centers has them.
template <class T>
struct centred {
  T cx, cy, w, h;
};

/// A cell's four numbers. The centre is an offset from the cell's, in cells; a side is exp of its number, in cells.
template <class T>
struct cell_code {
  static constexpr T largest = 5;  // sides stop growing at e^5 cells

  T x, y, w, h;

  static cell_code of(int cell, const centred<T>& box) {
    constexpr T side = cell_side;
    return {box.cx / side - middle(cell % grid_side), box.cy / side - middle(cell / grid_side), std::log(box.w / side),
            std::log(box.h / side)};
  }
  centred<T> box(int cell) const {
    constexpr T side = cell_side;
    return {side * (middle(cell % grid_side) + x), side * (middle(cell / grid_side) + y),
            side * std::exp(std::min(w, largest)), side * std::exp(std::min(h, largest))};
  }
  /// The derivative by the four numbers, from that by the box.
  cell_code chain(int cell, const centred<T>& by) const {
    const centred<T> b = box(cell);
    return {cell_side * by.cx, cell_side * by.cy, w < largest ? b.w * by.w : T(0), h < largest ? b.h * by.h : T(0)};
  }

 private:
  static T middle(int along) { return static_cast<T>(along) + T(0.5); }
};

/// What the network should say of one image.
struct assignment {
  static constexpr int background = -1, ignored = -2;

  struct positive {
    int cell;
    centred<float> box;
  };
  std::vector<int> labels;  // one per cell
  std::vector<positive> positives;
};

/// The cell that holds a box's centre answers for it, and for the last one where there are several. Cells whose centre
/// lies in a crowd are ignored, unless they answer for a box.
inline assignment assign(std::span<const truth> truths) {
  assignment a{std::vector<int>(cells, assignment::background), {}};
  for (const truth& t : truths) {
    if (!t.crowd) continue;
    for (int cell = 0; cell < cells; ++cell) {
      const double x = (cell % grid_side + 0.5) * cell_side, y = (cell / grid_side + 0.5) * cell_side;
      if (x >= t.box.x1 && x < t.box.x2 && y >= t.box.y1 && y < t.box.y2)
        a.labels[static_cast<std::size_t>(cell)] = assignment::ignored;
    }
  }
  for (const truth& t : truths) {
    if (t.crowd) continue;
    const double cx = (t.box.x1 + t.box.x2) / 2, cy = (t.box.y1 + t.box.y2) / 2;
    const auto along = [](double at) { return std::clamp(static_cast<int>(at / cell_side), 0, grid_side - 1); };
    const int cell = along(cy) * grid_side + along(cx);
    std::erase_if(a.positives, [&](const assignment::positive& p) { return p.cell == cell; });
    a.labels[static_cast<std::size_t>(cell)] = t.label;
    a.positives.push_back({cell,
                           {static_cast<float>(cx), static_cast<float>(cy), static_cast<float>(t.box.x2 - t.box.x1),
                            static_cast<float>(t.box.y2 - t.box.y1)}});
  }
  return a;
}

}  // namespace detection
