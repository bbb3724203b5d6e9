// SPDX-License-Identifier: MIT
#include <hone/core/tensor_list.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <span>
#include <string>
#include <type_traits>
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

TEST_CASE("a tensor_list is built from braces or push_back, with or without shapes, and read like a container") {
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

TEST_CASE("spans, lvalue vectors and shapes of up to four dimensions are tensors") {
  std::vector<float> weight(120), bias(2);
  float scale[3] = {};
  const std::span<float> of_bias(bias);
  hone::tensor_list<float> list{{weight.data(), 2, 3, 4, 5}, of_bias, bias, scale, {weight.data(), 2u, 12L, 5}};
  list.reserve(8);
  list.push_back(std::span(weight).subspan(3));
  list.push_back(weight);
  CHECK(list[0].rows == 2);
  CHECK(list[0].columns == 60);
  CHECK(list[0].size == 120);
  for (const std::size_t i : {1u, 2u}) {
    CHECK(list[i].data == bias.data());
    CHECK(list[i].size == 2);
    CHECK(list[i].rows == 1);
    CHECK(list[i].columns == 2);
  }
  CHECK(list[3].size == 3);
  CHECK(list[4].columns == 60);
  CHECK(list[5].data == weight.data() + 3);
  CHECK(list[5].size == 117);
  CHECK(list[6].size == 120);
  const std::vector<float> constant(7);
  const hone::tensor_list<const float> readable{constant, std::span<const float>(constant), bias};
  CHECK(readable[1].size == 7);
  static_assert(std::is_constructible_v<hone::tensor<float>, std::vector<float>&>);
  static_assert(!std::is_constructible_v<hone::tensor<float>, std::vector<float>>, "it would be gone");
  static_assert(!std::is_constructible_v<hone::tensor<float>, std::vector<float> const&>);
  static_assert(!std::is_constructible_v<hone::tensor<float>, std::vector<double>&>);
}

TEST_CASE("tensors: sizes that overflow or are negative throw with the sizes given") {
  float x = 0;
  const hone::index large = hone::index(1) << 32;
  CHECK(error_of({{&x, large, large}}) ==
        "transform: tensor 0 of gradients has 9223372036854775807 numbers, its shape is 4294967296 x 4294967296");
  CHECK(error_of({{&x, large, large, large}}) ==
        "transform: tensor 0 of gradients has 9223372036854775807 numbers, its shape is 4294967296 x "
        "9223372036854775807");
  CHECK(error_of({{&x, 2, -3, -4}}) ==
        "transform: tensor 0 of gradients has 2 x -4 numbers, sizes must not be negative");
  CHECK(error_of({{&x, 2, 3, -4, -5}}) ==
        "transform: tensor 0 of gradients has 2 x -5 numbers, sizes must not be negative");
  CHECK(error_of({{&x, hone::index(1) << 57}}) == "");
  CHECK(error_of({{&x, (hone::index(1) << 57) + 1}}) ==
        "transform: tensor 0 of gradients has 144115188075855873 numbers, more than memory can hold");
  CHECK(error_of({{&x, std::numeric_limits<hone::index>::max()}}) ==
        "transform: tensor 0 of gradients has 9223372036854775807 numbers, more than memory can hold");
}

TEST_CASE("tensors without data or with negative sizes throw with index and size") {
  float x = 0;
  CHECK(error_of({{&x, 1}, {nullptr, 0}}) == "");
  CHECK(error_of({{&x, 1}, {nullptr, 3}}) == "transform: tensor 1 of gradients has 3 numbers but no data");
  CHECK(error_of({{&x, -3}}) == "transform: tensor 0 of gradients has 1 x -3 numbers, sizes must not be negative");
  CHECK(error_of({{&x, -2, -2}}) == "transform: tensor 0 of gradients has -2 x -2 numbers, sizes must not be negative");
}

TEST_CASE("tensors: a shape that does not match the size, or overflows, throws") {
  float x[6] = {};
  hone::tensor<const float> t(x, 2, 3);
  CHECK(error_of({t}) == "");
  t.rows = 4;
  CHECK(error_of({t}) == "transform: tensor 0 of gradients has 6 numbers, its shape is 4 x 3");
  t.rows = t.columns = std::int64_t(1) << 32, t.size = 0;
  CHECK(error_of({t}) == "transform: tensor 0 of gradients has 0 numbers, its shape is 4294967296 x 4294967296");
}

TEST_CASE("require_sizes_like throws for lists of another count or other sizes") {
  float x[6] = {};
  const hone::tensor_list<float> one{{x, 6}}, two{{x, 3}, {x, 3}}, fewer{{x, 5}};
  using hone::detail::require_sizes_like;
  CHECK_NOTHROW(require_sizes_like("update", "parameters", one, "the state", one));
  CHECK_THROWS_WITH(require_sizes_like("update", "parameters", two, "the state", one),
                    "update: parameters has 2 tensors, the state has 1");
  CHECK_THROWS_WITH(require_sizes_like("update", "parameters", fewer, "the state", one),
                    "update: tensor 0 of parameters has 5 numbers, that of the state has 6");
}
