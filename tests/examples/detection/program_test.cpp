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

detection::options parse(std::initializer_list<const char*> arguments) {
  return detection::parse({arguments.begin(), arguments.size()});
}

}  // namespace

TEST_CASE("a short comparison prints tables and verdicts, and writes a self-contained report") {
  const data_folder folder;
  const outcome o = folder.with({"--quick", "--recipes", "giou,bce,iou", "--seeds", "2"});
  CHECK(o.exit_code == 0);
  CHECK(has(o.text, "[1/6] giou seed 1 epoch 1/2"));
  CHECK(has(o.text, "[6/6] iou seed 2 epoch 2/2"));
  CHECK(has(o.text, "RetinaNet's ordering "));
  CHECK(has(o.text, "giou is "));
  CHECK(o.text.find('\r') == std::string::npos);  // no bar where there is no terminal
  const std::string page = test::read(folder.report);
  test::check_page(page);
  CHECK(has(page, "<polyline"));
  CHECK(has(page, "data:image/png;base64,"));
  CHECK(has(page, "RetinaNet's ordering "));
}

TEST_CASE("the program trains on a folder of images with label files") {
  const data_folder folder;
  std::string labels;
  for (int i = 0; i < 12; ++i) {
    const std::string name = "image" + std::to_string(i) + ".pgm";
    test::write_plain(folder / name, "P5 50 40 255\n" + std::string(2000, static_cast<char>(20 * i)));
    labels += name + " thing 5 5 25 30\n";
  }
  test::write_plain(folder / "train.txt", labels);
  test::write_plain(folder / "test.txt", labels);
  const outcome o = folder.with({"--epochs", "1", "--batch", "4"});
  CHECK(o.exit_code == 0);
  CHECK(has(o.text, "12 to train on, 12 to test on"));
  CHECK(has(folder.with({"--epochs", "1", "--validation"}).text, "10 to train on, 2 held out"));
}

TEST_CASE("invalid options exit with code 2 and a hint") {
  for (const std::vector<std::string>& bad : {std::vector<std::string>{"--sedes", "3"},
                                              {"--epochs", "0"},
                                              {"--recipes", "nonsense"},
                                              {"--recipes", "giou,giou"},
                                              {"--recipes", "giou,"},
                                              {"--compare", "--recipes", "giou"},
                                              {"--rate", "nan"},
                                              {"--rate"},
                                              {"--quick=1"},
                                              {"--data="}}) {
    const outcome o = run(bad);
    CAPTURE(o.text);
    CHECK(o.exit_code == 2);
    CHECK(has(o.text, "detection: "));
    CHECK(has(o.text, "--help"));
  }
  CHECK(has(run({"--recipes", "nonsense"}).text, "no recipe 'nonsense'; there are giou, smooth_l1, iou"));
  const outcome help = run({"--help"});
  CHECK(help.exit_code == 0);
  CHECK(has(help.text, "balanced_bce"));
}

TEST_CASE("options are parsed in both forms, and named ones override --quick") {
  const detection::options o = parse({"--epochs=3", "--quick", "--canvases", "100", "--rate", "0.5", "--batch=4"});
  CHECK(o.epochs == 3);
  CHECK(o.canvases == 100);
  CHECK(o.test_canvases == 32);
  CHECK(o.rate == 0.5);
  CHECK(o.batch == 4);
  CHECK(o.quick);
}

TEST_CASE("missing data or an unwritable report exit with code 1 before the training") {
  const data_folder folder;
  CHECK(run({"--data", "/nowhere"}).exit_code == 1);
  test::write_plain(folder / test::train_labels, "x");
  const outcome o = folder.with({"--quick"});
  CHECK(o.exit_code == 1);
  CHECK(has(o.text, "train-labels-idx1-ubyte: ends early"));
  CHECK_FALSE(test::fs::exists(folder.report));
  const outcome nowhere = run({"--data", folder.data, "--report", "/nowhere/report.html"});
  CHECK(nowhere.exit_code == 1);
  CHECK(has(nowhere.text, "/nowhere/report.html: "));
}

TEST_CASE("Ctrl-C ends the run with a complete report of the results so far") {
  const data_folder folder;
  const outcome o = folder.with({"--quick", "--epochs", "900"}, "epoch 2/900");
  CHECK(o.exit_code == 130);
  CHECK(has(o.text, "interrupted; so far:"));
  CHECK(has(o.text, "giou (after epoch "));
  CHECK(has(test::read(folder.report), "</html>"));
  CHECK_FALSE(test::fs::exists(folder.report + ".part"));
}

TEST_CASE("Ctrl-C before the end of the first epoch still writes the report") {
  const data_folder folder;
  const outcome o = folder.with({"--canvases", "3000", "--test-canvases", "10", "--batch", "1"}, "giou  ");
  CHECK(o.exit_code == 130);
  CHECK(has(o.text, "interrupted before the end of the first epoch"));
  CHECK(has(test::read(folder.report), "</html>"));
}
