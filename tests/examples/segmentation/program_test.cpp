// SPDX-License-Identifier: MIT
// The program as its user sees it: output, exit codes, report, Ctrl-C.
#include "data_folder.hpp"
#include "options.hpp"

namespace {

using test::has;
using test::outcome;
using test::run;

struct data_folder : test::data_folder {
  data_folder() : test::data_folder(120, 40) {}
};

segmentation::options parse(std::initializer_list<const char*> arguments) {
  return segmentation::parse({arguments.begin(), arguments.size()});
}

}  // namespace

TEST_CASE("a short comparison prints tables and verdicts, and writes a self-contained report") {
  const data_folder folder;
  const outcome o = folder.with({"--quick", "--recipes", "ce,ce_dice", "--seeds", "2"});
  CHECK(o.exit_code == 0);
  CHECK(has(o.text, "[1/4] ce seed 1 epoch 1/2"));
  CHECK(has(o.text, "[4/4] ce_dice seed 2 epoch 2/2"));
  CHECK(has(o.text, "points of mean IoU (2 seeds"));
  CHECK(o.text.find('\r') == std::string::npos);  // no bar where there is no terminal
  const std::string page = test::read(folder.report);
  test::check_page(page);
  CHECK(has(page, "<polyline"));
  CHECK(has(page, "data:image/png;base64,"));
  CHECK(has(page, "<th>ce_dice</th>"));
  CHECK(has(page, "points of mean IoU (2 seeds"));
}

TEST_CASE("--validation measures on training images that are held out") {
  const data_folder folder;
  const outcome o = folder.with({"--epochs", "1", "--canvases", "16", "--test-canvases", "4", "--validation"});
  CHECK(o.exit_code == 0);
  CHECK(has(o.text, "16 to train on, 4 held out"));
}

TEST_CASE("invalid options exit with code 2 and a hint") {
  for (const std::vector<std::string>& bad : {std::vector<std::string>{"--sedes", "3"},
                                              {"--epochs", "0"},
                                              {"--recipes", "nonsense"},
                                              {"--recipes", "ce,ce"},
                                              {"--compare", "--recipes", "ce"},
                                              {"--rate", "nan"},
                                              {"--data="}}) {
    const outcome o = run(bad);
    CAPTURE(o.text);
    CHECK(o.exit_code == 2);
    CHECK(has(o.text, "segmentation: "));
    CHECK(has(o.text, "--help"));
  }
  CHECK(has(run({"--recipes", "nonsense"}).text, "no recipe 'nonsense'; there are ce, ce_dice, focal_dice, ce_lovasz"));
  const outcome help = run({"--help"});
  CHECK(help.exit_code == 0);
  CHECK(has(help.text, "focal_dice"));
}

TEST_CASE("options are parsed in both forms, and named ones override --quick") {
  const segmentation::options o = parse({"--epochs=3", "--quick", "--canvases", "100", "--rate", "0.5", "--batch=4"});
  CHECK(o.epochs == 3);
  CHECK(o.canvases == 100);
  CHECK(o.test_canvases == 16);
  CHECK(o.rate == 0.5);
  CHECK(o.batch == 4);
  CHECK(o.quick);
}

TEST_CASE("missing data or an unwritable report exit with code 1 before the training") {
  const data_folder folder;
  CHECK(run({"--data", "/nowhere"}).exit_code == 1);
  const outcome nowhere = run({"--data", folder.data, "--report", "/nowhere/report.html"});
  CHECK(nowhere.exit_code == 1);
  CHECK(has(nowhere.text, "/nowhere/report.html: "));
  CHECK_FALSE(test::fs::exists(folder.report));
}

TEST_CASE("Ctrl-C ends the run with a complete report of the results so far") {
  const data_folder folder;
  const outcome o = folder.with({"--quick", "--epochs", "900"}, "epoch 2/900");
  CHECK(o.exit_code == 130);
  CHECK(has(o.text, "interrupted; so far:"));
  CHECK(has(o.text, "ce_dice (after epoch "));
  const std::string page = test::read(folder.report);
  CHECK(has(page, "</html>"));
  CHECK(has(page, "data:image/png;base64,"));
  CHECK_FALSE(test::fs::exists(folder.report + ".part"));
}

TEST_CASE("Ctrl-C before the end of the first epoch still writes the report") {
  const data_folder folder;
  const outcome o = folder.with({"--canvases", "3000", "--test-canvases", "10", "--batch", "1"}, "ce_dice  ");
  CHECK(o.exit_code == 130);
  CHECK(has(o.text, "interrupted before the end of the first epoch"));
  CHECK(has(test::read(folder.report), "</html>"));
}
