// SPDX-License-Identifier: MIT
#include "summary.hpp"
#include "error_map.hpp"
#include "program.hpp"
#include "report.hpp"

#include <doctest/doctest.h>

#include <array>

namespace {

using namespace regression;
using test::has;

/// Made up: two points, and for each contestant its final error.
results made_up(std::array<double, 5> exact, std::array<double, 4> darknet) {
  results r{.points = {{10, 10}, {11, 12}}};
  std::size_t next = 0;
  for (const contestant& c : contestants()) {
    const double final = c.exact ? exact[next] : darknet[next - exact.size()];
    ++next;
    outcome o{.name = c.name, .exact = c.exact, .error = std::vector<double>(steps + 1, 1000), .arrived = 343};
    o.error.back() = final;
    o.by_point = {final / 4, final * 3 / 4};
    r.outcomes.push_back(std::move(o));
  }
  return r;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

}  // namespace

TEST_CASE("verdicts state whether the published orderings hold") {
  const auto judged = verdicts(made_up({400, 30, 20, 10, 5}, {40, 30, 30, 10}));
  REQUIRE(judged.size() == 4);
  CHECK(judged[0] ==
        "Published ordering IoU > GIoU > DIoU > CIoU holds here with exact gradients: final error IoU 400 > GIoU 30 > "
        "DIoU 20 > CIoU 10.");
  CHECK(
      has(judged[1], "does not hold here with darknet's gradients: final error IoU 40 > GIoU 30 > DIoU 30"));  // a tie
  CHECK(judged[2] == "EIoU ends lowest, as published: holds here with exact gradients, CIoU 10 > EIoU 5.");
  CHECK(
      has(judged[3], "they end lower with IoU (40, exact 400); not lower with GIoU (30, exact 30), DIoU (30, exact "));
  const auto other = verdicts(made_up({400, 20, 30, 5, 10}, {4, 3, 2, 1}));
  CHECK(has(other[0], "does not hold here with exact gradients: final error IoU 400 > DIoU 30 > GIoU 20 > CIoU 5."));
  CHECK(has(other[1], " holds here with darknet's gradients: final error IoU 4 > GIoU 3 > DIoU 2 > CIoU 1."));
  CHECK(has(other[2], "does not hold here with exact gradients, EIoU 10 > CIoU 5."));
  CHECK(has(other[3], "not lower with none."));
  CHECK(verdicts({}).empty());
}

TEST_CASE("table_text has a row for each loss") {
  const std::string table = table_text(made_up({400, 30, 20, 10, 5}, {40, 30, 30, 10}));
  CHECK(count(table, "\n") == 10);
  CHECK(has(table, "GIoU, darknet"));
  CHECK(has(table, "50.00 %"));  // 343 of 686
}

TEST_CASE("html_report has a line and a map for each loss, names an interruption, and is self-contained") {
  results r = made_up({400, 30, 20, 10, 5}, {1e9, 30, 20, 10});
  const std::string page = html_report({"box_regression <&>", 7, r});
  test::check_page(page);
  CHECK(count(page, "<figcaption>") == 9);
  CHECK(count(page, "<polyline") == 9 + 9);  // and the legend
  CHECK(count(page, " dashed\" points") == 4 + 4);
  CHECK(page.find(">1e+08</text>") == std::string::npos);  // an error of 1e9 is in the table, not in the picture
  CHECK(count(page, "class=\"verdict\"") == 4);
  CHECK(has(page, "Interrupted: 2 of 7 points."));
  CHECK(has(page, "<code>box_regression &lt;&amp;&gt;</code>"));
  CHECK(page.find("inf") == std::string::npos);
  CHECK(html_report({"box_regression", 2, r}).find("Interrupted") == std::string::npos);
}

TEST_CASE("error_maps draws each point in its square with the shade of its error") {
  results r = made_up({400, 30, 20, 10, 5}, {40, 30, 20, 10});
  r.outcomes.resize(1);
  r.outcomes[0].by_point = {343 * 1e-5, 343 * 5.0};
  const std::string map = error_maps(r);
  CHECK(has(map, "<path fill=\"#21114a\" d=\"M66.7 66.7h"));    // the middle of 3 x 3
  CHECK(has(map, "<path fill=\"#fecf92\" d=\"M133.3 133.3h"));  // below it, to the right
  CHECK(count(map, "<path") == 2);
}
