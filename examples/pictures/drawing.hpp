// SPDX-License-Identifier: MIT
/// Drawings as SVG files that need nothing from outside, in the colours of the reader's light or dark theme.
#pragma once

#include "text.hpp"

#include <string>
#include <vector>

namespace pictures {

using demo::format;

struct point {
  double x, y;
};

/// A curve or a set of marks, and its entry in a legend.
struct series {
  std::string name;
  int colour;  // 1 to 8; 0 is grey
  std::vector<point> points;
  bool dashed = false;
};

/// A rectangle of the drawing with two axes.
struct panel {
  double left, top, width, height;
  double x_low, x_high, y_low, y_high;

  double px(double x) const { return left + (x - x_low) / (x_high - x_low) * width; }
  double py(double y) const { return top + height - (y - y_low) / (y_high - y_low) * height; }
};

struct tick {
  double at;
  std::string text;
};

/// Ticks at multiples of `step` within [low, high].
std::vector<tick> ticks(double low, double high, double step);

class drawing {
 public:
  drawing(double width, double height, std::string title) : width_(width), height_(height), title_(std::move(title)) {}

  void text(double x, double y, const char* anchor, const std::string& words, const char* css = "");
  void line(const std::string& css, point from, point to);
  void circle(const std::string& css, point centre, double radius);
  void rectangle(const std::string& css, double x, double y, double width, double height);
  void raw(const std::string& svg) { body_ += svg; }

  /// The grid of a panel with its title, and ticks at both axes.
  void axes(const panel& p, const std::string& title, const std::vector<tick>& x, const std::vector<tick>& y,
            const std::string& x_label = {});
  /// A line through points in a panel's numbers; what is outside its axes is not drawn.
  void curve(const panel& p, const series& s);
  void bars(const panel& p, const std::vector<point>& tops, double width, int colour);
  /// Names from the left to the right, in rows as wide as the drawing.
  void legend(double left, double top, const std::vector<series>& all);

  std::string svg() const;

 private:
  double width_, height_;
  std::string title_, body_;
};

}  // namespace pictures
