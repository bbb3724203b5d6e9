// SPDX-License-Identifier: MIT
#include <hone/large_batch/zero_fill.hpp>

#include "support/message.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace {

TEST_CASE("zero_fill clears the tensors whose names match, and no others") {
  std::vector<float> a(3, 1), b(5, 2), c(2, 3), d(4, 4);
  const hone::tensor_list<float> tensors{{a.data(), a.size()}, {b.data(), b.size()}, {c.data(), 2}, {d.data(), 2, 2}};
  const std::vector<std::string> names = {"layer1.0.bn1.weight", "layer1.0.bn2.weight", "layer1.0.bn2.bias",
                                          "l.bn2.weight"};
  CHECK(hone::zero_fill(tensors, names, {"layer?.*.bn2.weight"}) == 1);
  CHECK(a == std::vector<float>(3, 1));
  CHECK(b == std::vector<float>(5, 0));
  CHECK(c == std::vector<float>(2, 3));
  CHECK(d == std::vector<float>(4, 4));
  const std::vector<std::string_view> patterns = {"*.bias", "l.*", "*bias"};
  CHECK(hone::zero_fill(tensors, names, patterns) == 2);
  CHECK(c == std::vector<float>(2, 0));
  CHECK(d == std::vector<float>(4, 0));
  CHECK(hone::zero_fill(tensors, names, {}) == 0);
}

TEST_CASE("zero_fill: invalid arguments throw, and nothing is written") {
  using support::message;
  std::vector<double> a(3, 1), b(5, 2);
  const hone::tensor_list<double> tensors{{a.data(), a.size()}, {b.data(), b.size()}};
  const std::string_view names[] = {"a", "b"}, one[] = {"a"};
  CHECK(message([&] { hone::zero_fill(tensors, names, {"a", "bn3.*"}); }) == "zero_fill: \"bn3.*\" matches no name");
  CHECK(message([&] { hone::zero_fill(tensors, one, {"a"}); }) == "zero_fill: 1 names for 2 tensors");
  const hone::tensor_list<double> lost{{a.data(), 3}, {static_cast<double*>(nullptr), 5}};
  CHECK(message([&] { hone::zero_fill(lost, names, {"a"}); }) ==
        "zero_fill: tensor 1 of tensors has 5 numbers but no data");
  CHECK(a == std::vector<double>(3, 1));
}

}  // namespace
