// SPDX-License-Identifier: MIT
#include "results.hpp"

namespace ladder {
namespace {

with_seed maker(const plan& plan, const std::string& network, const tricks& with) {
  return [plan, network, with](std::uint64_t seed) { return make_training(plan, network, with, seed); };
}

step_result step_of(const plan& plan, const results& all, const std::string& network, const rung& r,
                    const std::vector<double>& before) {
  step_result s{r, maker(plan, network, r.with), {}, {}, {}};
  s.errors = numbers_of(plan, all, s.make);
  s.calibration = numbers_of(plan, all, s.make, &record::calibration_error);
  s.against = compare(before, s.errors);
  return s;
}

bool complete(const std::vector<step_result>& steps) {
  for (const step_result& s : steps)
    if (s.errors.empty()) return false;
  return true;
}

}  // namespace

training ladder_teacher(const plan& plan) {
  training t{.network = "wide", .with = {.schedule = true}, .epochs = 3 * plan.epochs};
  return t;
}

training make_training(const plan& plan, const std::string& network, const tricks& with, std::uint64_t seed) {
  training t{.network = network, .with = with, .seed = seed, .epochs = plan.epochs};
  if (!with.distillation) return t;
  t.soft_weight = plan.soft_weight;
  t.teacher = ladder_teacher(plan).id();
  return t;
}

std::vector<step_result> climbed(const plan& plan, const results& all, const std::string& network) {
  std::vector<step_result> steps;
  for (const rung& r : rungs(network_named(network).residual())) {
    const std::vector<double> before = steps.empty() ? std::vector<double>{} : steps.back().errors;
    steps.push_back(step_of(plan, all, network, r, before));
  }
  return complete(steps) ? steps : std::vector<step_result>{};
}

std::vector<step_result> left_out(const plan& plan, const results& all, const std::string& network) {
  const bool residual = network_named(network).residual();
  const std::vector<double> full = numbers_of(plan, all, maker(plan, network, rungs(residual).back().with));
  std::vector<step_result> steps;
  for (const rung& r : leave_one_out(residual)) steps.push_back(step_of(plan, all, network, r, full));
  return complete(steps) ? steps : std::vector<step_result>{};
}

std::vector<training> ladder_of(const plan& plan, const std::string& network) {
  const bool residual = network_named(network).residual();
  std::vector<training> all;
  for (const std::vector<rung>& part : {rungs(residual), leave_one_out(residual)})
    for (const rung& r : part)
      for (const training& t : seeds_of(plan, maker(plan, network, r.with))) all.push_back(t);
  return all;
}

double relative_cut(const std::vector<step_result>& ladder) {
  return 1 - demo::spread_of(ladder.back().errors).mean / demo::spread_of(ladder.front().errors).mean;
}

}  // namespace ladder
