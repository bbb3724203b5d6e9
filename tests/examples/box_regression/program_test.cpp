// SPDX-License-Identifier: MIT
// The program as its user sees it: output, exit codes, report, Ctrl-C.
#include "program.hpp"
#include "idx_files.hpp"

namespace {

using test::has, test::run, test::outcome;

struct out_folder : test::folder {
  std::string report = (path / "report.html").string();
};

}  // namespace

TEST_CASE("a short run prints the table and the verdicts and writes the report") {
  const out_folder folder;
  const outcome o = run({"--points", "6", "--threads", "2", "--out", folder.report});
  CHECK(o.exit_code == 0);
  CHECK(has(o.text, "6 anchor points, 2058 cases, 200 steps, 9 losses; 2 threads"));
  CHECK(has(o.text, "step 200"));
  CHECK(has(o.text, "EIoU"));
  CHECK(has(o.text, "Published ordering IoU > GIoU > DIoU > CIoU"));
  CHECK(has(o.text, "report: " + folder.report));
  CHECK(o.text.find('\r') == std::string::npos);  // no bar where there is no terminal
  const std::string page = test::read(folder.report);
  CHECK(has(page, "2058 cases"));
  CHECK(has(page, "</html>"));
  CHECK(page.find("Interrupted") == std::string::npos);
}

TEST_CASE("invalid options exit with code 2 and a hint") {
  for (const std::vector<std::string>& bad :
       {std::vector<std::string>{"--pionts", "3"}, {"--points", "0"}, {"--out"}}) {
    const outcome o = run(bad);
    CHECK(o.exit_code == 2);
    CHECK(has(o.text, "box_regression: "));
    CHECK(has(o.text, "--help"));
  }
  CHECK(run({"--help"}).exit_code == 0);
}

TEST_CASE("a report that cannot be written ends the program before the simulation") {
  const outcome o = run({"--points", "6", "--out", "/nowhere/report.html"});
  CHECK(o.exit_code == 1);
  CHECK(has(o.text, "/nowhere/report.html: "));
  CHECK(o.text.find("anchor points") == std::string::npos);
}

TEST_CASE("Ctrl-C ends the run with a report of the finished points") {
  const out_folder folder;
  const outcome o = run({"--points", "60", "--threads", "1", "--out", folder.report}, "of 60 points");
  CHECK(o.exit_code == 130);
  CHECK(has(o.text, "interrupted after"));
  CHECK(has(o.text, "report: "));
  const std::string page = test::read(folder.report);
  CHECK(has(page, "of 60 points."));
  CHECK(has(page, "</html>"));
}

TEST_CASE("Ctrl-C before the first finished point keeps an older report") {
  const out_folder folder;
  test::write_plain(folder.report, "an older report");
  const outcome o = run({"--full", "--threads", "1", "--out", folder.report}, "anchor points");
  CHECK(o.exit_code == 130);
  CHECK(has(o.text, "interrupted before any point was finished: no report"));
  CHECK(test::read(folder.report) == "an older report");
}
