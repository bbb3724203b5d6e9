// SPDX-License-Identifier: MIT
// Views with negative sizes, or whose size overflows, throw before memory is touched.
#include <hone/hone.hpp>

#include <support/message.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace {

using matrix = hone::matrix_view<float>;
using image = hone::image_view<float>;

const hone::cpu one{1};
std::vector<float> memory(64, 0.5f);
float* const none = nullptr;

bool refuses(std::string const& text, auto const& body) {
  const std::string said = support::message(body);
  CAPTURE(said);
  CHECK(said.find(text) != std::string::npos);
  return said.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("matrices larger than memory throw") {
  const auto huge = [](float* data, hone::index rows, hone::index columns) {
    const matrix v{data, rows, columns};
    const char* const text = data ? "more than memory can hold" : "but has no data";
    bool all = refuses(text, [&] { hone::evaluate(one, hone::z_loss(1), v); });
    all &= refuses(text, [&] { hone::evaluate(one, hone::binary_cross_entropy(v), v); });
    all &= refuses(text, [&] { hone::evaluate(one, hone::z_loss(1), v, {.gradient = v}); });
    all &= refuses(text, [&] { hone::fused_confidence(one, v, v, v); });
    all &= refuses(text, [&] { hone::average_teachers(one, {v}, 1, v); });
    all &= refuses(text, [&] { hone::blend(one, hone::mixup_draw{}, v, v); });
    all &= refuses(text, [&] { hone::reliability(one, v, std::vector<int>{}); });
    if (columns != 4) return all;
    all &= refuses(text, [&] { hone::evaluate(one, hone::ciou_loss(v), v); });
    all &= refuses(text, [&] { hone::pairwise_iou(one, v, matrix{memory.data(), 0, 4}, {memory.data(), rows, 0, 1}); });
    return all && refuses(text, [&] { hone::nms(one, v, memory); });
  };
  for (float* const data : {none, memory.data()})
    for (const int power : {58, 59, 60, 61, 62}) {
      CAPTURE(power);
      const hone::index n = hone::index(1) << power;
      CHECK(huge(data, n, 4));
      CHECK(huge(data, 4, n));
      CHECK(huge(data, n, n));
      CHECK(huge(data, n - 1, 3));
      CHECK(huge(data, std::numeric_limits<hone::index>::max(), 1));
    }
  CHECK(refuses("more than memory can hold",
                [&] { hone::evaluate(one, hone::z_loss(1), matrix{memory.data(), 4, 3, hone::index(1) << 61}); }));
  CHECK(refuses("more than memory can hold", [&] {
    hone::evaluate(one, hone::z_loss(1), matrix{memory.data(), 4, 3},
                   {.gradient = {memory.data(), 4, 3, hone::index(1) << 62}});
  }));
}

TEST_CASE("images larger than memory or with negative sides throw") {
  const auto evaluates = [](image v) { return [v] { hone::evaluate(one, hone::z_loss(1), v); }; };
  const hone::index big = hone::index(1) << 32, most = std::numeric_limits<hone::index>::max();
  for (float* const data : {none, memory.data()}) {
    const char* const text = data ? "more than memory can hold" : "but has no data";
    CHECK(refuses(text, evaluates({data, big, 4, big})));
    CHECK(refuses(text, evaluates({data, 1, 4, big, big})));
    CHECK(refuses(text, evaluates({data, 1, 4, most, most})));
    CHECK(refuses(text, evaluates({data, big, big, big, big})));
    CHECK(refuses(text, evaluates({data, most, most, most})));
  }
  for (const hone::index a : {-1, -2, -7})
    for (const hone::index b : {-3, -1, 0, 2}) {
      CHECK(refuses("sizes must not be negative", evaluates({memory.data(), 1, 3, a, b})));
      CHECK(refuses("sizes must not be negative", evaluates({memory.data(), 1, 3, b, a})));
      CHECK(refuses("sizes must not be negative", evaluates({memory.data(), a, b, 2})));
      CHECK(refuses("sizes must not be negative", evaluates({memory.data(), 1, a, b})));
    }
  CHECK(refuses("sizes must not be negative",
                evaluates({memory.data(), 1, 3, std::numeric_limits<hone::index>::min(), -1})));
  CHECK(refuses("more than memory", [] {
    hone::expected_bin(one, image{memory.data(), hone::index(1) << 32, 0, hone::index(1) << 32}, std::span<float>());
  }));
}

TEST_CASE("empty views and large strides of a single row are valid") {
  CHECK(hone::evaluate(one, hone::z_loss(1), matrix{none, 0, 1000}) == 0);
  CHECK(hone::evaluate(one, hone::z_loss(1), matrix{none, 1000, 0}) == 0);
  CHECK(hone::evaluate(one, hone::z_loss(1), image{none, 0, 3, 0, 5}) == 0);
  CHECK(hone::evaluate(one, hone::z_loss(1), matrix{memory.data(), 1, 3, 1 << 20}) > 0);
}

TEST_CASE("tensors whose shape overflows throw") {
  const hone::index big = hone::index(1) << 33;
  hone::tensor_list<float> list{{memory.data(), big, big}};
  CHECK(refuses("tensor 0 of", [&] { hone::transform(one, hone::clip_by_value(1), list); }));
  list = {{memory.data(), -2, -3}};
  CHECK(refuses("tensor 0 of", [&] { hone::transform(one, hone::clip_by_value(1), list); }));
}

TEST_CASE("levels whose number of slots overflows throw") {
  const std::vector<hone::anchor_size> anchors{{10, 10}, {20, 20}};
  const hone::index big = hone::index(1) << 31;
  const hone::anchor_level level{.images = big, .rows = big, .columns = big, .stride = 8, .anchors = anchors};
  CHECK(refuses("more slots than memory can hold", [&] { hone::boxes_in_cells(level, {}, {}); }));
  CHECK(refuses("more slots than memory can hold", [&] { hone::yolov5::match(level, {}); }));
}
