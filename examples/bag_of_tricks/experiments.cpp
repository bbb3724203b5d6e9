// SPDX-License-Identifier: MIT
#include "experiment_parts.hpp"

namespace ladder {

experiment mixup_epochs() {
  const auto lengths = [](const plan& p) {
    return std::vector<int>{std::max(1, p.epochs / 3), p.epochs, 3 * p.epochs};
  };
  return {"mixup_epochs",
          "Mixup needs more epochs before it pays",
          "He et al. 2018, arXiv 1812.01187, section 5.4",
          "mixup does not lower the mean error at the fewest epochs and lowers it at the most, and the change between "
          "the two has p < 0.05",
          [lengths](const plan& p) {
            std::vector<with_seed> parts;
            for (const int epochs : lengths(p))
              for (const tricks& with : {plain, mixed}) parts.push_back(residual(p, with, epochs));
            return all_of(p, parts);
          },
          [lengths](const plan& p, const results& r) {
            finding f{.unit = "error"};
            std::vector<std::vector<double>> gains;
            for (const int epochs : lengths(p)) {
              const auto without = numbers_of(p, r, residual(p, plain, epochs)),
                         with = numbers_of(p, r, residual(p, mixed, epochs));
              f.rows.push_back({demo::format("%d epochs, without", epochs), without});
              f.rows.push_back({demo::format("%d epochs, mixup", epochs), with});
              gains.push_back(with);
              for (std::size_t i = 0; i < with.size(); ++i) gains.back()[i] -= without[i];
              f.numbers += (f.numbers.empty() ? "mixup changes the error by " : ", ") + told(compare(without, with)) +
                           demo::format(" at %d epochs", epochs);
            }
            const paired_test trend = compare(gains.front(), gains.back());
            f.holds = mean(gains.front()) >= 0 && mean(gains.back()) < 0 && trend.p < clear;
            f.numbers += "; from the fewest to the most " + told(trend);
            return f;
          }};
}

experiment calibration() {
  const auto parts = [](const plan& p) {
    return std::vector<with_seed>{residual(p, plain, p.epochs), residual(p, smoothed, p.epochs)};
  };
  return {"calibration",
          "Label smoothing improves calibration",
          "Müller, Kornblith and Hinton 2019, section 3",
          "the expected calibration error falls, p < 0.05",
          [parts](const plan& p) { return all_of(p, parts(p)); },
          [parts](const plan& p, const results& r) {
            const auto sets = parts(p);
            finding f{.unit = "expected calibration error"};
            f.rows = {
                {"one-hot labels", numbers_of(p, r, sets[0], &record::calibration_error)},
                {"smoothed labels", numbers_of(p, r, sets[1], &record::calibration_error)},
                {"one-hot labels, temperature fitted", numbers_of(p, r, sets[0], &record::scaled_calibration_error)},
                {"smoothed labels, temperature fitted", numbers_of(p, r, sets[1], &record::scaled_calibration_error)}};
            const paired_test change = compare(f.rows[0].numbers, f.rows[1].numbers);
            f.holds = change.mean < 0 && change.p < clear;
            f.numbers =
                "smoothing changes the calibration error by " + told(change) +
                demo::format("; the temperatures that fit are %.2f without it and %.2f with it (below 1: too unsure)",
                             mean(numbers_of(p, r, sets[0], &record::temperature)),
                             mean(numbers_of(p, r, sets[1], &record::temperature)));
            return f;
          }};
}

const std::vector<experiment>& all_experiments() {
  static const std::vector<experiment> all = {smoothed_teacher(), soft_targets(), missing_in_transfer(),
                                              mixup_epochs(),     calibration(),  structures()};
  return all;
}

std::string verdict(const experiment& e, const finding& f) {
  return e.claim + " (" + e.source + ") " + (f.holds ? "holds here: " : "does not hold here: ") + f.numbers + ".";
}

}  // namespace ladder
