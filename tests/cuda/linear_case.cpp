// SPDX-License-Identifier: MIT
#include <hone/hone.hpp>

#include "linear_case.hpp"

#include <random>

namespace linear {

problem::problem(index rows_, index features_, index classes_, unsigned seed)
    : rows(rows_),
      features(features_),
      classes(classes_),
      x(std::size_t(rows * features)),
      w(std::size_t(classes * features)),
      b(std::size_t(classes)),
      row_weights(std::size_t(rows)),
      class_weights(std::size_t(classes)),
      lambdas(std::size_t(rows)),
      teacher(std::size_t(rows * classes)),
      probabilities(teacher.size()) {
  std::mt19937 random(seed);
  const auto below = [&](int n) { return int(random() % unsigned(n)); };
  for (auto* numbers : {&x, &w, &b})
    for (double& n : *numbers) n = (below(33) - 16) / 32.0;
  for (index i = 0; i < rows; ++i) {
    labels.push_back(i % 7 == 3 || classes == 0 ? -1 : below(int(classes)));
    partners.push_back(rows - 1 - i);
    row_weights[std::size_t(i)] = float(below(3)), lambdas[std::size_t(i)] = float(below(5)) / 4;
  }
  for (float& c : class_weights) c = float(1 + below(3));
  for (float& t : teacher) t = float(below(64)) / 16;
  for (float& p : probabilities) p = float(below(64)) / (32 * float(classes));
}
inputs problem::host() const {
  return {labels,
          row_weights,
          class_weights,
          lambdas,
          partners,
          {teacher.data(), rows, classes},
          {probabilities.data(), rows, classes}};
}

namespace {

template <loss Loss>
answer evaluate(problem const& p, hone::reduction how) {
  answer a{std::vector<double>(p.x.size()), std::vector<double>(p.w.size()), std::vector<double>(p.b.size()),
           std::vector<double>(std::size_t(p.rows))};
  a.value = hone::evaluate(hone::cpu(1), objective<Loss>(p.host()),
                           hone::linear_logits(hone::matrix_view{p.x.data(), p.rows, p.features},
                                               hone::matrix_view{p.w.data(), p.classes, p.features}, p.b, 7),
                           {.input_gradient = {a.dx.data(), p.rows, p.features},
                            .weight_gradient = {a.dw.data(), p.classes, p.features},
                            .bias_gradient = a.db,
                            .unreduced = a.losses.data()},
                           how);
  return a;
}

}  // namespace

answer on_cpu(loss of, problem const& p, hone::reduction how) {
  switch (of) {
    case loss::labels:
      return evaluate<loss::labels>(p, how);
    case loss::smoothed:
      return evaluate<loss::smoothed>(p, how);
    case loss::distilled:
      return evaluate<loss::distilled>(p, how);
    case loss::mixed:
      return evaluate<loss::mixed>(p, how);
  }
  return {};
}

}  // namespace linear
