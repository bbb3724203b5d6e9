// SPDX-License-Identifier: MIT
// Overlap matrices of boxes in every format and of integers. tests/conformance/boxes.hpp has the metrics.
#include <hone/hone.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace {

const hone::cpu cpu(2);

/// IoU of [x, x + w] by [y, y + h] with another, naively.
double iou(std::vector<int> const& a, std::vector<int> const& b) {
  const double x = std::max(0, std::min(a[0] + a[2], b[0] + b[2]) - std::max(a[0], b[0]));
  const double y = std::max(0, std::min(a[1] + a[3], b[1] + b[3]) - std::max(a[1], b[1]));
  return x * y / (double(a[2]) * a[3] + double(b[2]) * b[3] - x * y);
}

const std::vector<std::vector<int>> boxes{{0, 0, 8, 8},    {2, 0, 8, 8},     {4, 6, 20, 10},
                                          {100, 90, 6, 2}, {100, 80, 6, 12}, {0, 0, 120, 100},
                                          {3, 3, 2, 2},    {7, 7, 8, 8},     {20, 30, 40, 50}};

/// Whether the matrix of all boxes with all is right, each said by four numbers of T.
template <class T, class Overlap, class Format>
bool right(Format format, auto const& said) {
  std::vector<T> numbers;
  for (auto const& b : boxes)
    for (const int x : said(b)) numbers.push_back(static_cast<T>(x));
  const auto n = static_cast<hone::index>(boxes.size());
  std::vector<Overlap> out(boxes.size() * boxes.size(), Overlap(9));
  hone::pairwise_iou(cpu, hone::matrix_view<const T>{numbers.data(), n, 4}, {numbers.data(), n, 4}, {out.data(), n, n},
                     format);
  bool all = true;
  for (std::size_t i = 0; i < boxes.size(); ++i)
    for (std::size_t j = 0; j < boxes.size(); ++j)
      all = all && double(out[i * boxes.size() + j]) == doctest::Approx(iou(boxes[i], boxes[j])).epsilon(1e-6);
  return all;
}

using four = std::vector<int>;
const auto as_corners = [](four const& b) { return four{b[0], b[1], b[0] + b[2], b[1] + b[3]}; };
const auto as_top_left = [](four const& b) { return b; };
const auto as_centers = [](four const& b) { return four{b[0] + b[2] / 2, b[1] + b[3] / 2, b[2], b[3]}; };

}  // namespace

TEST_CASE("overlap matrices take boxes of every format") {
  CHECK(right<float, float>(hone::corners, as_corners));
  CHECK(right<float, float>(hone::top_left, as_top_left));
  CHECK(right<float, float>(hone::centers, as_centers));
  CHECK(right<double, double>(hone::top_left, as_top_left));
  CHECK(right<double, double>(hone::centers, as_centers));
}

TEST_CASE("overlap matrices of integer boxes are computed exactly and returned as float") {
  CHECK(right<std::uint8_t, float>(hone::corners, as_corners));
  CHECK(right<std::int16_t, float>(hone::top_left, as_top_left));
  CHECK(right<std::int32_t, float>(hone::centers, as_centers));
  CHECK(right<std::int64_t, float>(hone::corners, as_corners));
  const std::vector<std::int32_t> far{500000001, 0, 500000003, 1, 500000002, 0, 500000004, 1};  // no floats
  float out = 0;
  hone::pairwise_iou(cpu, hone::matrix_view{far.data(), 1, 4}, {far.data() + 4, 1, 4}, {&out, 1, 1});
  CHECK(out == 1 / 3.0f);
  hone::pairwise_ioa(cpu, hone::matrix_view{far.data(), 1, 4}, {far.data() + 4, 1, 4}, {&out, 1, 1});
  CHECK(out == 0.5f);
}
