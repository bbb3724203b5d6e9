// SPDX-License-Identifier: MIT
// Non-maximum suppression: results worked out by hand, edges, threads, and errors. The conformance cases of every
// backend are in tests/conformance/nms.hpp.
#include <hone/hone.hpp>

#include <conformance/nms.hpp>
#include <support/message.hpp>

#include <array>
#include <random>

namespace {

using rows = std::vector<hone::index>;
using boxes_of_float = std::vector<std::array<float, 4>>;

const double not_a_number = std::numeric_limits<double>::quiet_NaN(),
             infinity = std::numeric_limits<double>::infinity();
const hone::cpu cpu(2);

template <class T>
hone::matrix_view<T const> view(std::vector<std::array<T, 4>> const& boxes) {
  return {boxes.empty() ? nullptr : boxes[0].data(), boxes.size(), 4};
}
rows nms(boxes_of_float const& boxes, std::vector<float> const& scores, hone::nms_options options = {}) {
  return hone::nms(cpu, view(boxes), scores, options);
}
rows diou_nms(boxes_of_float const& boxes, std::vector<float> const& scores, hone::nms_options options = {}) {
  return hone::diou_nms(cpu, view(boxes), scores, options);
}
rows batched_nms(boxes_of_float const& boxes, std::vector<float> const& scores, auto const& classes,
                 hone::nms_options options = {}) {
  return hone::batched_nms(cpu, view(boxes), scores, classes, options);
}

}  // namespace

TEST_CASE("nms removes a box whose IoU with a kept box of a higher score is above the threshold") {
  const boxes_of_float boxes{{0, 0, 8, 8}, {0, 0, 8, 4}, {4, 0, 12, 8}, {100, 0, 108, 8}};  // IoU with 0: 1/2, 1/3, 0
  const std::vector<float> scores{0.5f, 0.75f, 0.25f, 1};
  CHECK(nms(boxes, scores, {.threshold = 0.5}) == rows{3, 1, 0, 2});  // 1/2 is not more than 1/2
  CHECK(nms(boxes, scores, {.threshold = 0.4375}) == rows{3, 1, 2});
  CHECK(nms(boxes, scores, {.threshold = 0.25}) == rows{3, 1, 2});  // 0 would have suppressed 2, but is gone itself
  CHECK(nms(boxes, scores, {.threshold = 0}) == rows{3, 1});
  CHECK(nms({{0, 0, 10, 1}, {0, 0, 6, 1}}, {2, 1}, {.threshold = 0.6}) == rows{0, 1});  // 6/10, which no float is
  CHECK(nms(boxes, scores) == nms(boxes, scores, {.threshold = 0.5}));
}

TEST_CASE("diou_nms keeps overlapping boxes whose centres are apart") {
  const boxes_of_float boxes{{0, 0, 8, 8}, {0, 0, 8, 4}, {1, 1, 7, 7}};
  const std::vector<float> scores{3, 2, 1};
  // With 0: IoU 1/2, ρ²/c² = 4/128, and IoU 36/64 around one centre. 1 and 2 overlap by 18/50.
  CHECK(nms(boxes, scores, {.threshold = 0.484375}) == rows{0});
  CHECK(diou_nms(boxes, scores, {.threshold = 0.484375}) == rows{0, 1});
  CHECK(diou_nms(boxes, scores, {.threshold = 0.46875}) == rows{0, 1});  // DIoU is 0.46875, not more
  CHECK(diou_nms(boxes, scores, {.threshold = 0.453125}) == rows{0});
  CHECK(diou_nms(boxes, scores, {.threshold = 0.5625}) == rows{0, 1, 2});
}

TEST_CASE("nms orders equal scores by row, and treats -0 as 0") {
  const boxes_of_float same(5, {0, 0, 1, 1});
  CHECK(nms(same, {1, 1, 1, 1, 1}) == rows{0});
  CHECK(nms(same, {-1, 0, -0.0f, 0, -1}) == rows{1});
  CHECK(nms(same, {-1, -0.0f, 0, 0, -1}) == rows{1});
  boxes_of_float apart;
  for (int i = 0; i < 5; ++i) apart.push_back({float(i), 0, float(i + 1), 1});
  CHECK(nms(apart, {-0.0f, 2, 0, 2, -0.0f}) == rows{1, 3, 0, 2, 4});
  CHECK(nms(apart, {-3, -2, -4, -2, std::numeric_limits<float>::infinity()}) == rows{4, 1, 3, 0, 2});
}

