// SPDX-License-Identifier: MIT
// The table of docs/box_gradients.md: how far gradients of box losses are from dual numbers and from torchvision, and
// how far darknet's are. With HONE_WRITE_DOCS in the environment the page is written; otherwise what it says must hold.
#include <hone/hone.hpp>

#include <loss/box/boxes.hpp>
#include <loss/box/values.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

namespace {

using naive::dual;

struct gradient {
  double value, by[4];
};

template <class Formula>
gradient of(Formula const& formula, box_value const& v, bool as_centers) {
  gradient g{};
  if (as_centers) {
    const auto centers_of = [](double const(&b)[4], double(&to)[4]) {
      for (int c = 0; c < 2; ++c) to[c] = (b[c] + b[c + 2]) / 2, to[c + 2] = std::max(b[c + 2] - b[c], 0.0);
    };
    double p[4], t[4];
    centers_of(v.predicted, p), centers_of(v.target, t);
    g.value = hone::detail::apply_formula<hone::centers_format>(formula, p, t, g.by);
  } else {
    g.value = hone::detail::apply_formula<hone::corners_format>(formula, v.predicted, v.target, g.by);
  }
  return g;
}

double size_of(double const (&g)[4]) {
  return std::max({std::abs(g[0]), std::abs(g[1]), std::abs(g[2]), std::abs(g[3])});
}

/// The largest difference, relative to the largest number of the second.
double apart(double const (&a)[4], double const (&b)[4]) {
  double most = 0;
  for (int c = 0; c < 4; ++c) most = std::max(most, std::abs(a[c] - b[c]));
  return size_of(b) > 0 ? most / size_of(b) : most;
}

using reference = std::function<dual(naive::corners const&, naive::corners const&)>;

/// By dual numbers; on ties, where `sides` is above 0, the mean of the derivatives that far above and below.
void by_dual(reference const& loss, box_value const& v, double sides, double (&to)[4]) {
  const auto at = [&](int by, double shift) {
    naive::corners p, t;
    dual* const corner[] = {&p.x1, &p.y1, &p.x2, &p.y2};
    dual* const wanted[] = {&t.x1, &t.y1, &t.x2, &t.y2};
    for (int c = 0; c < 4; ++c)
      *corner[c] = dual(v.predicted[c] + (c == by ? shift : 0), c == by ? 1 : 0), *wanted[c] = dual(v.target[c]);
    return loss(p, t).d;
  };
  for (int c = 0; c < 4; ++c) to[c] = sides > 0 ? (at(c, sides) + at(c, -sides)) / 2 : at(c, 0);
}

struct errors {
  double dual = -1, torch = -1, darknet = -1;  // -1: nothing to compare with

