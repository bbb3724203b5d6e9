// SPDX-License-Identifier: MIT
#include "plots.hpp"

#include "spread.hpp"
#include "text.hpp"

#include <algorithm>
#include <cmath>

namespace ladder {
namespace {

using demo::format;

constexpr const char* class_names[] = {"T-shirt", "trouser", "pullover", "dress", "coat",
                                       "sandal",  "shirt",   "sneaker",  "bag",   "boot"};

std::string label(double x, double y, const char* anchor, const std::string& text) {
  return format("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor) + demo::escaped(text) + "</text>\n";
}
std::string stroke(const char* css, double x1, double y1, double x2, double y2) {
  return format("<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", css, x1, y1, x2, y2);
}

/// The least of 1, 2 and 5 times a power of ten that cuts `width` into at most `parts`.
double tick_step(double width, int parts) {
  const double power = std::pow(10, std::floor(std::log10(width / parts)));
  for (const double times : {1, 2, 5})
    if (width / (times * power) <= parts) return times * power;
  return 10 * power;
}

/// How many images were called what, on the mean.
double mean_cell(const std::vector<const record*>& records, std::size_t cell) {
  double sum = 0;
  for (const record* r : records) sum += r->confusion[cell];
  return sum / static_cast<double>(std::max<std::size_t>(records.size(), 1));
}

}  // namespace

std::string dot_plot(const std::string& title, const std::vector<dots>& rows) {
  constexpr double width = 640, left = 190, right = 70, line = 26, top = 8;
  double low = 1e300, high = -1e300;
  for (const dots& row : rows)
    for (const double x : row.numbers) low = std::min(low, x), high = std::max(high, x);
  if (low > high) return "";
  const double margin = std::max((high - low) * 0.06, 1e-3);
  low -= margin, high += margin;
  const double bottom = top + line * static_cast<double>(rows.size());
  const auto px = [&](double x) { return left + (x - low) / (high - low) * (width - left - right); };

  std::string out = format("<svg viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"", width, bottom + 24) +
                    demo::escaped(title) + "\">\n";
  const double step = tick_step(high - low, 7);
  for (double i = std::ceil(low / step); i * step <= high; ++i)
    out += stroke("grid", px(i * step), top, px(i * step), bottom) +
           label(px(i * step), bottom + 16, "middle", format("%g", i * step));
  const double first = px(demo::spread_of(rows.front().numbers).mean);
  out += stroke("c0 dashed", first, top, first, bottom);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const demo::spread s = demo::spread_of(rows[i].numbers);
    const double y = top + line * (static_cast<double>(i) + 0.5);
    const std::string colour = format("c%d", rows[i].colour);
    out += label(left - 12, y + 4, "end", rows[i].name);
    for (const double x : rows[i].numbers)
      out += format("<circle class=\"%s faint\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"><title>%.2f %%</title></circle>\n",
                    colour.c_str(), px(x), y, x);
    out += stroke(colour.c_str(), px(s.mean - s.deviation), y, px(s.mean + s.deviation), y) +
           format("<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"><title>%.2f ± %.2f %%</title></circle>\n",
                  colour.c_str(), px(s.mean), y, s.mean, s.deviation) +
           label(width - right + 12, y + 4, "start", format("%.2f %%", s.mean));
  }
  return out + "</svg>\n";
}

std::string reliability_plot(const std::string& title, const std::vector<const record*>& records) {
  constexpr double size = 300, left = 40, top = 22, plot = 240;
  std::string out = format("<svg viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"", size, size) + demo::escaped(title) +
                    "\">\n" + label(left, 14, "start", title);
  const auto px = [&](double x) { return left + x * plot; };
  const auto py = [&](double y) { return top + (1 - y) * plot; };
  for (const double v : {0.0, 0.5, 1.0})
    out += stroke("grid", px(0), py(v), px(1), py(v)) + label(left - 6, py(v) + 4, "end", format("%g", 100 * v)) +
           label(px(v), top + plot + 16, "middle", format("%g", 100 * v));
  out += stroke("c0 dashed", px(0), py(0), px(1), py(1)) +
         label(px(0.5), top + plot + 32, "middle", "confidence, %; upwards accuracy, %");
  double all = 0;
  for (const record* r : records)
    for (const double count : r->bin_count) all += count;
  std::string line, circles;
  for (std::size_t k = 0; !records.empty() && k < records.front()->bin_count.size(); ++k) {
    double count = 0, correct = 0, confidence = 0;
    for (const record* r : records)
      count += r->bin_count[k], correct += r->bin_correct[k], confidence += r->bin_confidence[k];
    if (count == 0) continue;
    const double x = px(confidence / count), y = py(correct / count);
    line += format("%.1f,%.1f ", x, y);
    circles += format(
        "<circle class=\"c1\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"><title>%.1f %% of the images: confidence "
        "%.1f %%, accuracy %.1f %%</title></circle>\n",
        x, y, 2 + 12 * std::sqrt(count / all), 100 * count / all, 100 * confidence / count, 100 * correct / count);
  }
  return out + "<polyline class=\"c1\" points=\"" + line + "\"/>\n" + circles + "</svg>\n";
}

std::string confusion_changes(const std::vector<const record*>& before, const std::vector<const record*>& after) {
  std::string out = "<table class=\"confusion\"><thead><tr><th>is \\ called</th>";
  for (const char* name : class_names) out += std::string("<th>") + name + "</th>";
  out += "</tr></thead>\n";
  for (std::size_t i = 0; i < 10; ++i) {
    out += std::string("<tr><td>") + class_names[i] + "</td>";
    for (std::size_t k = 0; k < 10; ++k) {
      const double change = std::round(mean_cell(after, 10 * i + k) - mean_cell(before, 10 * i + k));
      const bool better = (i == k) == (change > 0);
      out += change == 0 ? "<td></td>" : format("<td class=\"%s\">%+.0f</td>", better ? "better" : "worse", change);
    }
    out += "</tr>\n";
  }
  return out + "</table>\n";
}

}  // namespace ladder
