// SPDX-License-Identifier: MIT
// Terms that let a backend multiply by a factor once per row.
#include <hone/loss.hpp>
#include <hone/target.hpp>

#include <doctest/doctest.h>

#include <array>
#include <span>

TEST_CASE("the scaled result of cross entropy has the scaled gradient, and the same loss") {
  const std::array<int, 1> labels{0};
  const auto term = hone::cross_entropy(hone::classes(std::span(labels)));
  using term_type = std::remove_const_t<decltype(term)>;
  static_assert(hone::row::has_scaled<double, term_type>);
  static_assert(!hone::row::has_scaled<double, hone::z_loss_term>);
  const hone::row::normaliser<double> p{1, 4, 1.386, 0.25};
  const auto r = term.finish(p, hone::row::target_sums<double>{0.75, -0.5});
  for (const double factor : {0.25, 2.0, -3.0}) {
    for (const double target : {0.0, 0.125, 1.0}) {
      hone::row::element<double, term_type, true> e, times;
      e.weights[0] = times.weights[0] = 0.375;
      e.target = target, times.target = factor * target;
      const auto scaled = term_type::scaled(r, factor);
      CHECK(scaled.loss == r.loss);
      CHECK(term.gradient(scaled, times) == factor * term.gradient(r, e));
    }
  }
}
