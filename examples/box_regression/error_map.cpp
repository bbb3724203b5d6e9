// SPDX-License-Identifier: MIT
#include "error_map.hpp"

#include "text.hpp"

#include <algorithm>
#include <cmath>

namespace regression {
namespace {

using demo::format;

/// From the smallest error to the largest; half a decade each, the first and the last open.
constexpr const char* shades[] = {"#21114a", "#45176b", "#6b1d81", "#922b80", "#b93778",
                                  "#de4968", "#f66e5c", "#fe9f6d", "#fecf92", "#fcfdbf"};
constexpr int shade_count = 10;
constexpr double first_edge = -3;  // log10 of the edge between the first two
constexpr double side = 200;       // of a map

int shade_of(double mean_error) {
  const double place = (std::log10(std::max(mean_error, 1e-300)) - first_edge) * 2;
  return std::clamp(static_cast<int>(std::floor(std::clamp(place, -2.0, 100.0))) + 1, 0, shade_count - 1);
}

/// How many squares go from one side of the disc to the other, so that a few points fall into each.
int squares_across(std::size_t points) {
  return std::clamp(static_cast<int>(std::sqrt(static_cast<double>(points) / 2.5)), 3, 48);
}

std::string map_of(const results& r, const outcome& o) {
  const int n = squares_across(r.points.size());
  const auto index = [&](double x) {
    return std::clamp(static_cast<int>((x - (centre - radius)) / (2 * radius) * n), 0, n - 1);
  };
  std::vector<double> sum(static_cast<std::size_t>(n * n));
  std::vector<int> count(sum.size());
  for (std::size_t p = 0; p < r.points.size(); ++p) {
    const auto at = static_cast<std::size_t>(index(r.points[p].y) * n + index(r.points[p].x));
    sum[at] += o.by_point[p];
    ++count[at];
  }
  std::string paths[shade_count];
  const double step = side / n;
  for (std::size_t i = 0; i < sum.size(); ++i)
    if (count[i] > 0)
      paths[shade_of(sum[i] / (count[i] * static_cast<double>(cases_per_point)))] +=
          format("M%.1f %.1fh%.2fv%.2fh-%.2fz", static_cast<double>(i % static_cast<std::size_t>(n)) * step,
                 static_cast<double>(i / static_cast<std::size_t>(n)) * step, step + 0.1, step + 0.1, step + 0.1);
  std::string out = format("<figure><svg viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"final error of %s\">\n", side,
                           side, o.label().c_str());
  for (int s = 0; s < shade_count; ++s)
    if (!paths[s].empty()) out += format("<path fill=\"%s\" d=\"", shades[s]) + paths[s] + "\"/>\n";
  return out + "</svg><figcaption>" + o.label() + "</figcaption></figure>\n";
}

std::string scale() {
  std::string out = "<svg viewBox=\"0 0 640 40\" role=\"img\" aria-label=\"scale\">\n";
  for (int s = 0; s < shade_count; ++s) {
    out += format("<rect x=\"%d\" y=\"0\" width=\"64\" height=\"14\" fill=\"%s\"/>", 64 * s, shades[s]);
    if (s > 0)
      out += format("<text x=\"%d\" y=\"30\" text-anchor=\"middle\">%.2g</text>\n", 64 * s,
                    std::pow(10, first_edge + (s - 1) / 2.0));
  }
  return out + "</svg>\n";
}

}  // namespace

std::string error_maps(const results& r) {
  std::string out =
      "<style>.maps { display: grid; grid-template-columns: repeat(3, 1fr); gap: 1rem; } figure { margin: 0; }\n"
      "figcaption { color: var(--soft); font-size: .88rem; text-align: center; }</style>\n<div class=\"maps\">\n";
  for (const outcome& o : r.outcomes) out += map_of(r, o);
  return out + "</div>\n" + scale();
}

}  // namespace regression
