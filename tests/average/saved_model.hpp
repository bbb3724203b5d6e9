// SPDX-License-Identifier: MIT
/// What the tests of files save and load.
#pragma once

#include <hone/average/state_file.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace saved {

// Two tensors that both hold x everywhere, with x steps.
struct model {
  std::vector<float> numbers;
  hone::ema_state<float> state;

  explicit model(int x, std::size_t size = 40000)
      : numbers(size, static_cast<float>(x)),
        state(hone::tensor_list<float>{{numbers.data(), size}, {numbers.data(), 3}}, {.steps = x}) {}
};

// The x of a state; -1 where it is not of one piece.
inline int x_of(hone::ema_state<float> const& state) {
  for (auto const& t : state.tensors())
    for (hone::index i = 0; i < t.size; ++i)
      if (t.data[i] != static_cast<float>(state.steps())) return -1;
  return static_cast<int>(state.steps());
}

// Another one in every run, and told; HONE_TEST_SEED repeats one.
inline std::uint64_t seed_of_test() {
  char const* const given = std::getenv("HONE_TEST_SEED");
  const std::uint64_t seed = given ? std::strtoull(given, nullptr, 10) : std::random_device()();
  MESSAGE("HONE_TEST_SEED=", seed);
  return seed;
}

template <class Body>
std::string io_message(Body body) {
  try {
    body();
  } catch (hone::io_error const& error) {
    return error.what();
  }
  return {};
}

inline std::string bytes_of(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace saved