TEST_CASE("nms of no boxes, of one box and of equal boxes") {
  CHECK(nms({}, {}).empty());
  CHECK(diou_nms({}, {}).empty());
  CHECK(batched_nms({}, {}, std::vector<int>{}).empty());
  CHECK(nms({{1, 2, 3, 4}}, {0.25f}) == rows{0});
  const boxes_of_float same(300, {0.1f, 0.2f, 0.7f, 0.9f});
  const std::vector<float> scores(300, 0.5f);
  CHECK(nms(same, scores, {.threshold = 0.99}) == rows{0});
  CHECK(diou_nms(same, scores, {.threshold = 0.99}) == rows{0});
  CHECK(nms(same, scores, {.threshold = 1}).size() == 300);
  CHECK(diou_nms(same, scores, {.threshold = 1}).size() == 300);
}

TEST_CASE("nms with a threshold of 1 suppresses nothing, however areas are rounded") {
  std::mt19937 draw(3);
  std::uniform_real_distribution<float> number(0.01f, 1);
  boxes_of_float boxes;
  for (int i = 0; i < 500; ++i) {
    const float x = number(draw), y = number(draw);
    boxes.insert(boxes.end(), 2, {x, y, x + number(draw), y + number(draw)});
    boxes.back() = boxes[boxes.size() - 2];
  }
  const std::vector<float> scores(boxes.size(), 1);
  CHECK(nms(boxes, scores, {.threshold = 1}).size() == boxes.size());
  CHECK(nms(boxes, scores, {.threshold = 0.999}).size() < boxes.size());
}

TEST_CASE("nms never suppresses boxes without area") {
  const boxes_of_float boxes{{3, 3, 3, 3}, {3, 3, 3, 3}, {0, 0, 8, 8}, {5, 1, 5, 6}, {6, 6, 2, 2}, {2, 7, 6, 2}};
  const std::vector<float> scores{6, 5, 4, 3, 2, 1};
  CHECK(nms(boxes, scores, {.threshold = 0}) == rows{0, 1, 2, 3, 4, 5});
  CHECK(diou_nms(boxes, scores, {.threshold = 0}) == rows{0, 1, 2, 3, 4, 5});
}

TEST_CASE("nms skips rows with NaN, and rows whose score is not above the score threshold") {
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  const float none = -std::numeric_limits<float>::infinity();
  const boxes_of_float same(4, {0, 0, 1, 1});
  CHECK(nms(same, {nan, -nan, none, -7}) == rows{3});
  CHECK(nms(same, {nan, nan, none, nan}).empty());
  for (std::size_t c = 0; c < 4; ++c) {
    boxes_of_float holed = same;
    holed[0][c] = nan;
    CHECK(nms(holed, {9, 1, 3, 2}) == rows{2});
    CHECK(diou_nms(holed, {9, 1, 3, 2}) == rows{2});
    CHECK(batched_nms(holed, {9, 1, 3, 2}, std::vector<int>{0, 1, 0, 0}) == rows{2, 1});
  }
  const boxes_of_float apart{{0, 0, 1, 1}, {2, 0, 3, 1}, {4, 0, 5, 1}};
  CHECK(nms(apart, {0.25f, 0.5f, 0.75f}, {.score_threshold = 0.5}) == rows{2});
  CHECK(nms(apart, {0, -0.0f, 1e-30f}, {.score_threshold = 0}) == rows{2});
  CHECK(nms(apart, {1, 2, 3}, {.score_threshold = infinity}).empty());
}

TEST_CASE("nms: skipped and suppressed boxes suppress nothing") {
  const boxes_of_float chain{{0, 0, 8, 8}, {2, 0, 10, 8}, {4, 0, 12, 8}, {6, 0, 14, 8}};  // neighbours: 6/10, then 1/3
  CHECK(nms(chain, {4, 3, 2, 1}) == rows{0, 2});
  CHECK(nms(chain, {4, 3, 2, 1}, {.threshold = 0.25}) == rows{0, 3});
  CHECK(nms(chain, {1, 3, 2, 4}, {.score_threshold = 1}) == rows{3, 1});
}

TEST_CASE("batched_nms counts its limit of kept boxes over all classes together") {
  const boxes_of_float apart{{0, 0, 1, 1}, {2, 0, 3, 1}, {4, 0, 5, 1}, {6, 0, 7, 1}};
  const std::vector<float> scores{1, 4, 3, 2};
  CHECK(nms(apart, scores, {.most = 0}).empty());
  CHECK(nms(apart, scores, {.most = 3}) == rows{1, 2, 3});
  CHECK(batched_nms(apart, scores, std::vector<int>{2, 1, 0, 1}, {.most = 3}) == rows{1, 2, 3});
}

