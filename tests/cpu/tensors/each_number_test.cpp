// SPDX-License-Identifier: MIT
// User-defined steps over tensor lists with for_each_number, and its invalid arguments.
#include <hone/hone.hpp>

#include <conformance/each_number.hpp>
#include <cpu/this_machine.hpp>
#include <support/message.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace {

using list = hone::tensor_list<float>;
using const_list = hone::tensor_list<const float>;

const auto sum = [](float& x, float const& y) { x += y; };

std::string refused(list const& x, const_list const& y) {
  return support::message([&] { hone::for_each_number(hone::cpu(2), sum, x, y); });
}

}  // namespace

TEST_CASE("user-defined gradient steps work on lists of several types") {
  conformance::steps_of_ones_own<on_this_machine>();
}

TEST_CASE("a function that is a template over an operand gets packs, also of the last numbers of a tensor") {
  using V = hone::on_cpu::pack<float>;
  const auto write_lanes = []<hone::operand U>(U& x) { x = U(double(sizeof(U)) / sizeof(float)); };
  for (const hone::index n : {1, 7, 8, 15, 16, 17, 100}) {
    std::vector<float> x(std::size_t(n + 1), -1);
    hone::for_each_number(hone::cpu(1), write_lanes, list{{x.data(), n}});
    std::vector<float> expected(std::size_t(n + 1), float(V::size));
    expected.back() = -1;
    CHECK(x == expected);
  }
}

TEST_CASE("the bits of a template do not depend on the position of a number, nor on threads") {
  const auto root = []<hone::operand U>(U& x, U const& y) { x = y / (sqrt(x) + U(0.1)) * U(0.3) + y; };
  std::vector<float> x, y;
  for (const double a : support::noise(0, 100003)) x.push_back(float(a * a)), y.push_back(float(a + 1));
  const std::vector<float> old = x;
  const hone::index n = 100003;
  hone::for_each_number(hone::cpu(1), root, list{{x.data(), n}}, const_list{{y.data(), n}});
  for (const hone::index shift : {1, 5, 33000}) {
    std::vector<float> other = old;
    hone::for_each_number(hone::cpu(3), root, list{{other.data(), shift}, {other.data() + shift, n - shift}},
                          const_list{{y.data(), shift}, {y.data() + shift, n - shift}});
    CHECK(other == x);
  }
}

TEST_CASE("for_each_number takes one list, and lists that are only read") {
  std::vector<float> x(100, 3);
  hone::for_each_number(hone::cpu(2), [](float& a) { a *= 2; }, list{{x.data(), 100}});
  CHECK(x == std::vector<float>(100, 6));
  hone::for_each_number(hone::cpu(2), sum, list{{x.data(), 50}}, const_list{{x.data() + 50, 50}});
  CHECK(x[0] == 12);
  CHECK(x[99] == 6);
  hone::for_each_number(hone::cpu(2), sum, list{}, const_list{});
}

TEST_CASE("for_each_number: lists of different shapes or with shared memory throw") {
  std::vector<float> x(100, 3);
  float* const at = x.data();
  CHECK(refused({{at, 3}}, {{at + 3, 4}}) == "for_each_number: tensor 0 of list 2 has 4 numbers, that of list 1 has 3");
  CHECK(refused({{at, 3}}, {{at + 3, 3}, {at + 6, 3}}) == "for_each_number: list 2 has 2 tensors, list 1 has 1");
  CHECK(refused({{at, 3}}, {{at + 2, 3}}) ==
        "for_each_number: tensor 0 of list 1 shares memory with tensor 0 of list 2");
  CHECK(refused({{at, 3}, {at + 2, 3}}, {{at + 9, 3}, {at + 12, 3}}) ==
        "for_each_number: tensors 0 and 1 of list 1 share memory: list tied weights once");
  CHECK(refused({{nullptr, 3}}, {{at, 3}}) == "for_each_number: tensor 0 of list 1 has 3 numbers but no data");
  CHECK(refused({{at, 3}}, {{nullptr, 3}}) == "for_each_number: tensor 0 of list 2 has 3 numbers but no data");
  CHECK(support::message([&] {
          hone::for_each_number(
              hone::cpu(2), [](float const&, float& b) { b = 1; }, const_list{{at, 3}}, list{{at + 1, 3}});
        }) == "for_each_number: tensor 0 of list 2 shares memory with tensor 0 of list 1");
  CHECK(x == std::vector<float>(100, 3));
  CHECK(refused({{at, 3}}, {{at + 3, 3}}).empty());
}
