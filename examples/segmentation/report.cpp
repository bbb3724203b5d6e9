// SPDX-License-Identifier: MIT
#include "report.hpp"

#include "png.hpp"
#include "recipe_html.hpp"
#include "text.hpp"

#include <algorithm>

namespace segmentation {
namespace {

using demo::escaped;
using demo::format;
using demo::line;

constexpr std::size_t pictures = 8;

/// Of labels: the background, the ten items, and behind them ignored pixels.
constexpr demo::colour palette[classes + 1] = {{24, 28, 34},   {230, 85, 60},   {70, 130, 220},  {110, 200, 90},
                                               {240, 190, 60}, {150, 100, 230}, {60, 200, 200},  {235, 110, 180},
                                               {160, 120, 70}, {190, 220, 60},  {240, 150, 110}, {150, 155, 165}};

constexpr const char* style = R"(<style>
table.maps td, table.maps th { text-align: center; padding: .15rem; border: 0; } table.maps tr { border: 0; }
.maps svg { max-width: 8rem; margin: auto; } .maps image { image-rendering: pixelated; }
.swatches span { display: inline-block; margin-right: 1rem; white-space: nowrap; }
.swatches i { display: inline-block; width: .8rem; height: .8rem; margin-right: .35rem; border-radius: 2px; }
</style>)";

/// In the order of the recipes, the first seed's history that had an epoch.
std::vector<const history*> shown(const report_input& in) {
  std::vector<const history*> all;
  for (const recipe& r : in.recipes) {
    const auto found =
        std::ranges::find_if(in.histories, [&](const history& h) { return h.recipe == r.name && h.epochs > 0; });
    if (found != in.histories.end()) all.push_back(&*found);
  }
  return all;
}

std::string image(const std::string& png, const std::string& said) {
  return format("<td><svg viewBox=\"0 0 %d %d\"><title>", canvas_side, canvas_side) + escaped(said) +
         format("</title><image width=\"%d\" height=\"%d\" href=\"data:image/png;base64,", canvas_side, canvas_side) +
         demo::base64(png) + "\"/></svg></td>";
}

std::string map_of_labels(std::vector<std::uint8_t> labels, const std::string& said) {
  for (std::uint8_t& label : labels) label = std::min<std::uint8_t>(label, classes);
  return image(demo::png({canvas_side, canvas_side, std::move(labels)}, palette), said);
}

std::string swatches() {
  std::vector<std::string> names = class_names();
  names.emplace_back("ignored");
  std::string out = "<p class=\"legend swatches\">";
  for (std::size_t k = 0; k < names.size(); ++k)
    out += format("<span><i style=\"background: rgb(%d %d %d)\"></i>", palette[k][0], palette[k][1], palette[k][2]) +
           escaped(names[k]) + "</span>";
  return out + "</p>\n";
}

/// Test canvases with at least two items, from the first of them on.
std::string pictures_html(const report_input& in, const std::vector<const history*>& runs) {
  std::string out =
      "<h2>What it sees</h2>\n<p class=\"note\">The first test canvases with several classes, by the "
      "networks of seed " +
      format("%d.</p>\n", static_cast<int>(runs[0]->seed)) + swatches() +
      "<table class=\"maps\"><thead><tr><th>canvas</th><th>truth</th>";
  for (const history* h : runs) out += "<th>" + escaped(h->recipe) + "</th>";
  out += "</tr></thead>\n";
  std::size_t rows = 0;
  for (std::size_t i = 0; i < runs[0]->found.size() && rows < pictures; ++i) {
    const canvas& c = in.canvases.test[i];
    bool there[classes] = {};
    for (const std::uint8_t label : c.labels)
      if (label < classes) there[label] = true;
    if (std::count(std::begin(there), std::end(there), true) < 3) continue;
    ++rows;
    out += "<tr>" + image(demo::png(c.image), "canvas") + map_of_labels(c.labels, "truth");
    for (const history* h : runs) out += map_of_labels(h->found[i], h->recipe);
    out += "</tr>\n";
  }
  return out + "</table>\n";
}

std::string table_html(const report_input& in) {
  std::string out =
      "<table><thead><tr><th>Recipe</th><th>Mean IoU</th><th>Without ground</th><th>Pixels right</th>"
      "<th>Time</th></tr></thead>\n";
  for (const summary_row& row : summarise(in.histories)) {
    out += "<tr>" + demo::recipe_cell(in.recipes, row);
    for (const demo::spread* s : {&row.mean_iou, &row.items, &row.accuracy})
      out += "<td>" + points_text(*s, row.runs) + "</td>";
    out += format("<td>%.1f s</td></tr>\n", row.seconds.mean);
  }
  return out +
         "</table>\n<p class=\"note\">In points. The mean IoU is over the background and the ten items, by the "
         "pixels of all test canvases together" +
         std::string(in.chosen.seeds > 1 ? "; mean ± standard deviation over the seeds" : "") + ".</p>\n";
}

std::string classes_html(const report_input& in) {
  std::vector<summary_row> rows = summarise(in.histories);
  std::string out = "<h2>IoU by class</h2>\n<table><thead><tr><th>Class</th>";
  for (const summary_row& r : rows) out += "<th>" + escaped(r.recipe) + (r.complete ? "" : " (interrupted)") + "</th>";
  out += "</tr></thead>\n";
  const std::vector<std::string> names = class_names();
  for (std::size_t k = 0; k < names.size(); ++k) {
    out += "<tr><td>" + escaped(names[k]) + "</td>";
    for (const summary_row& r : rows) out += "<td>" + points_text(r.of_class[k], r.runs) + "</td>";
    out += "</tr>\n";
  }
  return out + "</table>\n";
}

/// Every training a faint line, the first seed of a recipe a strong one.
std::vector<line> lines_of(const report_input& in, std::vector<point> history::* curve, bool marked) {
  std::vector<line> lines;
  for (std::size_t r = 0; r < in.recipes.size(); ++r)
    for (const history& h : in.histories)
      if (h.recipe == in.recipes[r].name)
        lines.push_back(
            {h.recipe, static_cast<int>(r + 1) % demo::colours, h.seed != 1, marked && h.seed == 1, h.*curve});
  return lines;
}

}  // namespace

std::string html_report(const report_input& in) {
  std::string out =
      demo::page_head("Segmentation with hone") + style +
      "<h1>A network that paints classes</h1>\n<p class=\"lead\">Canvases of Fashion-MNIST items" +
      format(": one small U-Net, the same seeds, the same %d epochs over %zu canvases; measured on %zu %s.</p>\n",
             in.chosen.epochs, in.canvases.train.size(), in.canvases.test.size(),
             in.chosen.validation ? "held-out ones" : "test canvases");
  for (const std::string& sentence : verdicts(in.histories, all_recipes().front().name))
    out += demo::verdict_line(sentence);
  const std::vector<const history*> runs = shown(in);
  if (runs.empty())
    return out + "<p class=\"note\">Interrupted before the end of the first epoch.</p>\n</body></html>\n";
  out += table_html(in);
  out += pictures_html(in, runs);
  out += demo::legend(in.recipes, 1);
  out += demo::figure({"Mean IoU", "epoch", 100, "%.2f", true, lines_of(in, &history::curve, true)},
                      "After every epoch; seed 1 strong, the other seeds faint.");
  out += demo::figure({"Loss", "epoch", 1, "%.3f", true, lines_of(in, &history::loss, false)},
                      "Of each recipe's own kind, so that they do not compare.");
  out += classes_html(in);
  return out + demo::how_it_was_run(in.command, in.chosen.batch, in.chosen.rate, in.chosen.threads);
}

}  // namespace segmentation
