// SPDX-License-Identifier: MIT
#include <hone/cpu/tensors/refresh.hpp>

#include "support/message.hpp"
#include "support/numbers.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace {

using hone::master_weights, hone::refresh, hone::tensor_list;
using support::message;

template <class T>
bool same_bits(T a, T b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

// Rounded, where a finite number becomes none that is infinite.
template <class T>
T saturated(float x) {
  const T y = static_cast<T>(x);
  if (!Eigen::numext::isinf(y) || std::isinf(x)) return y;
  return x > 0 ? Eigen::NumTraits<T>::highest() : Eigen::NumTraits<T>::lowest();
}

// Every bfloat16 that is a number, its upper neighbour, and floats between them: the halves, and beside the halves.
std::vector<float> hard_to_round() {
  std::vector<float> all;
  for (std::uint32_t high = 0; high < 0x10000; high += 37)
    for (const std::uint32_t low : {0u, 1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) {
      const std::uint32_t bits = high << 16 | low;
      float x = 0;
      std::memcpy(&x, &bits, sizeof x);
      if (x == x) all.push_back(x);
    }
  return all;
}

}  // namespace

TEST_CASE_TEMPLATE("updates below half an ulp add up in master_weights, and are lost without", T, Eigen::bfloat16,
                   Eigen::half) {
  const hone::cpu one(1);
  std::vector<T> weight{T(1.0f)}, bare{T(1.0f)};
  const tensor_list<T> parameters{{weight.data(), 1}};
  const master_weights<float> masters(parameters);
  for (int step = 0; step < 1000; ++step) {
    masters.tensors()[0].data[0] += 1e-4f;
    refresh(one, masters, parameters);
    bare[0] = static_cast<T>(static_cast<float>(bare[0]) + 1e-4f);
  }
  CHECK(static_cast<float>(weight[0]) == doctest::Approx(1.1).epsilon(0.004));  // 2^-8
  CHECK(static_cast<float>(bare[0]) == 1.0f);
}

TEST_CASE("master_weights of double keep updates that float loses") {
  std::vector<float> weight{1};
  const tensor_list<float> parameters{{weight.data(), 1}};
  const master_weights<double> masters(parameters);
  for (int step = 0; step < 1024; ++step) masters.tensors()[0].data[0] += 0x1p-30;
  refresh(hone::cpu(1), masters, parameters);
  CHECK(weight[0] == 1 + 0x1p-20f);
}

TEST_CASE_TEMPLATE("refresh rounds like static_cast and keeps numbers finite, on any number of threads", T,
                   Eigen::bfloat16, Eigen::half) {
  const std::vector<float> wide = hard_to_round();
  for (const int threads : {1, 3}) {
    std::vector<T> narrow(wide.size() + 2);
    const auto n = static_cast<hone::index>(wide.size());
    const tensor_list<T> parameters{{narrow.data(), n - 5}, {narrow.data() + n - 5, 0}, {narrow.data() + n - 5, 5, 1}};
    const master_weights<float> masters(parameters);
    std::memcpy(masters.tensors()[0].data, wide.data(), (wide.size() - 5) * sizeof(float));
    std::memcpy(masters.tensors()[2].data, wide.data() + wide.size() - 5, 5 * sizeof(float));
    narrow[wide.size()] = T(7.0f);
    refresh(hone::cpu(threads), masters, parameters);
    std::size_t differ = 0;
    for (std::size_t i = 0; i < wide.size(); ++i) differ += same_bits(narrow[i], saturated<T>(wide[i])) ? 0 : 1;
    CHECK(differ == 0);
    CHECK(static_cast<float>(narrow[wide.size()]) == 7.0f);  // what lies behind is not touched
  }
}

TEST_CASE("master_weights start as the parameters with their shapes, and a copy has its own memory") {
  std::vector<Eigen::bfloat16> w(12);
  for (std::size_t i = 0; i < w.size(); ++i)
    w[i] = static_cast<Eigen::bfloat16>(static_cast<float>(support::noise(hone::index(i))));
  const tensor_list<const Eigen::bfloat16> parameters{{w.data(), 2, 4}, {w.data() + 8, 4}};
  const master_weights<float> masters(parameters);
  REQUIRE(masters.tensors().size() == 2);
  CHECK(masters.tensors()[0].rows == 2);
  CHECK(masters.tensors()[0].columns == 4);
  for (std::size_t i = 0; i < 8; ++i) CHECK(masters.tensors()[0].data[i] == static_cast<float>(w[i]));
  CHECK(masters.tensors()[1].data[3] == static_cast<float>(w[11]));

  const std::vector<master_weights<float>> copies(1, masters);
  masters.tensors()[1].data[3] = 5;
  CHECK(copies[0].tensors()[1].data[3] == static_cast<float>(w[11]));
}

TEST_CASE("master_weights of an empty list are empty") {
  const tensor_list<Eigen::half> none;
  const master_weights<float> masters(none);
  refresh(hone::cpu(1), masters, none);
  CHECK(masters.tensors().size() == 0);
}

TEST_CASE("master_weights and refresh: invalid lists throw, and nothing is written") {
  std::vector<Eigen::bfloat16> w(6, Eigen::bfloat16(1.0f));
  const hone::cpu one(1);
  const tensor_list<Eigen::bfloat16> parameters{{w.data(), 4}, {w.data() + 4, 2}};
  const tensor_list<Eigen::bfloat16> nowhere{{w.data(), 4}, {static_cast<Eigen::bfloat16*>(nullptr), 2}};
  CHECK(message([&] { master_weights<float> m(nowhere); }) ==
        "master_weights: tensor 1 of parameters has 2 numbers but no data");

  const master_weights<float> masters(parameters);
  for (const auto& t : masters.tensors()) t.data[0] = 2;
  CHECK(message([&] { refresh(one, masters, nowhere); }) ==
        "refresh: tensor 1 of parameters has 2 numbers but no data");
  CHECK(message([&] { refresh(one, masters, tensor_list<Eigen::bfloat16>{{w.data(), 4}}); }) ==
        "refresh: parameters has 1 tensors, master_weights has 2");
  CHECK(message([&] { refresh(one, masters, tensor_list<Eigen::bfloat16>{{w.data(), 4}, {w.data() + 4, 1}}); }) ==
        "refresh: tensor 1 of parameters has 1 numbers, that of master_weights has 2");
  for (const Eigen::bfloat16 x : w) CHECK(static_cast<float>(x) == 1.0f);
}
