// SPDX-License-Identifier: MIT
#include "class_parallel_cases.hpp"

#include <hone/cpu/evaluate.hpp>

#include <utility>

namespace class_parallel {

results whole(objective which, std::vector<double> const& logits, hone::index classes, inputs<double> const& in,
              hone::reduction how) {
  const auto rows = static_cast<hone::index>(logits.size()) / classes;
  results to{0, std::vector<double>(static_cast<std::size_t>(rows)), std::vector<double>(logits.size())};
  constexpr int last = static_cast<int>(objective::of_many);
  const auto evaluate = [&]<int I>(std::integral_constant<int, I>) {
    if (which == objective{I})
      to.value = hone::evaluate(hone::cpu{1}, make<objective{I}>(in), hone::matrix_view{logits.data(), rows, classes},
                                {{to.gradient.data(), rows, classes}, to.losses.data(), nullptr}, how);
  };
  [&]<int... I>(std::integer_sequence<int, I...>) {
    (evaluate(std::integral_constant<int, I>()), ...);
  }(std::make_integer_sequence<int, last + 1>());
  return to;
}

}  // namespace class_parallel
