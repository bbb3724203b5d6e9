// SPDX-License-Identifier: MIT
// Weight standardisation: timm's weights and gradients, dual numbers, its edges.
#include <hone/hone.hpp>

#include <doctest/doctest.h>
#include <structure/layers_values.hpp>
#include <structure/values_of.hpp>
#include <support/dual.hpp>
#include <support/message.hpp>
#include <support/numbers.hpp>

namespace {

namespace values = layers_values;
using structure_values::distance, structure_values::numbers;
using matrix = hone::matrix_view<double>;

}  // namespace

TEST_CASE("standardised weights and their gradients are those of timm") {
  auto weight = numbers(6, 54), dto = numbers(5, 54), gain = numbers(7, 3);
  std::vector<double> to(54, 99), dweight(54, 99), dgain(3, 99);
  const matrix w{weight.data(), 3, 18}, d{dto.data(), 3, 18}, out{to.data(), 3, 18}, dw{dweight.data(), 3, 18};
  const hone::weight_standardisation<double> plain;
  CHECK(plain.epsilon == values::weight_epsilon[0]);
  hone::standardise_weights(plain, w, out);
  hone::standardise_weights_backward(plain, w, d, dw);
  CHECK(distance(to, values::weight_standard) < 1e-14);
  CHECK(distance(dweight, values::weight_standard_dw) < 1e-14);

  const hone::weight_standardisation<double> scaled{.factor = hone::scaled_standardisation(18, 1.5), .gain = gain};
  hone::standardise_weights(scaled, w, out);
  hone::standardise_weights_backward(scaled, w, d, dw, dgain);
  CHECK(distance(to, values::weight_scaled) < 1e-14);
  CHECK(distance(dweight, values::weight_scaled_dw) < 1e-14);
  CHECK(distance(dgain, values::weight_scaled_dgain) < 1e-14);
}

TEST_CASE("the gradients of standardised weights agree with dual numbers") {
  using support::dual;
  constexpr int n = 7;
  const auto weight = support::noise(3, n), dto = support::noise(50, n);
  const std::vector<double> gain{0.75};
  const hone::weight_standardisation<double> policy{.epsilon = 0.125, .factor = 1.5, .gain = gain};
  std::vector<double> dweight(n, 99), dgain(1, 99);
  hone::standardise_weights_backward(policy, {weight.data(), 1, n}, {dto.data(), 1, n}, {dweight.data(), 1, n}, dgain);
  for (int by = 0; by <= n; ++by) {
    dual mean(0), m2(0), loss(0);
    const auto w = [&](int i) { return dual(weight[std::size_t(i)], i == by ? 1 : 0); };
    for (int i = 0; i < n; ++i) mean = mean + w(i) / dual(n);
    for (int i = 0; i < n; ++i) m2 = m2 + (w(i) - mean) * (w(i) - mean);
    for (int i = 0; i < n; ++i)
      loss = loss + dual(dto[std::size_t(i)]) * dual(0.75, by == n ? 1 : 0) * dual(1.5) * (w(i) - mean) /
                        sqrt(m2 / dual(n) + dual(0.125));
    CHECK((by == n ? dgain[0] : dweight[std::size_t(by)]) == doctest::Approx(loss.d).epsilon(1e-12));
  }
}

TEST_CASE("weights: in place, with padding between rows, equal weights, one number, no rows") {
  std::vector<float> weight{1, 3, 7, 2, 2, 7}, dto{1, 2, 9, 3, 4, 9};
  const hone::weight_standardisation<float> policy;
  hone::standardise_weights_backward(policy, {weight.data(), 2, 2, 3}, {dto.data(), 2, 2, 3}, {dto.data(), 2, 2, 3});
  hone::standardise_weights(policy, {weight.data(), 2, 2, 3}, {weight.data(), 2, 2, 3});
  const float one = float(1 / std::sqrt(1 + 1e-6));
  CHECK(weight == std::vector<float>{-one, one, 7, 0, 0, 7});
  CHECK((dto[2] == 9 && dto[5] == 9));
  CHECK(std::abs(dto[0]) < 1e-5f);                              // two numbers always become -1 and 1
  CHECK(dto[3] == doctest::Approx(-0.5 * 1000).epsilon(1e-6));  // equal ones have the slope 1 / sqrt(epsilon)
  float single = 5;
  hone::standardise_weights(policy, {&single, 1, 1}, {&single, 1, 1});
  CHECK(single == 0);
  hone::standardise_weights(policy, {}, {});
}

TEST_CASE("weight standardisation: invalid arguments throw, and nothing is written") {
  std::vector<float> weight(8, 1), to(8, 7), three(3, 1);
  const hone::matrix_view w{weight.data(), 2, 4}, out{to.data(), 2, 4};
  const auto said = [&](hone::weight_standardisation<float> policy, hone::matrix_view<float> o) {
    return support::message([&] { hone::standardise_weights(policy, w, o); });
  };
  CHECK(said({.epsilon = 0}, out) == "standardise_weights: epsilon is 0, must be finite and positive");
  CHECK(said({.factor = std::nan("")}, out) == "standardise_weights: factor is nan, must be finite");
  CHECK(said({.gain = three}, out) == "standardise_weights: gain has 3 numbers, weight has 2 rows");
  CHECK(said({}, {to.data(), 4, 2}) == "standardise_weights: to is 4 x 2, weight is 2 x 4");
  CHECK(said({}, {weight.data() + 1, 1, 4}) == "standardise_weights: to is 1 x 4, weight is 2 x 4");
  const auto back = [&](hone::matrix_view<float> dto, hone::matrix_view<float> dweight, std::span<float> dgain) {
    return support::message([&] { hone::standardise_weights_backward<float>({}, w, dto, dweight, dgain); });
  };
  CHECK(back({weight.data(), 2, 3}, out, {}) == "standardise_weights_backward: dto is 2 x 3, weight is 2 x 4");
  CHECK(back(w, out, three) == "standardise_weights_backward: dgain has 3 numbers, weight has 2 rows");
  CHECK(back(w, out, std::span(to).first(2)) ==
        "standardise_weights_backward: dgain and dweight overlap, dgain begins 0 bytes after dweight; they must be "
        "apart");
  CHECK(support::message([] { hone::scaled_standardisation(0); }) ==
        "scaled_standardisation: fan_in is 0, must be at least 1");
  CHECK(to == std::vector<float>(8, 7));
}
