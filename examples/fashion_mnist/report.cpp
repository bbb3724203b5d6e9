// SPDX-License-Identifier: MIT
#include "report.hpp"

#include "page.hpp"
#include "recipe_html.hpp"
#include "text.hpp"

#include <algorithm>

namespace demo {
namespace {

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

/// What each group of recipes came to; recipes that no group has stand before them.
std::string verdicts_html(const report_input& in) {
  std::string alone, groups;
  std::vector<std::string> told;
  for (const recipe_group& g : recipe_groups()) {
    std::string part;
    if (g.name == "all") continue;
    for (std::size_t i = 1; i < g.recipes.size(); ++i)
      if (const std::string sentence = verdict_on(g.recipes[i], in.histories, in.test_images); !sentence.empty()) {
        part += verdict_line(sentence);
        told.push_back(g.recipes[i]);
      }
    if (const std::string sentence = verdict_on_order(g, in.histories); !sentence.empty())
      part += verdict_line(sentence);
    if (!part.empty()) groups += "<h2>Group " + escaped(g.name) + "</h2>\n" + part;
  }
  for (const recipe& r : in.recipes)
    if (std::find(told.begin(), told.end(), r.name) == told.end())
      if (const std::string sentence = verdict_on(r.name, in.histories, in.test_images); !sentence.empty())
        alone += verdict_line(sentence);
  return alone + groups;
}

}  // namespace

std::string html_report(const report_input& in) {
  std::string out = page_head("Fashion-MNIST with hone") + "<h1>Fashion-MNIST, plainly and refined</h1>\n";
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
             in.chosen.seeds > 1 ? "Mean ± standard deviation over the seeds." : "", calibration_bins);
  out += legend(in.recipes);
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