TEST_CASE("batched_nms takes classes of any integer type and value, and works far from the origin") {
  // Far from 0, an offset of a class times the largest coordinate would leave a float no digits for these sides.
  const boxes_of_float boxes{{1e6f, 0, 1e6f + 1, 1}, {1e6f, 0, 1e6f + 1, 1}, {1e6f + 1, 0, 1e6f + 2, 1}};
  const std::vector<float> scores{3, 2, 1};
  CHECK(batched_nms(boxes, scores, std::vector<int>{-7, 5000, -7}) == rows{0, 1, 2});
  CHECK(batched_nms(boxes, scores, std::vector<int>{-7, -7, -7}) == rows{0, 2});
  CHECK(batched_nms(boxes, scores, std::vector<std::uint64_t>{~0ULL, 1, ~0ULL}) == rows{0, 1, 2});
  CHECK(batched_nms(boxes, scores, std::array<signed char, 3>{-128, 127, 127}) == rows{0, 1, 2});
  CHECK(hone::batched_diou_nms(cpu, view(boxes), scores, std::vector<short>{1, 1, 2}) == rows{0, 2});
}

TEST_CASE("nms takes boxes with strides and of any type") {
  std::vector<float> padded;
  std::vector<Eigen::half> half;
  std::vector<double> wide;
  for (const auto& b : {std::array{0, 0, 8, 8}, std::array{0, 0, 8, 6}, std::array{20, 0, 28, 8}}) {
    for (const int x : b) padded.push_back(float(x)), half.push_back(Eigen::half(float(x))), wide.push_back(x);
    padded.insert(padded.end(), 3, std::numeric_limits<float>::quiet_NaN());
  }
  const std::vector<double> scores{1, 2, 3};
  CHECK(hone::nms(cpu, hone::matrix_view{padded.data(), 3, 4, 7}, scores) == rows{2, 1});
  CHECK(hone::nms(cpu, hone::matrix_view{half.data(), 3, 4}, scores) == rows{2, 1});
  CHECK(hone::nms(cpu, hone::matrix_view{wide.data(), 3, 4}, std::span(scores)) == rows{2, 1});
}

TEST_CASE("nms of many boxes matches the definition on any number of threads") {
  for (const hone::index plane : {100, 3000}) {
    const auto d = conformance::some_detections(2500, plane);
    std::vector<std::array<double, 4>> boxes;
    boxes.reserve(d.boxes.size());
    for (const auto& b : d.boxes) boxes.push_back({b[0], b[1], b[2], b[3]});
    const auto expected = conformance::suppressed_by_definition(d, conformance::suppression::nms, {});
    const auto by_class = conformance::suppressed_by_definition(d, conformance::suppression::batched_diou_nms, {});
    for (const int threads : {1, 2, 5}) {
      CHECK(hone::nms(hone::cpu(threads), view(boxes), d.scores) == expected);
      CHECK(hone::batched_diou_nms(hone::cpu(threads), view(boxes), d.scores, d.classes) == by_class);
    }
  }
}

TEST_CASE("nms takes scores in a column or of 16 bits, and a format in the place of options") {
  const std::vector<float> head{4, 4, 8, 8, 0.6f, 5, 4, 8, 8, 0.9f, 25, 25, 10, 10, 0.3f};  // cx, cy, w, h and a score
  const hone::matrix_view<const float> boxes{head.data(), 3, 4, 5}, column{head.data() + 4, 3, 1, 5};
  const std::vector<Eigen::half> half{Eigen::half(0.6f), Eigen::half(0.9f), Eigen::half(0.3f)};
  const std::vector<double> wide{0.6, 0.9, 0.3};
  const std::vector<int> classes{3, 7, 3}, images{1, 0, 1};
  CHECK(hone::nms(cpu, boxes, column, hone::centers) == rows{1, 2});
  CHECK(hone::nms(cpu, boxes, half, hone::centers) == rows{1, 2});
  CHECK(hone::nms(cpu, boxes, std::span(wide), {.threshold = 0.9}, hone::centers) == rows{1, 0, 2});
  CHECK(hone::diou_nms(cpu, boxes, column, hone::centers) == rows{1, 2});
  CHECK(hone::batched_nms(cpu, boxes, column, classes, hone::centers) == rows{1, 0, 2});
  CHECK(hone::batched_diou_nms(cpu, boxes, column, classes, hone::centers) == rows{1, 0, 2});
  CHECK(hone::batched_nms(cpu, boxes, column, classes, images) == rows{1, 0, 2});
  CHECK(hone::batched_nms(cpu, boxes, column, images, images, {}, hone::centers) == rows{1, 0, 2});
  CHECK(hone::batched_nms(cpu, boxes, column, classes, images, {.most_per_class = 1}, hone::centers) == rows{1, 0});
  const hone::nms_options named{.most = 1};
  CHECK(hone::batched_nms(cpu, boxes, column, classes, named) == rows{1});
  CHECK(support::message([&] { hone::nms(cpu, boxes, boxes); }) == "nms: scores is 3 x 4, must be one column");
  CHECK(support::message([&] { hone::nms(cpu, boxes, column, {.most_per_class = -1}); }) ==
        "nms: most_per_class is -1, must be at least 0");
  CHECK(support::message([&] { hone::batched_nms(cpu, boxes, column, classes, std::vector<int>{1}); }) ==
        "batched_nms: 1 images for 3 boxes");
}

