// SPDX-License-Identifier: MIT
#include "experiments.hpp"

#include "text.hpp"

namespace ladder {
namespace {

using demo::format;

constexpr double clear = 0.05;    // of p
constexpr int missing_class = 3;  // as in Hinton et al.; here a dress

const tricks plain = {.schedule = true}, smoothed = {.schedule = true, .smoothing = true},
             mixed = {.schedule = true, .mixup = true};

/// A small network alone, or taught by a residual network of the same seed that was trained with `teacher`.
with_seed student(const plan& plan, std::optional<tricks> teacher, double soft_weight = -1,
                  std::optional<int> missing = {}) {
  return [=](std::uint64_t seed) {
    training t{.network = "narrow", .with = plain, .seed = seed, .epochs = plan.epochs, .missing = missing};
    if (!teacher) return t;
    t.with.distillation = true;
    t.teacher = make_training(plan, "residual", *teacher, seed).id();
    t.soft_weight = soft_weight < 0 ? plan.soft_weight : soft_weight;
    return t;
  };
}

with_seed residual(const plan& plan, const tricks& with, int epochs) {
  return [=](std::uint64_t seed) {
    training t = make_training(plan, "residual", with, seed);
    t.epochs = epochs;
    return t;
  };
}

std::vector<training> all_of(const plan& plan, const std::vector<with_seed>& parts) {
  std::vector<training> all;
  for (const with_seed& part : parts)
    for (const training& t : seeds_of(plan, part)) all.push_back(t);
  return all;
}

double mean(const std::vector<double>& numbers) { return demo::spread_of(numbers).mean; }

/// "-0.31 points (p 0.012, lower in 5 of 5)"
std::string told(const paired_test& t) {
  return format("%+.2f points (p %.2g, lower in %d of %d)", 100 * t.mean, t.p, t.lower, t.pairs);
}

experiment smoothed_teacher() {
  const auto parts = [](const plan& p) {
    return std::vector<with_seed>{residual(p, plain, p.epochs), residual(p, smoothed, p.epochs), student(p, plain),
                                  student(p, smoothed)};
  };
  return {"smoothed_teacher",
          "A teacher that was trained with label smoothing makes a worse teacher",
          "Müller, Kornblith and Hinton 2019, arXiv 1906.02629",
          "the students of smoothed teachers err more than those of plain ones, p < 0.05",
          [parts](const plan& p) { return all_of(p, parts(p)); },
          [parts](const plan& p, const results& r) {
            const auto sets = parts(p);
            finding f{.unit = "error"};
            const char* names[] = {"teacher, plain", "teacher, smoothed", "student of plain", "student of smoothed"};
            for (std::size_t i = 0; i < 4; ++i) f.rows.push_back({names[i], numbers_of(p, r, sets[i])});
            const paired_test teachers = compare(f.rows[0].numbers, f.rows[1].numbers),
                              students = compare(f.rows[2].numbers, f.rows[3].numbers);
            f.holds = students.mean > 0 && students.p < clear;
            f.numbers = "smoothing changes the error of the teacher by " + told(teachers) +
                        " and that of its student by " + told(students);
            return f;
          }};
}

experiment soft_targets() {
  const auto parts = [](const plan& p) {
    return std::vector<with_seed>{residual(p, plain, p.epochs), student(p, {}), student(p, plain)};
  };
  return {"soft_targets",
          "Soft targets let a small student approach its teacher",
          "Hinton, Vinyals and Dean 2015, arXiv 1503.02531",
          "the student errs less than the same network alone, p < 0.05, and closes a quarter of the gap at least",
          [parts](const plan& p) { return all_of(p, parts(p)); },
          [parts](const plan& p, const results& r) {
            const auto sets = parts(p);
            finding f{.unit = "error"};
            const char* names[] = {"teacher", "small network alone", "small network, taught"};
            for (std::size_t i = 0; i < 3; ++i) f.rows.push_back({names[i], numbers_of(p, r, sets[i])});
            const paired_test gain = compare(f.rows[1].numbers, f.rows[2].numbers);
            const double gap = mean(f.rows[1].numbers) - mean(f.rows[0].numbers);
            const double closed = gap > 0 ? -gain.mean / gap : 0;
            f.holds = gain.mean < 0 && gain.p < clear && closed >= 0.25;
            f.numbers = "teaching changes the error by " + told(gain) +
                        format(", which is %.0f %% of the gap of %.2f points to the teacher", 100 * closed, 100 * gap);
            return f;
          }};
}

experiment missing() {
  const auto parts = [](const plan& p) {
    return std::vector<with_seed>{student(p, {}, 0, missing_class), student(p, plain, 1, missing_class),
                                  student(p, plain, 1)};
  };
  return {"missing_class",
          "Soft targets recover a class that the student never saw",
          "Hinton, Vinyals and Dean 2015, section 3",
          "with the bias of the class chosen on held-out images, the student finds at least half as many of it as a "
          "student that saw it",
          [parts](const plan& p) { return all_of(p, parts(p)); },
          [parts](const plan& p, const results& r) {
            const auto sets = parts(p);
            finding f{.unit = "recall of the class"};
            f.rows = {{"labels only, never saw it", numbers_of(p, r, sets[0], &record::recall)},
                      {"the same, bias chosen", numbers_of(p, r, sets[0], &record::lifted_recall)},
                      {"soft targets, never saw it", numbers_of(p, r, sets[1], &record::recall)},
                      {"the same, bias chosen", numbers_of(p, r, sets[1], &record::lifted_recall)},
                      {"soft targets, saw it", {}}};
            for (const training& t : seeds_of(p, sets[2])) {
              const record& seen = r.at(t.id());
              double all = 0;
              for (std::size_t said = 0; said < 10; ++said) all += seen.confusion[10 * missing_class + said];
              f.rows[4].numbers.push_back(seen.confusion[11 * missing_class] / std::max(all, 1.0));
            }
            f.holds = mean(f.rows[3].numbers) >= mean(f.rows[4].numbers) / 2;
            f.numbers = format(
                "without class %d among its images, the student of soft targets finds %.1f %% of it, %.1f %% with the "
                "bias chosen (labels only: %.1f %% and %.1f %%); a student that saw it %.1f %%",
                missing_class, 100 * mean(f.rows[2].numbers), 100 * mean(f.rows[3].numbers),
                100 * mean(f.rows[0].numbers), 100 * mean(f.rows[1].numbers), 100 * mean(f.rows[4].numbers));
            return f;
          }};
}

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
              f.rows.push_back({format("%d epochs, without", epochs), without});
              f.rows.push_back({format("%d epochs, mixup", epochs), with});
              gains.push_back(with);
              for (std::size_t i = 0; i < with.size(); ++i) gains.back()[i] -= without[i];
              f.numbers += (f.numbers.empty() ? "mixup changes the error by " : ", ") + told(compare(without, with)) +
                           format(" at %d epochs", epochs);
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
            f.numbers = "smoothing changes the calibration error by " + told(change) +
                        format("; the temperatures that fit are %.2f without it and %.2f with it (below 1: too unsure)",
                               mean(numbers_of(p, r, sets[0], &record::temperature)),
                               mean(numbers_of(p, r, sets[1], &record::temperature)));
            return f;
          }};
}

}  // namespace

const std::vector<experiment>& all_experiments() {
  static const std::vector<experiment> all = {smoothed_teacher(), soft_targets(), missing(), mixup_epochs(),
                                              calibration()};
  return all;
}

std::string verdict(const experiment& e, const finding& f) {
  return e.claim + " (" + e.source + ") " + (f.holds ? "holds here: " : "does not hold here: ") + f.numbers + ".";
}

}  // namespace ladder
