// SPDX-License-Identifier: MIT
#include "report.hpp"

#include "error_map.hpp"
#include "page.hpp"
#include "summary.hpp"
#include "text.hpp"

namespace regression {
namespace {

using demo::escaped;
using demo::format;

/// The same colour for the same loss.
int colour_of(const results& r, const outcome& o) {
  int colour = 0;
  for (const outcome& other : r.outcomes) {
    if (other.name == o.name) return colour;
    ++colour;
  }
  return colour;
}

/// Errors of more than this many times the first are not drawn: those of darknet's IoU leave all others in one line.
constexpr double highest = 10;

demo::chart error_chart(const results& r) {
  demo::chart chart{"Summed error", "step", 1, "%.4g", false, {}, true};
  for (const outcome& o : r.outcomes) {
    demo::line line{o.label(), colour_of(r, o), false, false, {}, !o.exact};
    for (std::size_t step = 0; step < o.error.size() && o.error[step] <= highest * o.error[0]; ++step)
      line.points.push_back({static_cast<double>(step), o.error[step]});
    chart.lines.push_back(std::move(line));
  }
  return chart;
}

std::string table_html(const results& r) {
  std::string out =
      "<table><thead><tr><th>Loss</th><th>step 50</th><th>step 100</th><th>step 160</th><th>step 200</th>"
      "<th>Arrived</th></tr></thead>\n";
  for (const outcome& o : r.outcomes) {
    out += "<tr><td>" + o.label() + "</td>";
    for (const std::size_t step : {50u, 100u, 160u, 200u}) out += format("<td>%.4g</td>", o.error[step]);
    out += format("<td>%.2f %%</td></tr>\n", 100 * static_cast<double>(o.arrived) / static_cast<double>(r.cases()));
  }
  return out + "</table>\n";
}

}  // namespace

std::string html_report(const report_input& in) {
  const results& r = in.measured;
  std::string out = demo::page_head("Box regression with hone") + "<h1>Boxes on their way</h1>\n";
  out += format(
      "<p class=\"lead\">%jd cases: anchors at %zu points move to their targets in %d steps, by the gradients of "
      "five box losses, and by those of darknet for four of them.</p>\n",
      std::intmax_t(r.cases()), r.points.size(), steps);
  if (r.points.size() < in.planned_points)
    out += format("<p class=\"note\">Interrupted: %zu of %zu points.</p>\n", r.points.size(), in.planned_points);
  for (const std::string& sentence : verdicts(r)) out += demo::verdict_line(sentence);
  out += table_html(r);
  out += format(
      "<p class=\"note\">Σ |cx - cx*| + |cy - cy*| + |w - w*| + |h - h*| over all cases; before the first step it is "
      "%.4g. Arrived: cases whose error is below %g in the end.</p>\n",
      r.outcomes.front().error.front(), near);
  out += "<p class=\"legend\">";
  for (const outcome& o : r.outcomes)
    out += format("<span><svg viewBox=\"0 0 22 8\"><polyline class=\"c%d%s\" points=\"0,4 22,4\"/></svg>%s</span>",
                  colour_of(r, o), o.exact ? "" : " dashed", o.label().c_str());
  out += "</p>\n";
  out += demo::figure(
      error_chart(r),
      "Over all cases, before the first step and after each; steps are ten times smaller from 160 on, "
      "and again from 180 on. Dashed: darknet's gradients. A line ends where the error is ten times what it was at "
      "first.");
  out +=
      "<h2>Where the anchors began</h2>\n<p class=\"note\">Final error of a case, mean over the cases that began in a "
      "square. Targets are at the centre of the disc, which has a radius of 3.</p>\n" +
      error_maps(r);
  out +=
      "<h2>How it was run</h2>\n<p><code>" + escaped(in.command) +
      "</code></p>\n<p class=\"note\">Zheng et al. 2020, arXiv 1911.08287, section 3.3: B ← B - η (2 - IoU) ∇L. What "
      "the paper leaves open is as in its authors' program: η is 0.1, 0.01 from step 160 on and 0.001 from step 180 "
      "on; "
      "a scale is that of the area. The same command gives the same numbers, whatever the number of "
      "threads.</p>\n</body></html>\n";
  return out;
}

}  // namespace regression