  void add(double errors::* which, double x) { this->*which = std::max(this->*which, x); }
};

const char* const kinds[] = {"overlap",   "nested",   "disjoint", "touching", "identical",
                             "zero area", "inverted", "huge",     "tiny"};
const char* const losses[] = {"iou_loss", "giou_loss", "diou_loss", "ciou_loss", "eiou_loss", "siou_loss"};

template <class Formula, class Darknet>
errors measure(std::string const& kind, std::string const& name, Formula const& formula, reference const& loss,
               Darknet const* darknet) {
  errors e;
  const bool tied = kind == "touching" || kind == "identical" || kind == "zero area";
  for (box_value const& v : box_values) {
    const std::string asked = name == "eiou_loss" || name == "siou_loss" ? "iou_loss" : name;  // for its boxes
    if (kind != v.kind || asked != v.loss) continue;
    const gradient g = of(formula, v, false);
    CHECK(std::isfinite(g.value));
    for (const double x : g.by) CHECK(std::isfinite(x));
    double exact[4];
    by_dual(loss, v, tied ? 1e-7 : 0, exact);
    // inverted boxes are another box to their formulas, and a kink has no derivative of its own
    if (kind == "overlap" || kind == "nested" || kind == "disjoint" || kind == "huge" || kind == "tiny")
      e.add(&errors::dual, apart(g.by, exact));
    if (kind == "identical") e.add(&errors::dual, size_of(g.by));
    if (asked == name && kind != "inverted" && kind != "zero area" && std::isfinite(v.value + size_of(v.gradient)))
      e.add(&errors::torch,
            kind == "identical" ? std::abs(size_of(g.by) - size_of(v.gradient)) : apart(g.by, v.gradient));
    if constexpr (!std::is_same_v<Darknet, std::nullptr_t>)
      if (kind != "inverted" && kind != "identical")
        e.add(&errors::darknet, apart(of(*darknet, v, true).by, of(formula, v, true).by));
  }
  return e;
}

/// Up to the next power of ten, so that the page does not change with the compiler; differences that are large as they
/// are.
std::string bound(double x) {
  if (x < 0) return "-";
  std::ostringstream text;
  if (x > 0.005) {
    text.precision(x < 0.1 ? 1 : 2);
    text << x;
  } else {
    text << "1e" << std::max(-16.0, std::ceil(std::log10(std::max(x, 1e-300))));
  }
  return text.str();
}

std::string cell(errors const& e, bool peers) {
  return peers ? bound(e.dual) + " / " + bound(e.torch) + " / " + bound(e.darknet) : bound(e.dual);
}

errors measured(std::string const& kind, std::string const& loss) {
  namespace darknet = hone::darknet_compat;
  using view = hone::matrix_view<const double>;
  const auto with = [&](auto const& formula, reference const& exact, auto const& theirs) {
    return measure(kind, loss, formula, exact, &theirs);
  };
  const view none;
  const std::nullptr_t nothing = nullptr;
  if (loss == "iou_loss")
    return with(hone::one_minus<hone::iou_metric>{}, naive::iou_loss, darknet::iou_loss(none, hone::centers).formula);
  if (loss == "giou_loss")
    return with(hone::one_minus<hone::giou_metric>{}, naive::giou_loss,
                darknet::giou_loss(none, hone::centers).formula);
  if (loss == "diou_loss")
    return with(hone::one_minus<hone::diou_metric>{}, naive::diou_loss,
                darknet::diou_loss(none, hone::centers).formula);
  if (loss == "ciou_loss")
    return with(hone::one_minus<hone::ciou_metric>{}, naive::ciou_loss,
                darknet::ciou_loss(none, hone::centers).formula);
  if (loss == "eiou_loss") return with(hone::one_minus<hone::eiou_metric>{}, naive::eiou_loss, nothing);
  return with(hone::one_minus<hone::siou_metric>{}, naive::siou_loss, nothing);
}

const char* const heading = R"(# Gradients of box losses

Written by `tests/loss/box/table_test.cpp`, which holds hone to it. Each cell has the largest difference of a gradient in
`double`, relative to its largest number, rounded up to a power of ten where it is small:

* hone's from dual numbers through the formula of the paper,
* hone's from torchvision's autograd, by the corners (`tests/loss/box/values.py`), which adds 1e-7 to areas,
* darknet's (`hone::darknet_compat`) from hone's, by the centre and the sides.

"-" is where there is nothing to compare with: torchvision has no derivative that is a number, or means something else by
an inverted box; on a tie a formula has two derivatives, of which hone and PyTorch take the mean. Of identical boxes the
gradient itself is given, which is 0. For boxes that touch, torchvision's `box_iou` has the gradient of boxes that overlap,
its losses that of boxes apart, and so has hone. hone's value and gradient are finite in every cell, which is tested too.

)";

std::string page() {
  std::ostringstream text;  // g++ 12 -O3 misreads sums of strings
  text << heading << "| boxes |";
  for (auto const* loss : losses) text << " `" << loss << "` |";
  text << "\n|---|---|---|---|---|---|---|\n";
  for (auto const* kind : kinds) {
    text << "| " << kind << " |";
    for (std::size_t k = 0; k < 6; ++k) text << ' ' << cell(measured(kind, losses[k]), k < 4) << " |";
    text << '\n';
  }
  return text.str();
}

}  // namespace

TEST_CASE("docs/box_gradients.md states the measured errors against dual numbers, torchvision and darknet") {
  const std::string path = HONE_SOURCE_FOLDER "/docs/box_gradients.md";
  if (std::getenv("HONE_WRITE_DOCS")) std::ofstream(path) << page();
  std::ifstream file(path);
  REQUIRE(file);
  std::string line;
  std::vector<std::vector<std::string>> rows;
  while (std::getline(file, line))
    if (line.starts_with("| ") && !line.starts_with("| boxes")) {
      std::vector<std::string> cells;
      std::istringstream parts(line.substr(2));
      for (std::string part; std::getline(parts, part, '|');) cells.push_back(part);
      rows.push_back(cells);
    }
  REQUIRE(rows.size() == std::size(kinds));
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t k = 0; k < 6; ++k) {
      const errors e = measured(kinds[i], losses[k]);
      std::istringstream said(rows[i].at(k + 1));
      for (const double seen : {e.dual, e.torch, e.darknet}) {
        if (k >= 4 && seen != e.dual) break;
        std::string word;
        said >> word;
        CAPTURE(std::string(kinds[i]));
        CAPTURE(std::string(losses[k]));
        CAPTURE(word);
        CHECK((word == "-") == (seen < 0));
        if (word != "-") CHECK(seen <= 1.1 * std::stod(word) + 3e-16);
        said >> word;  // the slash
        if (k >= 4) break;
      }
      if (e.dual >= 0) CHECK(e.dual <= 1e-11);
    }
}
