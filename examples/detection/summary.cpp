// SPDX-License-Identifier: MIT
#include "summary.hpp"

#include "cell.hpp"
#include "summary_rows.hpp"
#include "text.hpp"

#include <optional>

namespace detection {
namespace {

using demo::cell;
using demo::format;
using demo::spread;
using demo::spread_of;

summary_row row_of(const std::vector<const history*>& runs) {
  const auto over = [&](const auto& number) {
    std::vector<double> all;
    for (const history* h : runs) all.push_back(number(*h));
    return spread_of(all);
  };
  return {runs[0]->recipe,
          static_cast<int>(runs.size()),
          runs[0]->epochs,
          runs[0]->complete,
          over([](const history& h) { return h.result.mean; }),
          over([](const history& h) { return h.result.at[0]; }),
          over([](const history& h) { return h.result.at[5]; }),
          over([](const history& h) { return h.seconds; })};
}

/// How much more one recipe reaches than another with the same seed, in points of AP@[.5:.95].
struct gain {
  std::vector<double> of_seed;

  gain(const std::vector<history>& histories, const std::string& one, const std::string& other) {
    for (const history& a : histories)
      for (const history& b : histories)
        if (a.complete && b.complete && a.recipe == one && b.recipe == other && a.seed == b.seed)
          of_seed.push_back(100 * (a.result.mean - b.result.mean));
  }
  bool known() const { return !of_seed.empty(); }
  double mean() const { return spread_of(of_seed).mean; }
  /// Of the mean; unknown with a single seed.
  std::optional<double> error() const {
    if (of_seed.size() < 2) return {};
    return spread_of(of_seed).deviation / std::sqrt(static_cast<double>(of_seed.size()));
  }
  /// Further from 0 than two standard errors.
  bool clear() const { return error() && std::abs(mean()) > 2 * *error(); }
  std::string text() const {
    const std::string points = format("%+.1f points", mean());
    return error() ? points + format(" (standard error %.1f)", *error()) : points;
  }
};

std::string seeds_text(std::size_t seeds) {
  return seeds > 1 ? format(" (mean of %zu seeds, AP@[.5:.95])", seeds)
                   : " (AP@[.5:.95]; one seed, so that chance is not told apart: --seeds 3 does)";
}

std::string judgement(const gain& g) {
  return std::string(g.mean() > 0 ? "holds" : "does not hold") + " here" + (g.clear() ? "" : ", but not clearly");
}

void judge_ordering(const std::vector<history>& histories, std::vector<std::string>& to) {
  const gain focal(histories, "giou", "bce"), balanced(histories, "balanced_bce", "bce"),
      over_balanced(histories, "giou", "balanced_bce");
  if (focal.known())
    to.push_back("RetinaNet's ordering (focal loss above plain cross-entropy) " + judgement(focal) + ": " +
                 focal.text() + seeds_text(focal.of_seed.size()) + ".");
  if (balanced.known())
    to.push_back("Its middle step (cross-entropy with weights above plain) " + judgement(balanced) + ": " +
                 balanced.text() + seeds_text(balanced.of_seed.size()) + ".");
  if (over_balanced.known())
    to.push_back("Its last step (focal loss above cross-entropy with weights) " + judgement(over_balanced) + ": " +
                 over_balanced.text() + seeds_text(over_balanced.of_seed.size()) + ".");
}

void judge_box_losses(const std::vector<history>& histories, std::vector<std::string>& to) {
  for (const char* name : {"smooth_l1", "giou", "diou", "ciou", "eiou", "siou"}) {
    const gain g(histories, name, "iou");
    if (!g.known()) continue;
    const std::string verb = g.mean() > 0 ? "is above iou" : "is not above iou";
    to.push_back(std::string(name) + " " + verb + (g.clear() ? "" : ", but not clearly") + ": " + g.text() +
                 seeds_text(g.of_seed.size()) + ".");
  }
}

}  // namespace

std::vector<summary_row> summarise(const std::vector<history>& histories) {
  return demo::summary_rows(histories, row_of);
}

std::string points_text(const spread& s, int runs) {
  return runs > 1 ? format("%.1f ± %.1f", 100 * s.mean, 100 * s.deviation) : format("%.1f", 100 * s.mean);
}

std::string table_text(const std::vector<summary_row>& rows) {
  std::string text = format("%-24s", "recipe") + cell("AP@[.5:.95]", 13) + cell("AP@.5", 13) + cell("AP@.75", 13) +
                     cell("time", 10) + "\n" + std::string(73, '-') + "\n";
  for (const summary_row& r : rows) {
    const std::string label = r.complete ? r.recipe : r.recipe + format(" (after epoch %d)", r.epochs);
    text += format("%-24s", label.c_str());
    for (const spread* s : {&r.mean, &r.half, &r.three_quarters}) text += cell(points_text(*s, r.runs), 13);
    text += cell(format("%.1f s", r.seconds.mean), 10) + "\n";
  }
  return text;
}

std::vector<std::string> verdicts(const std::vector<history>& histories) {
  std::vector<std::string> sentences;
  judge_ordering(histories, sentences);
  judge_box_losses(histories, sentences);
  return sentences;
}

}  // namespace detection
