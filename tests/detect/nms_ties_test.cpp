// SPDX-License-Identifier: MIT
// nms keeps a box whose overlap equals the threshold, for any type, in any lane, under any flags. Every IoU is a
// quotient of small integers, so that the right answer follows from integers alone.
#include <hone/hone.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <vector>

namespace {

const hone::cpu cpu(1);

/// Whether the first box suppresses the second, which stands at place `among` of boxes that overlap nothing.
template <class T>
bool suppresses(std::array<T, 4> a, std::array<T, 4> b, double threshold, bool distance = false, int among = 0) {
  std::vector<T> boxes;
  std::vector<float> scores;
  const auto add = [&](std::array<T, 4> const& x) {
    boxes.insert(boxes.end(), x.begin(), x.end());
    scores.push_back(1 - 1e-3f * float(scores.size()));
  };
  for (int i = 0; i < among; ++i) add({T(0), T(100 - i), T(1), T(101 - i)});  // in another place than a and b
  add(a), add(b);
  const hone::matrix_view<const T> view{boxes.data(), scores.size(), 4};
  const auto kept = distance ? hone::diou_nms(cpu, view, scores, {.threshold = threshold})
                             : hone::nms(cpu, view, scores, {.threshold = threshold});
  return kept.size() < scores.size();
}

/// Boxes of one line with IoU part/whole.
template <class T>
bool suppresses(int part, int whole, double threshold) {
  return suppresses<T>({T(0), T(0), T(whole), T(1)}, {T(0), T(0), T(part), T(1)}, threshold);
}

/// Wrong answers among all part/whole up to `most` at the thresholds .01 to .99.
template <class T>
int wrong(int most, int step = 1) {
  int count = 0;
  for (int percent = 1; percent < 100; ++percent)
    for (int whole = step; whole <= most; whole += step) {
      const int exact = whole * percent / 100;
      for (int part = exact; part <= exact + 1 && part <= whole;
           ++part)  // the last that is not above, the first that is
        count += suppresses<T>(part, whole, percent / 100.0) != (100 * part > percent * whole);
    }
  return count;
}

}  // namespace

TEST_CASE("nms keeps a box whose IoU equals the threshold") {
  CHECK_FALSE(suppresses<float>(117, 180, 0.65));
  CHECK_FALSE(suppresses<double>(63, 90, 0.7));
  CHECK(wrong<float>(2000) == 0);
  CHECK(wrong<double>(2000) == 0);
}

TEST_CASE("nms keeps a box whose IoU equals the threshold in any lane") {
  for (int among = 0; among < 70; ++among) {
    CHECK_FALSE(suppresses<float>({0, 200, 180, 201}, {0, 200, 117, 201}, 0.65, false, among));
    CHECK(suppresses<float>({0, 200, 180, 201}, {0, 200, 118, 201}, 0.65, false, among));
    CHECK_FALSE(suppresses<double>({0, 200, 90, 201}, {0, 200, 63, 201}, 0.7, false, among));
    CHECK(suppresses<double>({0, 200, 90, 201}, {0, 200, 64, 201}, 0.7, false, among));
  }
}

TEST_CASE("nms is exact at the threshold if both sides vary and float cannot hold the areas") {
  // 7 · 5 by 10 · 7 units of 3001 x 3011 pixels is 1/2; with 63/90 and 13/20 as the parts of a side.
  for (const double unit : {1.0, 3001.0, 12011.0}) {
    const auto tie = [&]<class T>(T, double part, double whole, double threshold) {
      return suppresses<T>({T(0), T(0), T(whole * unit), T(unit)}, {T(0), T(0), T(part * unit), T(unit)}, threshold);
    };
    CHECK_FALSE(tie(0.0f, 63, 90, 0.7));
    CHECK_FALSE(tie(0.0f, 117, 180, 0.65));
    CHECK_FALSE(tie(0.0, 63, 90, 0.7));
    CHECK_FALSE(tie(0.0, 117, 180, 0.65));
    CHECK(tie(0.0f, 64, 90, 0.7));
    CHECK(tie(0.0, 64, 90, 0.7));
  }
}

TEST_CASE("diou_nms keeps a box whose DIoU equals the threshold") {
  // One line of length n, one of n - 2k from k on: around one centre, DIoU = IoU. From 0 on: ρ = k, IoU - k²/(n² + 1).
  int wrong_ones = 0;
  for (int n = 2; n <= 60; ++n)
    for (int m = 1; m < n; ++m)
      for (int percent = 1; percent < 100; percent += 1) {
        const std::int64_t distance = std::int64_t(n - m) * (n - m), diagonal = 4 * (std::int64_t(n) * n + 1);
        // m/n - distance/diagonal against percent/100
        const bool above = 100 * (m * diagonal - distance * n) > percent * n * diagonal;
        wrong_ones += suppresses<float>({0, 0, float(n), 1}, {0, 0, float(m), 1}, percent / 100.0, true) != above;
        wrong_ones += suppresses<double>({0, 0, double(n), 1}, {0, 0, double(m), 1}, percent / 100.0, true) != above;
      }
  CHECK(wrong_ones == 0);
  wrong_ones = 0;
  for (int whole = 20; whole <= 2000; whole += 20)  // around one centre
    for (int percent = 5; percent < 100; percent += 5) {
      const int part = whole * percent / 100, from = whole - part;
      const auto of = [&]<class T>(T, int width) {  // in halves of a pixel
        return suppresses<T>({T(0), T(0), T(2 * whole), T(2)}, {T(from), T(0), T(from + width), T(2)}, percent / 100.0,
                             true);
      };
      wrong_ones += of(0.0f, 2 * part) || of(0.0, 2 * part);
    }
  CHECK(wrong_ones == 0);
}

TEST_CASE("nms with a threshold that rounds to 1 suppresses nothing") {
  for (const double threshold : {1.0, 1 - 1e-9, 0.99999999}) {
    CHECK_FALSE(suppresses<float>({0.1f, 0.2f, 0.7f, 0.9f}, {0.1f, 0.2f, 0.7f, 0.9f}, threshold));
    CHECK(suppresses<double>({0, 0, 3, 3}, {0, 0, 3, 3}, threshold) == (threshold < 1));
  }
}

TEST_CASE("nms takes boxes of integers and compares them exactly") {
  CHECK(wrong<std::int32_t>(2000, 20) == 0);
  CHECK(wrong<std::int64_t>(2000, 20) == 0);
  CHECK(wrong<std::int16_t>(2000, 20) == 0);
  CHECK(wrong<std::uint8_t>(240, 20) == 0);
  const std::int32_t far = 100000001;  // no float: one pixel more is another box
  CHECK_FALSE(suppresses<std::int32_t>({far, 0, far + 2, 1}, {far + 1, 0, far + 3, 1}, 0.34));
  CHECK(suppresses<std::int64_t>({far, 0, far + 2, 1}, {far + 1, 0, far + 3, 1}, 0.33));
  CHECK(suppresses<std::int16_t>({-32768, -32768, 32767, 32767}, {-32768, -32768, 32767, 32766}, 0.9999));
}
