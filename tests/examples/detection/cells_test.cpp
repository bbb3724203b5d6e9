// SPDX-License-Identifier: MIT
#include "recipes.hpp"

#include <doctest/doctest.h>

using namespace detection;

namespace {

double made_up(std::mt19937_64& random, double least, double most) {
  return least + (most - least) * demo::uniform(random);
}

/// Whether no edge of one box lies near an edge of the other: there losses of overlaps have corners.
bool smooth(const centred<float>& a, const centred<float>& b) {
  const auto apart = [](float from, float size, float other, float other_size) {
    for (const float one : {from - size / 2, from + size / 2})
      for (const float two : {other - other_size / 2, other + other_size / 2})
        if (std::abs(one - two) < 0.3f) return false;
    return std::abs(from - other) > 0.3f;
  };
  return apart(a.cx, a.w, b.cx, b.w) && apart(a.cy, a.h, b.cy, b.h);
}

}  // namespace

TEST_CASE("cell_code encodes a box and decodes it again") {
  std::mt19937_64 random(1);
  for (int cell = 0; cell < cells; ++cell) {
    const centred<double> box{made_up(random, 0, 96), made_up(random, 0, 96), made_up(random, 1, 90),
                              made_up(random, 1, 90)};
    const centred<double> again = cell_code<double>::of(cell, box).box(cell);
    CHECK(again.cx == doctest::Approx(box.cx).epsilon(1e-14));
    CHECK(again.cy == doctest::Approx(box.cy).epsilon(1e-14));
    CHECK(again.w == doctest::Approx(box.w).epsilon(1e-14));
    CHECK(again.h == doctest::Approx(box.h).epsilon(1e-14));
  }
  // cell 25 is column 1, row 2 of 12
  CHECK(cell_code<double>{0, 0, 0, 0}.box(25).cx == 12);
  CHECK(cell_code<double>{0, 0.5, 0, 0}.box(25).cy == 24);
  CHECK(cell_code<double>{0, 0, 0, 0}.box(25).w == 8);
}

TEST_CASE("cell_code::chain is the derivative of the decoding") {
  std::mt19937_64 random(2);
  const double h = 1e-6;
  for (int trial = 0; trial < 50; ++trial) {
    const int cell = static_cast<int>(random() % cells);
    const centred<double> by{made_up(random, -1, 1), made_up(random, -1, 1), made_up(random, -1, 1),
                             made_up(random, -1, 1)};
    const cell_code<double> at{made_up(random, -1, 1), made_up(random, -1, 1), made_up(random, -1, 7),
                               made_up(random, -1, 7)};
    const cell_code<double> got = at.chain(cell, by);
    for (double cell_code<double>::* part :
         {&cell_code<double>::x, &cell_code<double>::y, &cell_code<double>::w, &cell_code<double>::h}) {
      const auto value = [&](double step) {
        cell_code<double> moved = at;
        moved.*part += step;
        const centred<double> b = moved.box(cell);
        return by.cx * b.cx + by.cy * b.cy + by.w * b.w + by.h * b.h;
      };
      CHECK(got.*part == doctest::Approx((value(h) - value(-h)) / (2 * h)).epsilon(1e-6).scale(1));
    }
  }
}

TEST_CASE("decoded boxes and their derivatives are finite for any numbers of a cell") {
  for (const float x : {-1e30f, -100.0f, 100.0f, 1e30f}) {
    const centred<float> box = cell_code<float>{0, 0, x, x}.box(5);
    CHECK(std::isfinite(box.w));
    CHECK(cell_code<float>{0, 0, x, x}.chain(5, {1, 1, 1, 1}).h == (x > 0 ? 0 : 8 * std::exp(x)));
  }
}

TEST_CASE("assign gives a box to the cell of its centre") {
  const std::vector<truth> truths = {{{0, 0, 20, 12}, 3}, {{40, 40, 96, 96}, 7}};
  const assignment a = assign(truths);
  REQUIRE(a.positives.size() == 2);
  CHECK(a.positives[0].cell == 1);  // (10, 6)
  CHECK(a.positives[0].box.cx == 10);
  CHECK(a.positives[0].box.h == 12);
  CHECK(a.positives[1].cell == 8 * 12 + 8);  // (68, 68)
  CHECK(a.labels[1] == 3);
  CHECK(a.labels[8 * 12 + 8] == 7);
  CHECK(std::count(a.labels.begin(), a.labels.end(), assignment::background) == cells - 2);
}

TEST_CASE("assign keeps the later of two boxes in a cell, and ignores cells of a crowd without a box") {
  const std::vector<truth> truths = {
      {{0, 0, 8, 8}, 1}, {{0, 0, 10, 10}, 2}, {{80, 80, 96, 96}, 4, true}, {{84, 84, 96, 96}, 5}};
  const assignment a = assign(truths);
  REQUIRE(a.positives.size() == 2);
  CHECK(a.labels[0] == 2);
  CHECK(a.positives[0].box.w == 10);
  CHECK(a.labels[10 * 12 + 10] == assignment::ignored);
  CHECK(a.labels[10 * 12 + 11] == assignment::ignored);
  CHECK(a.labels[11 * 12 + 11] == 5);  // (90, 90)
  CHECK(std::count(a.labels.begin(), a.labels.end(), assignment::ignored) == 3);
}

TEST_CASE("box loss gradients by the cells' numbers match finite differences for every recipe") {
  std::mt19937_64 random(3);
  const hone::cpu cpu{1};
  for (const recipe& r : all_recipes()) {
    CAPTURE(r.name);
    box_batch b;
    while (b.codes.size() < 24) {
      const auto number = [&](double least, double most) { return static_cast<float>(made_up(random, least, most)); };
      const int cell = static_cast<int>(random() % cells);
      const cell_code<float> code{number(-0.4, 0.4), number(-0.4, 0.4), number(0.5, 1.5), number(0.5, 1.5)};
      const centred<float> box = code.box(cell);
      const centred<float> target{box.cx + number(-6, 6), box.cy + number(-6, 6), number(12, 40), number(12, 40)};
      if (!smooth(box, target)) continue;
      b.cells.push_back(cell);
      b.codes.push_back(code);
      b.targets.push_back(target);
    }
    r.boxes(cpu, b);
    const std::vector<cell_code<float>> gradient = b.gradient;
    for (std::size_t i = 0; i < b.codes.size(); ++i)
      for (float cell_code<float>::* part :
           {&cell_code<float>::x, &cell_code<float>::y, &cell_code<float>::w, &cell_code<float>::h}) {
        const float kept = b.codes[i].*part, h = 1.0f / 512;
        b.codes[i].*part = kept + h;
        const double above = r.boxes(cpu, b);
        b.codes[i].*part = kept - h;
        const double below = r.boxes(cpu, b);
        b.codes[i].*part = kept;
        // CIoU's alpha counts as a constant: its gradient is not that of the value
        const double tolerance = r.name == "ciou" ? 0.05 : 2e-3;
        CHECK(gradient[i].*part == doctest::Approx((above - below) / (2 * h)).epsilon(tolerance).scale(0.2));
      }
  }
}