TEST_CASE("nms compares small boxes far from the origin by their sides, not by rounded corners") {
  // Numbers of float are 1/4 apart there.
  const float far = 4e6f;
  const std::vector<float> equal = {far, far, 0.2f, 0.2f, far, far, 0.2f, 0.2f};
  const std::vector<float> beside = {far, far, 0.375f, 0.25f, far + 0.25f, far, 0.375f, 0.25f};  // IoU 1/5
  const std::vector<float> scores = {0.9f, 0.8f};
  const auto kept = [&](std::vector<float> const& v, double threshold, auto format) {
    return hone::nms(hone::cpu(1), hone::matrix_view{v.data(), 2, 4}, scores, {.threshold = threshold}, format).size();
  };
  CHECK(kept(equal, 0.99, hone::centers) == 1);
  CHECK(kept(equal, 0.99, hone::top_left) == 1);
  CHECK(kept(beside, 0.19, hone::centers) == 1);
  CHECK(kept(beside, 0.21, hone::centers) == 2);
  CHECK(kept(beside, 0.19, hone::top_left) == 1);
  CHECK(kept(beside, 0.21, hone::top_left) == 2);
  CHECK(hone::diou_nms(hone::cpu(1), hone::matrix_view{equal.data(), 2, 4}, scores, hone::centers).size() == 1);
}

TEST_CASE("nms: invalid arguments throw with their values") {
  const boxes_of_float boxes(3, {0, 0, 1, 1});
  const std::vector<float> scores{1, 2, 3}, more{1, 2, 3, 4};
  const std::vector<int> classes{1, 2};
  const auto of = [&](hone::nms_options options) {
    return support::message([&] { hone::nms(cpu, view(boxes), scores, options); });
  };
  CHECK(of({.threshold = 1.5}) == "nms: threshold is 1.5, must be in [0, 1]");
  CHECK(of({.threshold = -0.25}) == "nms: threshold is -0.25, must be in [0, 1]");
  CHECK(of({.threshold = not_a_number}).find("nms: threshold is ") == 0);
  CHECK(of({.score_threshold = not_a_number}).find("nms: score_threshold is ") == 0);
  CHECK(of({.most = -1}) == "nms: most is -1, must be at least 0");
  CHECK(of({}).empty());
  using floats = hone::matrix_view<float const>;
  const auto with = [&](floats v) { return support::message([&] { hone::diou_nms(cpu, v, scores); }); };
  CHECK(with({boxes[0].data(), 3, 3}) == "diou_nms: boxes is 3 x 3, boxes are rows of 4");
  CHECK(with({boxes[0].data(), -3, 4}) == "diou_nms: boxes is -3 x 4, boxes are rows of 4");
  CHECK(with({boxes[0].data(), 3, 4, 2}) == "diou_nms: boxes has a row_stride of 2, must be at least its 4 columns");
  CHECK(with({static_cast<float const*>(nullptr), 3, 4}) == "diou_nms: boxes is 3 x 4 but has no data");
  CHECK(support::message([&] { hone::nms(cpu, view(boxes), more); }) == "nms: 4 scores for 3 boxes");
  CHECK(support::message([&] { hone::batched_nms(cpu, view(boxes), scores, classes); }) ==
        "batched_nms: 2 classes for 3 boxes");
  CHECK(support::message([&] { hone::batched_diou_nms(cpu, view(boxes), scores, classes); }) ==
        "batched_diou_nms: 2 classes for 3 boxes");
}
