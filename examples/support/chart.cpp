// SPDX-License-Identifier: MIT
#include "chart.hpp"

#include "text.hpp"

#include <algorithm>
#include <cmath>

namespace demo {
namespace {

constexpr double width = 640, height = 300, left = 52, right = 12, top = 12, bottom = 40;

/// An interval and a step of 1, 2 or 5 times a power of ten that cuts it into about `parts`.
struct axis {
  double low, high, step;

  axis(double first, double last, int parts) {
    if (!(last > first)) last = first + std::max(std::abs(first), 1e-9);
    const double rough = (last - first) / parts, power = std::pow(10, std::floor(std::log10(rough)));
    step = power * (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10);
    low = first;
    high = last;
  }
  void widen_to_ticks() {
    low = std::floor(low / step + 1e-9) * step;
    high = std::ceil(high / step - 1e-9) * step;
  }
  std::vector<double> ticks() const {
    std::vector<double> all;
    for (double i = std::ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i)
      all.push_back(i * step + 0.0);  // + 0: no -0
    return all;
  }
};

}  // namespace

std::string svg(const chart& chart) {
  const auto drawn = [&](const point& p) {
    return chart.logarithmic ? std::log10(p.value * chart.scale) : p.value * chart.scale;
  };
  double x_high = 0, y_low = 1e300, y_high = -1e300;
  for (const line& l : chart.lines)
    for (const point& p : l.points) {
      x_high = std::max(x_high, p.epoch);
      y_low = std::min(y_low, drawn(p));
      y_high = std::max(y_high, drawn(p));
    }
  if (y_low > y_high) return "<p class=\"note\">Nothing to draw yet.</p>";
  axis x(0, x_high, 8), y(chart.from_zero ? 0 : y_low, y_high, 5);
  x.step = std::max(x.step, 1.0);                         // epochs
  if (chart.logarithmic) y.step = std::max(y.step, 1.0);  // decades
  y.widen_to_ticks();
  const auto px = [&](double v) { return left + (v - x.low) / (x.high - x.low) * (width - left - right); };
  const auto py = [&](double v) { return height - bottom - (v - y.low) / (y.high - y.low) * (height - top - bottom); };

  std::string out =
      format("<svg viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"%s\">\n", width, height, chart.title.c_str());
  for (const double v : y.ticks())
    out += format("<line class=\"grid\" x1=\"%g\" x2=\"%g\" y1=\"%.1f\" y2=\"%.1f\"/>", left, width - right, py(v),
                  py(v)) +
           format("<text x=\"%g\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n", left - 8, py(v) + 4,
                  chart.logarithmic          ? std::pow(10, v)
                  : std::abs(v) < y.step / 2 ? 0
                                             : v);
  for (const double v : x.ticks())
    out += format("<text x=\"%.1f\" y=\"%g\" text-anchor=\"middle\">%g</text>\n", px(v), height - bottom + 18, v);
  out += format("<text x=\"%.1f\" y=\"%g\" text-anchor=\"middle\">%s</text>\n", (left + width - right) / 2, height - 4,
                chart.x_label.c_str());
  for (const line& l : chart.lines) {
    if (l.points.empty()) continue;
    out +=
        format("<polyline class=\"c%d%s%s\" points=\"", l.colour, l.faint ? " faint" : "", l.dashed ? " dashed" : "");
    for (const point& p : l.points) out += format("%.1f,%.1f ", px(p.epoch), py(drawn(p)));
    out += "\"/>\n";
    if (!l.marked) continue;
    for (const point& p : l.points)
      out += format("<circle class=\"c%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"><title>%s, epoch %g: ", l.colour,
                    px(p.epoch), py(drawn(p)), l.name.c_str(), p.epoch) +
             format(chart.format, p.value * chart.scale) + "</title></circle>\n";
  }
  return out + "</svg>\n";
}

}  // namespace demo
