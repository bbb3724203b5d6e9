// SPDX-License-Identifier: MIT
#include "summary.hpp"

#include "cell.hpp"
#include "summary_rows.hpp"
#include "text.hpp"

#include <cmath>

namespace demo {
namespace {

summary_row row_of(const std::vector<const history*>& runs, int planned) {
  std::vector<double> accuracy, calibration, seconds;
  for (const history* h : runs) {
    accuracy.push_back(h->accuracy);
    calibration.push_back(h->calibration_error);
    seconds.push_back(h->seconds);
  }
  return {runs.front()->recipe, static_cast<int>(runs.size()), runs.front()->epochs, planned,
          spread_of(accuracy),  spread_of(calibration),        spread_of(seconds)};
}

const history* complete_run(const std::vector<history>& histories, const std::string& recipe, std::uint64_t seed) {
  for (const history& h : histories)
    if (h.complete && h.recipe == recipe && h.seed == seed) return &h;
  return nullptr;
}

/// What a recipe is judged against: what it adds to, if that was trained; else the first one.
std::string base_of(const std::vector<history>& histories, const std::vector<std::string>& names, std::size_t i) {
  for (const history& h : histories)
    if (h.recipe == names[i] && std::find(names.begin(), names.end(), h.against) != names.end()) return h.against;
  return names[0];
}

/// Points of accuracy, seed by seed, of the seeds that both ran with.
std::vector<double> gains_over(const std::vector<history>& histories, const std::string& base,
                               const std::string& name) {
  std::vector<double> gains;
  for (const history& h : histories)
    if (h.recipe == name && h.complete)
      if (const history* b = complete_run(histories, base, h.seed)) gains.push_back(100 * (h.accuracy - b->accuracy));
  return gains;
}

std::string compare(const std::vector<history>& histories, const std::string& base, const std::string& name,
                    std::size_t test_images) {
  const std::vector<double> gains = gains_over(histories, base, name);  // same seed: they differ by the recipe alone
  std::vector<double> calibrations;
  int wins = 0;
  double accuracy = 0;
  for (const history& h : histories) {
    const history* b = complete_run(histories, base, h.seed);
    if (h.recipe != name || !h.complete || b == nullptr) continue;
    calibrations.push_back(100 * (h.calibration_error - b->calibration_error));
    wins += h.accuracy > b->accuracy ? 1 : 0;
    accuracy = b->accuracy;
  }
  if (gains.empty()) return "No verdict on " + name + ": no seed ran to the end with both it and " + base + ".";

  const auto runs = static_cast<double>(gains.size());
  const spread gain = spread_of(gains), calibration = spread_of(calibrations);
  // one standard error of the mean difference; of a single pair, the sampling error of the test images
  const double noise = gains.size() > 1 ? gain.deviation / std::sqrt(runs)
                                        : 100 * std::sqrt(accuracy * (1 - accuracy) / static_cast<double>(test_images));
  const bool clear = std::abs(gain.mean) > 2 * noise;
  std::string text = clear && gain.mean > 0 ? name + " beat " + base
                     : clear                ? name + " did worse than " + base
                     : gain.mean > 0        ? name + " was ahead of " + base + ", but not clearly"
                                            : name + " did not help over " + base;
  text += format(": %+.2f points of test accuracy", gain.mean);
  if (gains.size() > 1)
    text += format(" on the mean of %zu seeds (standard error %.2f), ahead in %d of them", gains.size(), noise, wins);
  else
    text += format(" with one seed, where chance alone makes about ±%.2f; --seeds 5 tells more", noise);
  return text + format(". Its calibration error is %.2f points %s.", std::abs(calibration.mean),
                       calibration.mean > 0 ? "higher (worse)" : "lower (better)");
}

}  // namespace

std::vector<summary_row> summarise(const std::vector<history>& histories, int planned_epochs) {
  return summary_rows(histories, [=](const std::vector<const history*>& runs) { return row_of(runs, planned_epochs); });
}

std::string percent_text(const spread& s, int runs) {
  return runs > 1 ? format("%.2f ± %.2f %%", 100 * s.mean, 100 * s.deviation) : format("%.2f %%", 100 * s.mean);
}

std::string label_of(const summary_row& row) {
  return row.complete() ? row.recipe : row.recipe + format(" (%d of %d epochs)", row.epochs, row.planned);
}

std::string table_text(const std::vector<summary_row>& rows) {
  std::size_t first = 10;
  for (const summary_row& row : rows) first = std::max(first, label_of(row).size());
  const auto line = [first](const std::string& a, const std::string& b, const std::string& c, const std::string& d,
                            const std::string& e) {
    return cell(a, first, align::left) + cell(b, 18) + cell(c, 14) + cell(d, 18) + cell(e, 11) + "\n";
  };
  std::string text = line("recipe", "test accuracy", "test error", "ECE", "time");
  text += std::string(first + 61, '-') + "\n";
  for (const summary_row& row : rows)
    text += line(label_of(row), percent_text(row.accuracy, row.runs), format("%.2f %%", 100 * row.error()),
                 percent_text(row.calibration_error, row.runs), format("%.1f s", row.seconds.mean));
  return text;
}

std::string verdict_on(const std::string& recipe, const std::vector<history>& histories, std::size_t test_images) {
  const std::vector<std::string> names = recipes_in(histories);
  for (std::size_t i = 1; i < names.size(); ++i)
    if (names[i] == recipe) return compare(histories, base_of(histories, names, i), recipe, test_images);
  return {};
}

std::vector<std::string> verdict(const std::vector<history>& histories, std::size_t test_images) {
  std::vector<std::string> sentences;
  for (const std::string& name : recipes_in(histories))
    if (const std::string sentence = verdict_on(name, histories, test_images); !sentence.empty())
      sentences.push_back(sentence);
  return sentences;
}

std::string verdict_on_order(const recipe_group& group, const std::vector<history>& histories) {
  std::string order, steps;
  bool holds = !group.ascending.empty();
  if (!holds) return {};
  for (std::size_t i = 0; i < group.ascending.size(); ++i) {
    order += (i > 0 ? " < " : "") + group.ascending[i];
    if (i == 0) continue;
    const std::vector<double> gains = gains_over(histories, group.ascending[i - 1], group.ascending[i]);
    if (gains.empty()) return {};
    const spread gain = spread_of(gains);
    holds = holds && gain.mean > 0;
    steps += (i > 1 ? ", " : "") + format("%s %+.2f", group.ascending[i].c_str(), gain.mean);
    if (gains.size() > 1)
      steps += format(" (standard error %.2f)", gain.deviation / std::sqrt(static_cast<double>(gains.size())));
  }
  return format("The ordering of %s %s here: ", group.source.c_str(), holds ? "holds" : "does not hold") + order +
         "; points above the one before: " + steps + ".";
}

}  // namespace demo
