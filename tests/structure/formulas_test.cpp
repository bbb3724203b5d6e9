// SPDX-License-Identifier: MIT
// Gates and activations: their derivatives by dual numbers, their values by PyTorch, their ends.
#include <hone/structure.hpp>

#include <doctest/doctest.h>
#include <structure/values_of.hpp>
#include <support/dual.hpp>

#include <limits>
#include <type_traits>

namespace {

namespace values = structure_values;
constexpr double inf = std::numeric_limits<double>::infinity();

template <class Formula, std::size_t n>
void prove(Formula formula, double const (&value)[n], double const (&slope)[n]) {
  for (double x = -8.0625; x < 8; x += 0.125) {
    const auto y = formula(x);
    const auto proof = formula(support::dual(x, 1));
    CHECK(std::abs(y.grad - proof.value.d) < 1e-12);
    CHECK(std::abs(y.value - proof.value.v) < 1e-12);
  }
  std::vector<double> seen, slopes;
  for (const double x : values::edges) seen.push_back(formula(x).value), slopes.push_back(formula(x).grad);
  CHECK(values::distance(seen, value) < 1e-14);
  CHECK(values::distance(slopes, slope) < 1e-14);
  CHECK(std::isnan(formula(std::nan("")).value));
}

}  // namespace

TEST_CASE("gates have the derivatives of dual numbers and the values of PyTorch, at their kinks too") {
  prove(hone::identity_gate, values::edge_value_identity, values::edge_slope_identity);
  prove(hone::sigmoid_gate, values::edge_value_sigmoid, values::edge_slope_sigmoid);
  prove(hone::hard_sigmoid_gate, values::edge_value_hard_sigmoid, values::edge_slope_hard_sigmoid);
  for (const auto y : {hone::sigmoid_gate(-inf), hone::hard_sigmoid_gate(-inf)}) CHECK((y.value == 0 && y.grad == 0));
  for (const auto y : {hone::sigmoid_gate(inf), hone::hard_sigmoid_gate(inf)}) CHECK((y.value == 1 && y.grad == 0));
}

TEST_CASE("activations have the derivatives of dual numbers and the values of PyTorch, at their kinks too") {
  prove(hone::identity_formula(), values::edge_value_none, values::edge_slope_none);
  prove(hone::relu_formula(), values::edge_value_relu, values::edge_slope_relu);
  prove(hone::silu_formula(), values::edge_value_silu, values::edge_slope_silu);
  prove(hone::hard_swish_formula(), values::edge_value_hard_swish, values::edge_slope_hard_swish);
  const auto ends = [](auto formula) {
    const auto low = formula(-inf), high = formula(inf);
    CHECK((low.value == 0 && low.grad == 0 && high.value == inf && high.grad == 1));
  };
  ends(hone::relu_formula());
  ends(hone::silu_formula());
  ends(hone::hard_swish_formula());
}

TEST_CASE("an activation is chosen at run time") {
  int chosen = 0;
  for (const auto f : {hone::no_activation, hone::relu, hone::silu, hone::hard_swish})
    hone::detail::with_formula(f, [&](auto formula) {
      chosen = chosen * 10 + (std::is_same_v<decltype(formula), hone::identity_formula>     ? 1
                              : std::is_same_v<decltype(formula), hone::relu_formula>       ? 2
                              : std::is_same_v<decltype(formula), hone::silu_formula>       ? 3
                              : std::is_same_v<decltype(formula), hone::hard_swish_formula> ? 4
                                                                                            : 9);
    });
  CHECK(chosen == 1234);
}
