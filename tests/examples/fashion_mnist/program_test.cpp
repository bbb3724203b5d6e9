// SPDX-License-Identifier: MIT
// The program as its user sees it: output, exit codes, report, Ctrl-C.
#include "data_folder.hpp"

namespace {

using test::has;
using test::outcome;
using test::run;

struct data_folder : test::data_folder {
  data_folder() : test::data_folder(200, 50) {}
};

}  // namespace

TEST_CASE("a short run learns, prints a table and writes a self-contained report") {
  const data_folder folder;
  const outcome o =
      run({"--data", folder.data, "--epochs", "3", "--seeds", "2", "--rate", "0.01", "--report", folder.report});
  CHECK(o.exit_code == 0);
  CHECK(has(o.text, "[1/6] baseline seed 1 epoch 1/3"));
  CHECK(has(o.text, "[5/6] refined seed 2 epoch 3/3"));
  CHECK(has(o.text, "[6/6] ema seed 2 epoch 3/3"));
  CHECK(has(o.text, "test accuracy 100.00 %"));
  CHECK(has(o.text, "test error"));
  CHECK(has(o.text, "on the mean of 2 seeds"));
  CHECK(o.text.find('\r') == std::string::npos);  // no bar where there is no terminal
  const std::string page = test::read(folder.report);
  test::check_page(page);
  CHECK(has(page, "<polyline"));
  CHECK(has(page, "prefers-color-scheme: dark"));
}

TEST_CASE("every recipe trains, and is in the output, the table and the report") {
  const data_folder folder;
  const outcome o = run({"--data", folder.data, "--quick", "--recipes", "all", "--report", folder.report});
  CHECK(o.exit_code == 0);
  const std::string page = test::read(folder.report);
  for (const char* name :
       {"baseline", "smoothing", "schedule", "refined", "ema", "clipping", "bfloat16", "bfloat16_unscaled",
        "bfloat16_alone", "large", "large_sqrt", "large_linear", "large_warmup"}) {
    CAPTURE(name);
    CHECK(has(o.text, std::string(" ") + name + " seed 1 epoch 2/2"));
    CHECK(has(o.text, std::string("\n") + name + " "));
    CHECK(has(page, std::string("<td>") + name + "<small>"));
  }
  CHECK(has(o.text, "clipping, seed 1: "));
  CHECK(has(o.text, "bfloat16, seed 1: the loss scale ended at 2^"));
  CHECK(has(o.text, "bfloat16_unscaled, seed 1: the loss scale ended at 2^0, 0 steps were skipped"));
  CHECK(has(o.text, "The ordering of Goyal et al. 2017 "));
  for (const char* group : {"refinements", "large_batch", "low_precision"})
    CHECK(has(page, std::string("<h2>Group ") + group + "</h2>\n<p class=\"verdict\"><strong>"));
  CHECK(has(page, "<p class=\"verdict\"><strong>The ordering of Goyal et al. 2017 "));
  CHECK(o.text.find("nan") == std::string::npos);
  CHECK(page.find("nan") == std::string::npos);
}

TEST_CASE("a run gives the same numbers on any number of threads") {
  const data_folder folder;
  const auto lines = [&](const char* threads) {
    std::string text =
                    run({"--data", folder.data, "--epochs", "1", "--threads", threads, "--report", folder.report}).text,
                kept;
    for (std::size_t at = 0; (at = text.find("  loss ", at)) != std::string::npos; ++at)
      kept += text.substr(at, text.find(" %  ", text.find("test accuracy", at)) - at) + "\n";
    return kept;
  };
  const std::string one = lines("1");
  CHECK(has(one, "test accuracy"));
  CHECK(one == lines("5"));
}

TEST_CASE("--quick takes few images, and --validation holds some back") {
  const data_folder folder;
  test::write_data(folder.path, 1200, 300);
  CHECK(has(run({"--data", folder.data, "--quick", "--recipes", "refined", "--report", folder.report}).text,
            "512 training images, 256 test images; 2 epochs"));
  CHECK(has(
      run({"--data", folder.data, "--epochs", "1", "--recipes", "refined", "--validation", "--report", folder.report})
          .text,
      "1000 training images, 200 held out"));
}

TEST_CASE("invalid options exit with code 2 and a hint") {
  for (const std::vector<std::string>& bad :
       {std::vector<std::string>{"--sedes", "3"}, {"--epochs", "0"}, {"--recipes", "nonsense"}, {"--rate"}}) {
    const outcome o = run(bad);
    CHECK(o.exit_code == 2);
    CHECK(has(o.text, "fashion_mnist: "));
    CHECK(has(o.text, "--help"));
  }
  CHECK(has(run({"--recipes", "nonsense"}).text,
            "no recipe 'nonsense'; there are baseline, smoothing, schedule, refined"));
  CHECK(run({"--help"}).exit_code == 0);
}

TEST_CASE("missing or damaged data exits with code 1, names the file and leaves no report") {
  const data_folder folder;
  CHECK(run({"--data", "/nowhere"}).exit_code == 1);
  test::write_plain(folder / test::train_labels, test::labels(200).substr(0, 100));
  const outcome o = run({"--data", folder.data, "--report", folder.report});
  CHECK(o.exit_code == 1);
  CHECK(has(o.text, "train-labels-idx1-ubyte: ends early"));
  CHECK_FALSE(test::fs::exists(folder.report));
}

TEST_CASE("a report that cannot be written ends the program before the training") {
  const data_folder folder;
  const outcome o = run({"--data", folder.data, "--report", "/nowhere/report.html"});
  CHECK(o.exit_code == 1);
  CHECK(has(o.text, "/nowhere/report.html: "));
  CHECK(o.text.find("epoch 1/") == std::string::npos);
}

TEST_CASE("a training that diverges exits with code 1 and says so") {
  const data_folder folder;
  const outcome o = run({"--data", folder.data, "--rate", "100", "--report", folder.report});
  CHECK(o.exit_code == 1);
  CHECK(has(o.text, "the loss is not finite at step"));
  CHECK_FALSE(test::fs::exists(folder.report));
}

TEST_CASE("Ctrl-C ends the run with a report of the results so far") {
  const data_folder folder;
  const outcome o = run({"--data", folder.data, "--epochs", "900", "--report", folder.report}, "epoch 2/900");
  CHECK(o.exit_code == 130);
  CHECK(has(o.text, "interrupted; so far:"));
  CHECK(has(o.text, " of 900 epochs)"));
  CHECK(has(o.text, "report: "));
  CHECK(has(test::read(folder.report), "</html>"));
}

TEST_CASE("Ctrl-C before the end of the first epoch still writes the report") {
  const data_folder folder;
  test::write_data(folder.path, 6000, 10);
  const outcome o = run({"--data", folder.data, "--batch", "1", "--report", folder.report}, "refined");
  CHECK(o.exit_code == 130);
  CHECK(has(o.text, "interrupted before the end of the first epoch"));
  CHECK(has(test::read(folder.report), "</html>"));
}
