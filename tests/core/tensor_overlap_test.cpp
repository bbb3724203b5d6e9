// SPDX-License-Identifier: MIT
#include <hone/core/tensor_overlap.hpp>

#include "support/message.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

namespace {

using support::message;

// By every pair, in numbers of T.
struct stretch {
  int begin, size;
  bool meets(stretch const& o) const {
    return size > 0 && o.size > 0 && begin < o.begin + o.size && o.begin < begin + size;
  }
};
bool any_meet(std::vector<stretch> const& all) {
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (all[i].meets(all[j])) return true;
  return false;
}

hone::tensor_list<float> list_of(float* data, std::vector<stretch> const& all) {
  hone::tensor_list<float> list;
  for (stretch const& s : all) list.push_back({data + s.begin, s.size});
  return list;
}

TEST_CASE("require_apart names the two tensors that share memory") {
  float x[12] = {};
  const auto said = [](hone::tensor_list<float> const& list) {
    return message([&] { hone::detail::require_apart("transform", "gradients", list); });
  };
  CHECK(said({{x, 4}, {x + 4, 8}}).empty());
  CHECK(said({{x + 4, 8}, {x, 4}}).empty());
  CHECK(said({}).empty());
  CHECK(said({{x, 4}, {x + 8, 4}, {x, 4}}) ==
        "transform: tensors 0 and 2 of gradients share memory: list tied weights once");
  CHECK(said({{x + 8, 4}, {x + 3, 2}, {x, 4}}) ==
        "transform: tensors 1 and 2 of gradients share memory: list tied weights once");
  CHECK(said({{x, 12}, {x + 5, 1}}) == "transform: tensors 0 and 1 of gradients share memory: list tied weights once");
  CHECK(said({{x, 4}, {x, 0}, {x + 2, 0}, {nullptr, 0}, {nullptr, 0}}).empty());
}

TEST_CASE("require_apart finds every overlap, in lists of any order and up to 3000 tensors") {
  std::mt19937 random(7);
  std::vector<float> memory(40000);
  int met = 0;
  for (int turn = 0; turn < 600; ++turn) {
    const std::size_t n = turn < 500 ? std::size_t(turn % 12) : std::size_t(900 + 20 * (turn - 500));
    std::vector<stretch> all;
    int at = 0;
    for (std::size_t i = 0; i < n; ++i) {  // apart, unless one is moved
      const int size = int(random() % 9);
      all.push_back({at, size});
      at += size + int(random() % 3);
    }
    for (int moved = int(random() % 3); moved > 0 && n > 0; --moved)
      all[random() % n].begin = int(random() % std::uint32_t(at + 1));
    if (turn % 4 != 0) std::shuffle(all.begin(), all.end(), random);
    const bool meet = any_meet(all);
    met += meet;
    CHECK(message([&] { hone::detail::require_apart("f", "x", list_of(memory.data(), all)); }).empty() != meet);
  }
  CHECK(met > 100);
  CHECK(met < 500);
}

TEST_CASE("tensor_places finds overlaps with another list, and accepts equal tensors if allowed") {
  std::mt19937 random(8);
  std::vector<float> memory(400);
  int met = 0;
  for (int turn = 0; turn < 2000; ++turn) {
    std::vector<stretch> mine, other;
    int at = 0;
    for (int i = 0; i < 6; ++i) {
      const int size = int(random() % 9);
      (random() % 2 ? mine : other).push_back({at, size});
      at += size;
    }
    if (turn % 2 && !other.empty()) other[random() % other.size()].begin = int(random() % 40);
    std::shuffle(mine.begin(), mine.end(), random);
    bool meet = false;
    for (stretch const& a : mine)
      for (stretch const& b : other) meet = meet || a.meets(b);
    met += meet;
    const hone::detail::tensor_places places("f", "x", list_of(memory.data(), mine));
    CHECK(message([&] { places.require_apart("y", list_of(memory.data(), other)); }).empty() != meet);
    CHECK(message([&] { places.require_apart("x", list_of(memory.data(), mine), true); }).empty());
  }
  CHECK(met > 100);
  float x[4] = {};
  const hone::tensor_list<float> own{{x, 2}, {x + 2, 2}}, turned{{x + 2, 2}, {x, 2}};
  const hone::detail::tensor_places places("copy", "to", own);
  CHECK(message([&] { places.require_apart("from", own); }) ==
        "copy: tensor 0 of to shares memory with tensor 0 of from");
  CHECK(message([&] { places.require_apart("from", turned, true); }) ==
        "copy: tensor 1 of to shares memory with tensor 0 of from");
}

TEST_CASE("require_outside throws for a list that overlaps a block owned by another") {
  float x[12] = {};
  const hone::tensor_list<float> owned{{x + 4, 2}, {x + 6, 0}, {x + 6, 2}};
  const auto said = [&](hone::tensor_list<float> const& list) {
    return message([&] { hone::detail::require_outside("update", "parameters", list, "the state", owned); });
  };
  CHECK(said({{x, 4}, {x + 8, 4}, {x + 5, 0}}).empty());
  CHECK(said({{x, 4}, {x, 5}}) == "update: tensor 1 of parameters shares memory with the state");
  CHECK(said({{x + 7, 5}}) == "update: tensor 0 of parameters shares memory with the state");
}

}  // namespace
