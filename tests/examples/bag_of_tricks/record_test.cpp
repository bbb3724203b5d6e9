// SPDX-License-Identifier: MIT
#include "checkpoint.hpp"
#include "idx_files.hpp"
#include "work_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace {

ladder::record made_up() {
  ladder::record r{.loss = {1.0 / 3, 1e-300, 7}, .watched_error = {0.1}, .error = 0.1 + 0.2};
  r.confusion[37] = 12;
  r.bin_confidence = {0.7, 1e22};
  r.seconds = 1.5;
  return r;
}

}  // namespace

TEST_CASE("a record survives writing and reading bit by bit") {
  const std::string text = ladder::text_of(made_up(), "a plan", "an id");
  const ladder::record r = ladder::parse_record(text, "a plan", "an id", "file");
  CHECK(r.loss == made_up().loss);
  CHECK(r.error == 0.1 + 0.2);
  CHECK(r.confusion == made_up().confusion);
  CHECK(r.bin_count.empty());
  CHECK(r.bin_confidence == made_up().bin_confidence);
  CHECK(ladder::text_of(r, "a plan", "an id") == text);
}

TEST_CASE("parse_record rejects damaged records and those of another plan or training") {
  using error = ladder::record_error;
  const std::string text = ladder::text_of(made_up(), "a plan", "an id");
  const auto parse = [&](const std::string& t, const char* plan, const char* id) {
    return ladder::parse_record(t, plan, id, "file");
  };
  CHECK_THROWS_WITH_AS(parse(text, "b plan", "an id"),
                       "file: made by another plan; use another --work folder. It has\n  plan a plan\nand this run "
                       "has\n  plan b plan",
                       error);
  CHECK_THROWS_WITH_AS(parse(text, "a plan", "no id"), "file: of another training: training an id", error);
  CHECK_THROWS_WITH_AS(parse("", "a plan", "an id"), "file: no record of a training", error);
  for (std::size_t size = 30; size < text.size() - 5; size += 7)
    CHECK_THROWS_AS(parse(text.substr(0, size), "a plan", "an id"), error);
  std::string bad = text;
  bad.replace(bad.find("0.1"), 3, "x.1");
  CHECK_THROWS_AS(parse(bad, "a plan", "an id"), error);
}

TEST_CASE("a checkpoint restores everything, and is rejected if damaged or of another training") {
  const test::folder folder;
  const auto file = folder / "c";
  const auto fresh = [](std::uint64_t seed) {
    ladder::training_state s{ladder::make_network(ladder::network_named("narrow"), seed), {}};
    s.velocity.setConstant(s.net->parameters().size(), static_cast<float>(seed));
    s.average.emplace(ladder::state_of(*s.net));
    return s;
  };
  ladder::training_state written = fresh(1), read = fresh(2);
  written.loss = {0.5}, written.watched_error = {0.25}, written.seconds = 3;
  CHECK_FALSE(ladder::load_checkpoint(file, "key", read));
  ladder::save_checkpoint(file, "key", written);
  CHECK(ladder::load_checkpoint(file, "key", read));
  CHECK(read.net->parameters() == written.net->parameters());
  CHECK(read.net->statistics() == written.net->statistics());
  CHECK(read.velocity == written.velocity);
  CHECK(read.epochs() == 1);
  CHECK(read.seconds == 3);
  CHECK(std::equal(read.average->tensors()[0].data, read.average->tensors()[0].data + read.average->tensors()[0].size,
                   written.net->parameters().data()));

  CHECK_THROWS_AS(ladder::load_checkpoint(file, "other", read), ladder::record_error);
  const std::string bytes = test::read(file);
  test::write_plain(file, bytes.substr(0, 1000));
  CHECK_THROWS_AS(ladder::load_checkpoint(file, "key", read), ladder::record_error);
  test::write_plain(file, bytes + "x");
  CHECK_THROWS_AS(ladder::load_checkpoint(file, "key", read), ladder::record_error);
}

TEST_CASE("work_folder allows one run at a time in a folder") {
  const test::folder folder;
  const auto path = folder / "work";
  {
    const ladder::work_folder first(path);
    CHECK_THROWS_AS(ladder::work_folder{path}, ladder::record_error);
  }
  CHECK_NOTHROW(ladder::work_folder{path});
}
