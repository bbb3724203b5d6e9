// SPDX-License-Identifier: MIT
/// Line charts as inline SVG; colours come from the page's style sheet.
#pragma once

#include <string>
#include <vector>

namespace demo {

struct point {
  double epoch, value;
};

struct line {
  std::string name;
  int colour = 0;       // index into the page's palette
  bool faint = false;   // one seed among several
  bool marked = false;  // dots with the exact value on hover
  std::vector<point> points;
  bool dashed = false;
};

struct chart {
  std::string title, x_label;
  double scale = 1;           // what is drawn is value * scale
  const char* format = "%g";  // of values on hover, after scaling
  bool from_zero = false;
  std::vector<line> lines = {};
  bool logarithmic = false;  // values above 0 only
};

std::string svg(const chart& chart);

}  // namespace demo
