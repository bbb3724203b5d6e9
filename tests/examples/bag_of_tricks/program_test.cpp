// SPDX-License-Identifier: MIT
// The program as its user sees it: output, exit codes, report, and that it continues after being killed.
#include "program.hpp"
#include "idx_files.hpp"

#include <map>

namespace {

using test::has;
using test::outcome;

struct data_folder : test::folder {
  data_folder() { test::write_data(path, 200, 40); }

  /// Of the tiny form, with its records in `work`.
  outcome run(const std::string& work, std::vector<std::string> more, const std::string& word = {},
              int signal = SIGINT) {
    const std::vector<std::string> common = {"--tiny", "--data",   path.string(), "--work",
                                             at(work), "--report", report()};
    more.insert(more.begin(), common.begin(), common.end());
    return test::run(more, word, signal);
  }
  std::string at(const std::string& name) const { return (path / name).string(); }
  std::string report() const { return at("report.html"); }

  /// All records, without the times.
  std::map<std::string, std::string> records(const std::string& work) const {
    std::map<std::string, std::string> all;
    for (const auto& entry : test::fs::directory_iterator(path / work)) {
      if (entry.path().extension() != ".txt") continue;
      const std::string text = test::read(entry.path());
      all[entry.path().filename()] = text.substr(0, text.find("\nseconds "));
    }
    return all;
  }
};

const std::vector<std::string> few = {
    "--networks", "residual", "--sets", "baseline,schedule+smoothing+mixup+distillation+average", "--epochs", "4"};

}  // namespace

TEST_CASE("a killed and restarted run gives the same records for any number of jobs") {
  data_folder folder;
  std::vector<std::string> one = few;
  one.insert(one.end(), {"--jobs", "1"});
  CHECK(folder.run("whole", one).exit_code == 0);
  const auto whole = folder.records("whole");
  CHECK(whole.size() == 5);  // and the teacher

  for (const char* word : {"wide-schedule-e12-seed1 epoch 2/12", "residual-baseline-e4-seed1 epoch 3/4",
                           "by-wide-schedule-e12-seed1-seed1 epoch 2/4"})
    CHECK(folder.run("killed", one, word, SIGKILL).exit_code == 128 + SIGKILL);
  const outcome stopped = folder.run("killed", one, "residual-baseline-e4-seed2 epoch 1/4");
  CHECK((stopped.exit_code == 130 || stopped.exit_code == 0));
  std::vector<std::string> two = few;
  two.insert(two.end(), {"--jobs", "2"});
  const outcome last = folder.run("killed", two);
  CHECK(last.exit_code == 0);
  CHECK(has(last.text, "trainings are recorded in"));
  CHECK(folder.records("killed") == whole);
}

TEST_CASE("Ctrl-C ends the run, and the next run continues from the checkpoint") {
  data_folder folder;
  const outcome o = folder.run("work", {"--networks", "demo", "--epochs", "500"}, "epoch 3/500");
  CHECK(o.exit_code == 130);
  CHECK(has(o.text, "the same command goes on from"));
  CHECK(has(folder.run("work", {"--networks", "demo", "--epochs", "500"}, "goes on after epoch").text,
            "goes on after epoch"));
}

TEST_CASE("the program trains all experiments, and prints and reports the verdicts") {
  data_folder folder;
  const outcome o = folder.run("work", {"--networks", "residual", "--experiment", "all"});
  CHECK(o.exit_code == 0);
  CHECK(o.text.find('\r') == std::string::npos);  // no bar where there is no terminal
  CHECK(has(o.text, "residual, baseline: error"));
  CHECK(has(o.text, "residual, + zero_gamma "));
  CHECK(has(o.text, "residual, all but mixup: "));
  CHECK(has(o.text, "the promise of 14 %: all tricks together"));
  for (const char* who : {"Müller, Kornblith and Hinton 2019, arXiv 1906.02629) ",
                          "Hinton, Vinyals and Dean 2015, arXiv", "section 3) ", "arXiv 1812.01187, section 5.4) "})
    CHECK(has(o.text, who));
  const std::string page = test::read(folder.report());
  test::check_page(page);
  for (const char* part : {"The ladder of residual", "everything but one", "error on held-out images", "training loss",
                           "what is confused", "upwards accuracy", "--tiny", "Soft targets recover a class",
                           "Seconds per epoch", "squeeze-and-excitation lowers the error"})
    CHECK(has(page, part));
}

TEST_CASE("--structure belongs to the networks' names, and a killed run with drop path goes on as if it were whole") {
  data_folder folder;
  const std::vector<std::string> all = {"--networks", "demo,narrow", "--structure", "all",
                                        "--sets",     "schedule",    "--jobs",      "1"};
  CHECK(folder.run("whole", all).exit_code == 0);
  const auto whole = folder.records("whole");
  CHECK(whole.size() == 4);
  CHECK(whole.contains("narrow+d+se+drop_path-schedule-e2-seed1.txt"));
  CHECK(whole.contains("demo-schedule-e2-seed1.txt"));
  CHECK(folder.run("killed", all, "narrow+d+se+drop_path-schedule-e2-seed1 epoch 1/2", SIGKILL).exit_code ==
        128 + SIGKILL);
  CHECK(has(folder.run("killed", all).text, "goes on after epoch"));
  CHECK(folder.records("killed") == whole);
}

TEST_CASE("records of another plan end the program with an error") {
  data_folder folder;
  const std::vector<std::string> small = {"--networks", "narrow", "--sets", "baseline"};
  CHECK(folder.run("work", small).exit_code == 0);
  std::vector<std::string> other = small;
  other.insert(other.end(), {"--rate", "0.5"});
  const outcome o = folder.run("work", other);
  CHECK(o.exit_code == 1);
  CHECK(has(o.text, "narrow-baseline-e2-seed1.txt: made by another plan; use another --work folder"));
}

TEST_CASE("--validation does not use the test images") {
  data_folder folder;
  test::write_plain(folder / test::test_labels, test::labels(40));
  const outcome o = folder.run("work", {"--networks", "narrow", "--sets", "schedule", "--validation"});
  CHECK(has(o.text, "32 held out"));
  CHECK(has(o.text, "narrow, schedule: error"));
}

TEST_CASE("invalid options exit with code 2 and a hint, missing data with code 1") {
  const outcome o = test::run({"--networks", "nonsense"});
  CHECK(o.exit_code == 2);
  CHECK(has(o.text, "bag_of_tricks: --networks has 'nonsense'"));
  CHECK(has(o.text, "--help"));
  CHECK(test::run({"--data", "/nowhere"}).exit_code == 1);
  CHECK(test::run({"--help"}).exit_code == 0);
}

TEST_CASE("a training that diverges exits with code 1 and says so") {
  data_folder folder;
  const outcome o = folder.run("work", {"--networks", "demo", "--sets", "baseline", "--rate", "100", "--batch", "4"});
  CHECK(o.exit_code == 1);
  CHECK(has(o.text, "the loss is not finite at step"));
}
