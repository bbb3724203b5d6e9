// SPDX-License-Identifier: MIT
#include "summary.hpp"

#include "cell.hpp"
#include "summary_rows.hpp"
#include "text.hpp"

#include <algorithm>

namespace segmentation {
namespace {

using demo::cell;
using demo::format;
using demo::spread;
using demo::spread_of;

summary_row row_of(const std::vector<const history*>& runs) {
  const auto over = [&](const auto& number) {
    std::vector<double> all;
    for (const history* h : runs)
      if (const double x = number(*h); x != score::absent) all.push_back(x);
    return spread_of(all);
  };
  summary_row row{runs[0]->recipe,
                  static_cast<int>(runs.size()),
                  runs[0]->epochs,
                  runs[0]->complete,
                  over([](const history& h) { return h.result.mean_iou; }),
                  over([](const history& h) { return items_iou(h.result); }),
                  over([](const history& h) { return h.result.accuracy; }),
                  over([](const history& h) { return h.seconds; }),
                  {}};
  for (std::size_t k = 0; k < runs[0]->result.of_class.size(); ++k)
    row.of_class.push_back(over([k](const history& h) { return h.result.of_class[k]; }));
  return row;
}

/// Of the seeds that both recipes completed, in points.
demo::paired_test gain(const std::vector<history>& histories, const std::string& over, const std::string& name) {
  std::vector<double> before, after;
  for (const history& a : histories)
    for (const history& b : histories)
      if (a.complete && b.complete && a.recipe == over && b.recipe == name && a.seed == b.seed) {
        before.push_back(100 * a.result.mean_iou);
        after.push_back(100 * b.result.mean_iou);
      }
  return demo::compare(before, after);
}

std::string sentence(const demo::paired_test& t, const std::string& base, const std::string& name) {
  const std::string side = t.mean > 0 ? " is above " : " is not above ";
  if (t.pairs < 2)
    return name + side + base +
           format(", with one seed: %+.2f points of mean IoU; --seeds 3 tells chance apart.", t.mean);
  const std::string judgement = t.p < 0.05 ? name + (t.mean > 0 ? " is above " : " is below ") + base
                                           : name + " does not clearly differ from " + base;
  return judgement + format(": %+.2f ± %.2f points of mean IoU (%d seeds, lower in %d, paired t-test p %.2g).", t.mean,
                            t.deviation, t.pairs, t.lower, t.p);
}

}  // namespace

double items_iou(const score& s) {
  double sum = 0, count = 0;
  for (std::size_t k = 1; k < s.of_class.size(); ++k)
    if (s.of_class[k] != score::absent) sum += s.of_class[k], count += 1;
  return sum / std::max(count, 1.0);
}

std::vector<summary_row> summarise(const std::vector<history>& histories) {
  return demo::summary_rows(histories, row_of);
}

std::string points_text(const spread& s, int runs) {
  return runs > 1 ? format("%.2f ± %.2f", 100 * s.mean, 100 * s.deviation) : format("%.2f", 100 * s.mean);
}

std::string table_text(const std::vector<summary_row>& rows) {
  std::string text = format("%-28s", "recipe") + cell("mean IoU", 15) + cell("without ground", 17) +
                     cell("pixels right", 15) + cell("time", 10) + "\n" + std::string(85, '-') + "\n";
  for (const summary_row& r : rows) {
    const std::string label = r.complete ? r.recipe : r.recipe + format(" (after epoch %d)", r.epochs);
    text += format("%-28s", label.c_str()) + cell(points_text(r.mean_iou, r.runs), 15) +
            cell(points_text(r.items, r.runs), 17) + cell(points_text(r.accuracy, r.runs), 15) +
            cell(format("%.1f s", r.seconds.mean), 10) + "\n";
  }
  return text;
}

std::vector<std::string> verdicts(const std::vector<history>& histories, const std::string& base) {
  std::vector<std::string> sentences;
  for (const std::string& name : demo::recipes_in(histories)) {
    if (name == base) continue;
    const demo::paired_test t = gain(histories, base, name);
    if (t.pairs > 0) sentences.push_back(sentence(t, base, name));
  }
  return sentences;
}

}  // namespace segmentation
