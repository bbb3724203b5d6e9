// SPDX-License-Identifier: MIT
#include "experiment_parts.hpp"

#include <doctest/doctest.h>

namespace {

/// A record of every seed, its error moved by `change`, and if it is moved by the luck of the seed, 0.001.
void add_records(ladder::results& to, const ladder::plan& plan, const std::string& network, double change) {
  for (const ladder::training& t : ladder::seeds_of(
           plan, [&](std::uint64_t seed) { return ladder::make_training(plan, network, ladder::plain, seed); })) {
    const double luck = change == 0 ? 0 : t.seed % 2 == 0 ? 0.001 : -0.001;
    to[t.id()] = {.error = 0.1 + 0.01 * static_cast<double>(t.seed) + change + luck, .seconds = 24};
  }
}

}  // namespace

TEST_CASE("each piece of structure has a verdict by its own numbers") {
  const ladder::plan plan;
  const ladder::experiment e = ladder::structures();
  CHECK(e.trainings(plan).size() == 25);
  ladder::results records;
  add_records(records, plan, "residual+none", 0);
  add_records(records, plan, "residual", -0.01);           // clearly better
  add_records(records, plan, "residual+se", -0.0001);      // not clearly
  add_records(records, plan, "residual+drop_path", 0.01);  // clearly worse
  add_records(records, plan, "residual+d+se+drop_path", -0.02);
  for (const ladder::training& t : e.trainings(plan)) CHECK(records.contains(t.id()));

  const ladder::finding f = e.judge(plan, records);
  CHECK_FALSE(f.holds);
  CHECK(f.numbers == "2 of 4 claims hold");
  REQUIRE(f.parts.size() == 4);
  CHECK(f.parts[0].starts_with("Holds: the pooled shortcut"));
  CHECK(f.parts[0].find("-1.02 points") != std::string::npos);  // three seeds of five are lucky
  CHECK(f.parts[1].starts_with("Does not hold: squeeze"));
  CHECK(f.parts[2].starts_with("Does not hold: drop path"));
  CHECK(f.parts[3].starts_with("Holds: all three"));
  REQUIRE(f.rows.size() == 5);
  for (const ladder::finding_row& row : f.rows) CHECK(row.cells.size() == f.columns.size());
  CHECK(f.rows[0].cells[3] == "19706");
  CHECK(f.rows[2].cells[3] == "20538");
  CHECK(f.rows[0].cells[4] == "2.00");

  add_records(records, plan, "residual+se", -0.01);
  add_records(records, plan, "residual+drop_path", -0.01);
  CHECK(e.judge(plan, records).holds);
}
