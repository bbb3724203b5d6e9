// SPDX-License-Identifier: MIT
#include <hone/core/tensor_list.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

std::string error_of(hone::tensor_list<const float> const& list) {
  try {
    hone::detail::require_tensors("transform", "gradients", list);
  } catch (hone::invalid_argument const& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a list is written in place or filled, with and without shapes, and read like a container") {
  std::vector<float> weight(12), bias(4);
  const hone::tensor_list<float> written{{weight.data(), 3, 4}, {bias.data(), bias.size()}};
  hone::tensor_list<float> filled;
  filled.push_back({weight.data(), 3u, 4L});
  filled.push_back({bias.data(), 4});
  const hone::tensor_list<const float> list = filled;
  REQUIRE(list.size() == written.size());
  CHECK(list[0].data == weight.data());
  CHECK(list[0].size == 12);
  CHECK(list[0].rows == 3);
  CHECK(list[0].columns == 4);
  CHECK(list[1].rows == 1);
  CHECK(list[1].columns == 4);
  hone::index total = 0;
  for (auto const& t : list) total += t.size;
  CHECK(total == 16);
  CHECK(hone::tensor_list<float>().size() == 0);
}

TEST_CASE("tensors that cannot exist are refused by number and size") {
  float x = 0;
  CHECK(error_of({{&x, 1}, {nullptr, 0}}) == "");
  CHECK(error_of({{&x, 1}, {nullptr, 3}}) == "transform: tensor 1 of gradients has 3 numbers but no data");
  CHECK(error_of({{&x, -3}}) == "transform: tensor 0 of gradients has 1 x -3 numbers, sizes must not be negative");
  CHECK(error_of({{&x, -2, -2}}) == "transform: tensor 0 of gradients has -2 x -2 numbers, sizes must not be negative");
}

TEST_CASE("a shape that is not the size is refused, and one whose size no number holds") {
  float x[6] = {};
  hone::tensor<const float> t(x, 2, 3);
  CHECK(error_of({t}) == "");
  t.rows = 4;
  CHECK(error_of({t}) == "transform: tensor 0 of gradients has 6 numbers, its shape is 4 x 3");
  t.rows = t.columns = std::int64_t(1) << 32, t.size = 0;
  CHECK(error_of({t}) == "transform: tensor 0 of gradients has 0 numbers, its shape is 4294967296 x 4294967296");
}

TEST_CASE("lists of other counts or sizes are told apart") {
  float x[6] = {};
  const hone::tensor_list<float> one{{x, 6}}, two{{x, 3}, {x, 3}}, fewer{{x, 5}};
  using hone::detail::require_sizes_like;
  CHECK_NOTHROW(require_sizes_like("update", "parameters", one, "the state", one));
  CHECK_THROWS_WITH(require_sizes_like("update", "parameters", two, "the state", one),
                    "update: parameters has 2 tensors, the state has 1");
  CHECK_THROWS_WITH(require_sizes_like("update", "parameters", fewer, "the state", one),
                    "update: tensor 0 of parameters has 5 numbers, that of the state has 6");
}
