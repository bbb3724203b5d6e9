// SPDX-License-Identifier: MIT
#include "report.hpp"

#include "chart.hpp"

#include <algorithm>
#include <cstdio>

namespace demo {
namespace {

constexpr const char* style = R"(
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5d6878; --line: #dfe4ea; --page: #fbfbfa;
  --c0: #7a8594; --c1: #c2410c; --c2: #1d6fb8; --c3: #2f855a; --c4: #8b5cf6; --c5: #b7791f;
  --c6: #0f766e; --c7: #be185d; --c8: #4d5bd6; --c9: #65801b; --c10: #7f4f24; --c11: #111827; --c12: #a21caf; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #98a3b3; --line: #2d3540; --page: #14181e;
  --c0: #9aa5b4; --c1: #fb8c4e; --c2: #6cb4f0; --c3: #68c48f; --c4: #b79cff; --c5: #e6b450;
  --c6: #4fd1c5; --c7: #f472b6; --c8: #9aa6ff; --c9: #b5d159; --c10: #d2a679; --c11: #f8fafc; --c12: #e879f9; } }
body { font: 17px/1.55 Charter, "Bitstream Charter", Georgia, "DejaVu Serif", serif; color: var(--ink);
  background: var(--page); max-width: 44rem; margin: 3rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 2.4rem 0 .4rem; }
.lead { color: var(--soft); margin-top: 0; } .verdict { border-left: 3px solid var(--c1); padding-left: 1rem; margin: 1.6rem 0; }
.note { color: var(--soft); font-size: .88rem; margin: .2rem 0 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { font-weight: normal; color: var(--soft); font-size: .88rem; } th, td { text-align: right; padding: .4rem 0 .4rem .8rem; }
th:first-child, td:first-child { text-align: left; padding-left: 0; } thead th, tr { border-bottom: 1px solid var(--line); }
td small { color: var(--soft); display: block; } td { white-space: nowrap; } td:first-child { white-space: normal; }
svg { width: 100%; height: auto; display: block; font: 12px system-ui, sans-serif; } svg text { fill: var(--soft); }
.grid { stroke: var(--line); } polyline { fill: none; stroke-width: 2; stroke-linejoin: round; } .faint { opacity: .28; stroke-width: 1.2; }
.c0 { stroke: var(--c0); } .c1 { stroke: var(--c1); } .c2 { stroke: var(--c2); } .c3 { stroke: var(--c3); } .c4 { stroke: var(--c4); }
.c5 { stroke: var(--c5); } .c6 { stroke: var(--c6); } .c7 { stroke: var(--c7); } .c8 { stroke: var(--c8); } .c9 { stroke: var(--c9); }
.c10 { stroke: var(--c10); } .c11 { stroke: var(--c11); } .c12 { stroke: var(--c12); } circle { fill: var(--page); stroke-width: 2; }
.legend { font-size: .88rem; color: var(--soft); margin: 1rem 0 0; } .legend span { margin-right: 1.4rem; white-space: nowrap; }
.legend svg { display: inline; width: 22px; height: 8px; margin-right: .4rem; }
code { font: .84em ui-monospace, Menlo, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
)";

constexpr int colours = 13;

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  return out;
}

std::string format(const char* pattern, auto... values) {
  char text[512];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

std::vector<point> mean_of(const std::vector<const std::vector<point>*>& curves) {
  std::vector<point> mean = *curves.front();
  for (std::size_t i = 0; i < mean.size(); ++i) {
    mean[i].value = 0;
    for (const auto* curve : curves) mean[i].value += (*curve)[i].value / static_cast<double>(curves.size());
  }
  return mean;
}

/// The curves of every recipe: the mean of its complete trainings, and faintly each of several.
std::vector<line> lines_of(const report_input& in, std::vector<point> history::* curve, bool marked) {
  std::vector<line> faint, bold;
  for (std::size_t r = 0; r < in.recipes.size(); ++r) {
    const int colour = static_cast<int>(r) % colours;
    std::vector<const std::vector<point>*> complete, partial;
    for (const history& h : in.histories)
      if (h.recipe == in.recipes[r].name) (h.complete ? complete : partial).push_back(&(h.*curve));
    const bool several = complete.size() + partial.size() > 1;
    if (several)
      for (const auto* part : {&complete, &partial})
        for (const auto* c : *part) faint.push_back({in.recipes[r].name, colour, true, false, *c});
    if (!complete.empty()) bold.push_back({in.recipes[r].name, colour, false, marked, mean_of(complete)});
    if (!several && !partial.empty()) bold.push_back({in.recipes[r].name, colour, false, marked, *partial.front()});
  }
  faint.insert(faint.end(), bold.begin(), bold.end());
  return faint;
}

std::vector<line> rate_lines(const report_input& in) {
  std::vector<line> lines;
  for (std::size_t r = 0; r < in.recipes.size(); ++r) {
    const hone::index per_epoch = in.training.steps_per_epoch(in.recipes[r].batch_size);
    const hone::index steps = per_epoch * in.training.epochs;
    line l{in.recipes[r].name, static_cast<int>(r) % colours, false, false, {}};
    const hone::index samples = std::min<hone::index>(steps, 280);
    for (hone::index i = 0; i <= samples; ++i) {
      const hone::index step = steps * i / samples;
      l.points.push_back({static_cast<double>(step) / static_cast<double>(per_epoch), in.recipes[r].rate(step)});
    }
    lines.push_back(std::move(l));
  }
  return lines;
}

std::string table_html(const report_input& in) {
  std::string out =
      "<table><thead><tr><th>Recipe</th><th>Test accuracy</th><th>Test "
      "error</th><th>ECE</th><th>Time</th></tr></thead>\n";
  for (const summary_row& row : summarise(in.histories, in.training.epochs)) {
    std::string summary;
    for (const recipe& r : in.recipes)
      if (r.name == row.recipe) summary = r.summary;
    for (const history& h : in.histories)
      if (h.recipe == row.recipe && h.seed == 1 && !h.note.empty()) summary += "; with seed 1, " + h.note;
    out += "<tr><td>" + escaped(label_of(row)) + "<small>" + escaped(summary) + "</small></td><td>" +
           percent_text(row.accuracy, row.runs) + "</td><td>" + format("%.2f %%", 100 * row.error()) + "</td><td>" +
           percent_text(row.calibration_error, row.runs) + "</td><td>" + format("%.1f s", row.seconds.mean) +
           "</td></tr>\n";
  }
  return out + "</table>\n";
}

std::string verdict_html(const std::string& sentence) {
  const std::size_t judgement = std::min(sentence.find(':'), sentence.size());
  return "<p class=\"verdict\"><strong>" + escaped(sentence.substr(0, judgement)) + "</strong>" +
         escaped(sentence.substr(judgement)) + "</p>\n";
}

/// What each group of recipes came to; recipes that no group has stand before them.
std::string verdicts_html(const report_input& in) {
  std::string alone, groups;
  std::vector<std::string> told;
  for (const recipe_group& g : recipe_groups()) {
    std::string part;
    if (g.name == "all") continue;
    for (std::size_t i = 1; i < g.recipes.size(); ++i)
      if (const std::string sentence = verdict_on(g.recipes[i], in.histories, in.test_images); !sentence.empty()) {
        part += verdict_html(sentence);
        told.push_back(g.recipes[i]);
      }
    if (const std::string sentence = verdict_on_order(g, in.histories); !sentence.empty())
      part += verdict_html(sentence);
    if (!part.empty()) groups += "<h2>Group " + escaped(g.name) + "</h2>\n" + part;
  }
  for (const recipe& r : in.recipes)
    if (std::find(told.begin(), told.end(), r.name) == told.end())
      if (const std::string sentence = verdict_on(r.name, in.histories, in.test_images); !sentence.empty())
        alone += verdict_html(sentence);
  return alone + groups;
}

std::string figure(const chart& c, const std::string& note) {
  return "<h2>" + c.title + "</h2>\n<p class=\"note\">" + note + "</p>\n" + svg(c);
}

}  // namespace

std::string html_report(const report_input& in) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Fashion-MNIST with hone</title>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>";
  out += style;
  out += "</style></head><body>\n<h1>Fashion-MNIST, plainly and refined</h1>\n";
  out += format(
      "<p class=\"lead\">One small convolutional network, the same seeds, the same %d epochs over %jd images; measured "
      "on "
      "%zu images %s.</p>\n",
      in.training.epochs, std::intmax_t(in.training.images), in.test_images,
      in.chosen.validation ? "held out from the training images" : "of the test set");
  out += verdicts_html(in);
  out += table_html(in);
  out +=
      format("<p class=\"note\">%s ECE: expected calibration error, %d bins. Time: one training with its tests.</p>\n",
             in.chosen.seeds > 1 ? "Mean ± standard deviation over the seeds." : "", classification_metrics::bins);
  out += "<p class=\"legend\">";
  for (std::size_t r = 0; r < in.recipes.size(); ++r)
    out += format("<span><svg viewBox=\"0 0 22 8\"><polyline class=\"c%d\" points=\"0,4 22,4\"/></svg>%s</span>",
                  static_cast<int>(r) % colours, in.recipes[r].name.c_str());
  out += "</p>\n";
  out += figure({"Test error, %", "epoch", 100, "%.2f %%", false, lines_of(in, &history::test_error, true)},
                "After every epoch.");
  out += figure({"Training loss", "epoch", 1, "%.3f", false, lines_of(in, &history::train_loss, false)},
                "Of each recipe's own objective: smoothed labels keep the loss above a floor of their own, so only the "
                "shapes compare.");
  out += figure({"Learning rate", "epoch", 1, "%.4f", true, rate_lines(in)},
                "At every step; recipes that share a schedule lie on one another.");
  out += "<h2>How it was run</h2>\n<p><code>" + escaped(in.command) + "</code></p>\n<p class=\"note\">";
  const std::string seeds = in.chosen.seeds > 1 ? format("seeds 1 to %d", in.chosen.seeds) : "seed 1";
  out += format(
      "Batches of %d where a recipe has no other, %d thread%s, %s. The same command gives the same numbers, whatever "
      "the number "
      "of threads; only the times differ.</p>\n</body></html>\n",
      in.training.batch, in.chosen.threads, in.chosen.threads > 1 ? "s" : "", seeds.c_str());
  return out;
}

}  // namespace demo
