// SPDX-License-Identifier: MIT
#include "drawing.hpp"

#include <algorithm>
#include <cmath>

namespace pictures {
namespace {

constexpr const char* style = R"(<style>
:root { color-scheme: light dark; --ink: #1b2330; --soft: #5b6675; --line: #dfe4ea; --c0: #8a94a3; --c1: #c2410c;
  --c2: #1d6fb8; --c3: #2f855a; --c4: #8b5cf6; --c5: #b7791f; --c6: #0f766e; --c7: #be185d; --c8: #111827; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --soft: #98a3b3; --line: #2d3540; --c0: #8f9bab; --c1: #fb8c4e;
  --c2: #6cb4f0; --c3: #68c48f; --c4: #b79cff; --c5: #e6b450; --c6: #4fd1c5; --c7: #f472b6; --c8: #f8fafc; } }
text { font: 12px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: var(--soft); }
.title { font-weight: 600; fill: var(--ink); } .grid { stroke: var(--line); } .zero { stroke: var(--soft); }
polyline, path { fill: none; stroke-width: 2; stroke-linejoin: round; } .dashed { stroke-dasharray: 5 4; } line, .thin { stroke-width: 1.2; }
.c0 { stroke: var(--c0); } .c1 { stroke: var(--c1); } .c2 { stroke: var(--c2); } .c3 { stroke: var(--c3); } .c4 { stroke: var(--c4); }
.c5 { stroke: var(--c5); } .c6 { stroke: var(--c6); } .c7 { stroke: var(--c7); } .c8 { stroke: var(--c8); }
.f0 { fill: var(--c0); } .f1 { fill: var(--c1); } .f2 { fill: var(--c2); } .f3 { fill: var(--c3); } .f4 { fill: var(--c4); }
.box { fill: none; stroke-width: 1.5; } .pale { opacity: .35; } image { image-rendering: pixelated; }
</style>
)";

}  // namespace

std::vector<tick> ticks(double low, double high, double step) {
  std::vector<tick> all;
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; ++i)
    all.push_back({i * step, format("%g", i == 0 ? 0 : std::round(i * step * 1e6) / 1e6)});
  return all;
}

void drawing::text(double x, double y, const char* anchor, const std::string& words, const char* css) {
  body_ += format("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"", x, y, anchor);
  if (*css) body_ += format(" class=\"%s\"", css);
  body_.append(">").append(demo::escaped(words)).append("</text>\n");
}

void drawing::line(const std::string& css, point from, point to) {
  body_ += format("<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", css.c_str(), from.x, from.y,
                  to.x, to.y);
}

void drawing::circle(const std::string& css, point centre, double radius) {
  body_ +=
      format("<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>\n", css.c_str(), centre.x, centre.y, radius);
}

void drawing::rectangle(const std::string& css, double x, double y, double width, double height) {
  body_ += format("<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n", css.c_str(), x, y,
                  width, height);
}

void drawing::axes(const panel& p, const std::string& title, const std::vector<tick>& x, const std::vector<tick>& y,
                   const std::string& x_label) {
  text(p.left, p.top - 10, "start", title, "title");
  for (const tick& t : y) {
    line(t.at == 0 ? "zero" : "grid", {p.left, p.py(t.at)}, {p.left + p.width, p.py(t.at)});
    text(p.left - 7, p.py(t.at) + 4, "end", t.text);
  }
  for (const tick& t : x) {
    line("grid", {p.px(t.at), p.top}, {p.px(t.at), p.top + p.height});
    text(p.px(t.at), p.top + p.height + 16, "middle", t.text);
  }
  text(p.left + p.width / 2, p.top + p.height + 33, "middle", x_label);
}

void drawing::curve(const panel& p, const series& s) {
  std::string run;
  const auto end = [&] {
    if (!run.empty())
      body_ += format("<polyline class=\"c%d%s\" points=\"", s.colour, s.dashed ? " dashed" : "") + run + "\"/>\n";
    run.clear();
  };
  for (const point& q : s.points) {
    const bool inside = q.x >= p.x_low && q.x <= p.x_high && q.y >= p.y_low - 1e-9 && q.y <= p.y_high + 1e-9;
    if (inside)
      run += format("%.1f,%.1f ", p.px(q.x), p.py(q.y));
    else
      end();
  }
  end();
}

void drawing::bars(const panel& p, const std::vector<point>& tops, double width, int colour) {
  for (const point& q : tops) {
    const double y = p.py(std::max(q.y, 0.0)), height = std::abs(p.py(q.y) - p.py(0));
    rectangle(format("f%d", colour), p.px(q.x - width / 2), y, p.px(width) - p.px(0), height);
  }
}

void drawing::legend(double left, double top, const std::vector<series>& all) {
  double x = left, y = top;
  for (const series& s : all) {
    double letters = 0;
    for (const char c : s.name) letters += (c & 0xC0) != 0x80;  // of UTF-8
    const double wide = 40 + 6.6 * letters;
    if (x + wide > width_ && x > left) x = left, y += 18;
    line(format("c%d%s", s.colour, s.dashed ? " dashed" : ""), {x, y - 4}, {x + 20, y - 4});
    text(x + 26, y, "start", s.name);
    x += wide;
  }
}

std::string drawing::svg() const {
  return format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" width=\"%g\" role=\"img\" aria-label=\"",
             width_, height_, width_) +
         demo::escaped(title_) + "\">\n<title>" + demo::escaped(title_) + "</title>\n" + style + body_ + "</svg>\n";
}

}  // namespace pictures
