// SPDX-License-Identifier: MIT
#include <hone/core/list.hpp>

#include <doctest/doctest.h>

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace detail = hone::detail;
using detail::list;

namespace {

constexpr list<int, double, int> numbers(1, 0.5, 3);  // the same type twice

}  // namespace

// A kernel takes lists as they are, without indirection.
static_assert(std::is_trivially_copyable_v<list<int, double>> && std::is_trivially_copyable_v<list<>>);
static_assert(sizeof(list<int, int>) == 2 * sizeof(int) && std::is_empty_v<list<>>);
static_assert(std::is_same_v<decltype(list(1, 2.5)), list<int, double>>);
static_assert(std::is_same_v<decltype(list()), list<>>);

static_assert(detail::at<0>(numbers) == 1 && detail::at<1>(numbers) == 0.5 && detail::at<2>(numbers) == 3);
static_assert(numbers.apply([](int a, double b, int c) { return a + 10 * b + 100 * c; }) == 306);
static_assert(list<>().apply([] { return 7; }) == 7);

TEST_CASE("list::each visits the items in order, and may change them") {
  list all(1, std::string("two"), 3.0);
  std::vector<std::string> met;
  const auto note = [&](auto const& item) {
    if constexpr (std::is_same_v<decltype(item), std::string const&>) {
      met.push_back(item);
    } else {
      met.push_back(std::to_string(static_cast<int>(item)));
    }
  };
  std::as_const(all).each(note);
  CHECK(met == std::vector<std::string>{"1", "two", "3"});
  all.each([](auto& item) { item += item; });
  CHECK(detail::at<0>(all) == 2);
  CHECK(detail::at<1>(all) == "twotwo");
  CHECK(detail::at<2>(all) == 6);
  detail::at<0>(all) = 5;
  CHECK(all.apply([](int a, std::string const& b, double c) { return std::to_string(a) + b + (c == 6 ? "6" : "?"); }) ==
        "5twotwo6");
  int calls = 0;
  list<>().each([&](auto const&) { ++calls; });
  CHECK(calls == 0);
}

TEST_CASE("concatenated joins lists in order") {
  const auto all = detail::concatenated(list(1, 2), list(), list(std::string("three")), list(4.0));
  static_assert(std::is_same_v<decltype(all), const list<int, int, std::string, double>>);
  CHECK(detail::at<0>(all) == 1);
  CHECK(detail::at<1>(all) == 2);
  CHECK(detail::at<2>(all) == "three");
  CHECK(detail::at<3>(all) == 4);
  static_assert(std::is_same_v<decltype(detail::concatenated(list(), list())), list<>>);
  static_assert(std::is_same_v<decltype(detail::concatenated(list(1))), list<int>>);
}
