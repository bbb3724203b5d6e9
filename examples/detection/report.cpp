// SPDX-License-Identifier: MIT
#include "report.hpp"

#include "picture.hpp"
#include "recipe_html.hpp"
#include "text.hpp"

namespace detection {
namespace {

using demo::chart;
using demo::escaped;
using demo::format;
using demo::line;

constexpr std::size_t pictures = 12;
constexpr double least_score = 0.2;

constexpr const char* style = R"(<style>
.scenes { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: .6rem; margin-top: .8rem; }
.scene image { image-rendering: pixelated; } .scene rect { fill: transparent; stroke-width: .8; }
.scene .truth { stroke: #6ee7a8; stroke-dasharray: 2.5 1.8; } .scene .found { stroke: #ffb347; }
.scene text { fill: #ffb347; font-size: 5px; }
</style>)";

/// The curves of the first seed of every recipe; a comparison of many seeds would hide behind itself.
std::vector<line> lines_of(const report_input& in, std::vector<point> history::* curve, bool marked) {
  std::vector<line> lines;
  for (std::size_t r = 0; r < in.recipes.size(); ++r)
    for (const history& h : in.histories)
      if (h.recipe == in.recipes[r].name && h.seed == 1)
        lines.push_back({h.recipe, static_cast<int>(r) % demo::colours, false, marked, h.*curve});
  return lines;
}

std::string table_html(const report_input& in) {
  std::string out =
      "<table><thead><tr><th>Recipe</th><th>AP@[.5:.95]</th><th>AP@.5</th><th>AP@.75</th><th>Time</th></tr></thead>\n";
  for (const summary_row& row : summarise(in.histories)) {
    out += "<tr>" + demo::recipe_cell(in.recipes, row);
    for (const demo::spread* s : {&row.mean, &row.half, &row.three_quarters})
      out += "<td>" + points_text(*s, row.runs) + "</td>";
    out += format("<td>%.1f s</td></tr>\n", row.seconds.mean);
  }
  return out + "</table>\n";
}

const history* first_result(const report_input& in) {
  for (const history& h : in.histories)
    if (h.epochs > 0) return &h;
  return nullptr;
}

/// Test scenes with boxes, from the first of them on.
std::string pictures_html(const report_input& in, const history& h) {
  std::string out =
      "<h2>What it sees</h2>\n<p class=\"note\">The first test images with boxes. Dashed: the boxes as they are. "
      "Solid: what was found by " +
      escaped(h.recipe) + format(", seed %d, with a score of %.1f or more.", static_cast<int>(h.seed), least_score) +
      "</p>\n<div class=\"scenes\">\n";
  std::size_t shown = 0;
  for (std::size_t i = 0; i < in.scenes.test.size() && shown < pictures; ++i) {
    if (in.scenes.test[i].truths.empty()) continue;
    out += picture(in.scenes.test[i], h.found[i], in.scenes.classes, least_score);
    ++shown;
  }
  return out + "</div>\n";
}

std::string classes_html(const report_input& in, const history& h) {
  std::string out = "<h2>By class</h2>\n<p class=\"note\">AP@[.5:.95] of " + escaped(h.recipe) +
                    format(", seed %d.</p>\n<table>", static_cast<int>(h.seed));
  for (std::size_t k = 0; k < in.scenes.classes.size(); ++k)
    out += "<tr><td>" + escaped(in.scenes.classes[k]) + "</td><td>" +
           (h.result.of_class[k] < 0 ? "none to find" : format("%.1f", 100 * h.result.of_class[k])) + "</td></tr>\n";
  return out + "</table>\n";
}

}  // namespace

std::string html_report(const report_input& in) {
  std::string out =
      demo::page_head("A detector with hone") + style + "<h1>A detector that learns</h1>\n<p class=\"lead\">" +
      escaped(in.scenes.what) +
      format(": one small network, the same seeds, the same %d epochs over %zu images; measured on %zu %s.</p>\n",
             in.chosen.epochs, in.scenes.train.size(), in.scenes.test.size(),
             in.chosen.validation ? "held-out ones" : "test images");
  for (const std::string& sentence : verdicts(in.histories)) out += demo::verdict_line(sentence);
  const history* shown = first_result(in);
  if (shown == nullptr)
    return out + "<p class=\"note\">Interrupted before the end of the first epoch.</p>\n</body></html>\n";
  out += table_html(in);
  out += format(
      "<p class=\"note\">Average precision by COCO's rules, in points. %sOf all pairs of a cell and a class, %.0f are "
      "negative for each positive one.</p>\n",
      in.chosen.seeds > 1 ? "Mean ± standard deviation over the seeds. " : "", shown->negatives_per_positive);
  out += pictures_html(in, *shown);
  out += demo::legend(in.recipes);
  out += demo::figure({"AP@[.5:.95]", "epoch", 100, "%.1f", true, lines_of(in, &history::precision, true)},
                      "After every epoch, seed 1.");
  out += demo::figure({"Loss of the classes", "epoch", 1, "%.3f", true, lines_of(in, &history::class_loss, false)},
                      "Of each recipe's own kind, so that only those of one kind compare.");
  out += demo::figure({"Loss of the boxes", "epoch", 1, "%.3f", true, lines_of(in, &history::box_loss, false)},
                      "The same.");
  out += classes_html(in, *shown);
  return out + demo::how_it_was_run(in.command, in.chosen.batch, in.chosen.rate, in.chosen.threads);
}

}  // namespace detection
