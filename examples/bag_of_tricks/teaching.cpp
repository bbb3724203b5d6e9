// SPDX-License-Identifier: MIT
// Published effects of teachers on their students.
#include "experiment_parts.hpp"

namespace ladder {
namespace {

using demo::format;

constexpr int missing_class = 3;  // as in Hinton et al.; here a dress

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

}  // namespace

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

experiment missing_in_transfer() {
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

}  // namespace ladder
