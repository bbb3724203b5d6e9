// SPDX-License-Identifier: MIT
/// The records of a run, and what its parts need of one another.
#pragma once

#include "paired_test.hpp"
#include "plan.hpp"
#include "record.hpp"

#include <functional>
#include <map>

namespace ladder {

using demo::compare;
using demo::paired_test;

using results = std::map<std::string, record>;  // by id

/// Who teaches on all ladders: one network for all seeds, as one would have, trained three times as long.
training ladder_teacher(const plan& plan);
/// With the ladder's teacher, if with any.
training make_training(const plan& plan, const std::string& network, const tricks& with, std::uint64_t seed);

/// What is asked of a training: a rung, or a part of an experiment, with any seed.
using with_seed = std::function<training(std::uint64_t seed)>;

/// Those of all seeds.
inline std::vector<training> seeds_of(const plan& plan, const with_seed& make) {
  std::vector<training> all;
  for (int seed = 1; seed <= plan.seeds; ++seed) all.push_back(make(static_cast<std::uint64_t>(seed)));
  return all;
}

/// One number of every seed's record; nothing at all where a record is missing.
inline std::vector<double> numbers_of(const plan& plan, const results& all, const with_seed& make,
                                      double record::* number = &record::error) {
  std::vector<double> numbers;
  for (const training& t : seeds_of(plan, make)) {
    const auto found = all.find(t.id());
    if (found == all.end()) return {};
    numbers.push_back(found->second.*number);
  }
  return numbers;
}

/// A rung of the ladder, or everything but one, beside what it is compared with.
struct step_result {
  rung what;
  with_seed make;
  std::vector<double> errors, calibration;
  paired_test against;  // the rung before, or the full set; of the errors
};

/// Nothing where a record is missing.
std::vector<step_result> climbed(const plan& plan, const results& all, const std::string& network);
std::vector<step_result> left_out(const plan& plan, const results& all, const std::string& network);

/// All trainings of a network's ladder, leave-one-out included.
std::vector<training> ladder_of(const plan& plan, const std::string& network);

/// How much smaller the last rung's mean error is than the first's: 0.14 is 14 %.
double relative_cut(const std::vector<step_result>& ladder);

}  // namespace ladder
