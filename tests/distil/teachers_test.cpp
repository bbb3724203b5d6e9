// SPDX-License-Identifier: MIT
// Labels, means and mixtures of teachers, and their invalid arguments.
#include <hone/hone.hpp>

#include <support/message.hpp>
#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

namespace {

using support::noise;

const double not_a_number = std::numeric_limits<double>::quiet_NaN(),
             infinity = std::numeric_limits<double>::infinity();

struct four_rows {
  static constexpr int size = 4 * 9;

  std::vector<double> z = noise(0, size), teacher = noise(100, size), other = noise(200, size),
                      out = std::vector<double>(size, 7);
  std::vector<int> labels{8, 7, -1, 5};
  hone::cpu cpu;

  static hone::matrix_view<double> view(std::vector<double>& v) { return {v.data(), 4, 9}; }
  double loss(auto const& objective) { return hone::evaluate(cpu, objective, view(z)); }
};

/// The call throws a message with this text, and has not written.
template <class Call>
void refuses(std::string const& text, Call const& call) {
  four_rows f;
  CAPTURE(text);
  const std::string said = support::message([&] { call(f); });
  CHECK_MESSAGE(said.find(text) != std::string::npos, said);
  CHECK(f.out == std::vector<double>(f.size, 7));
  CHECK(f.labels == std::vector<int>{8, 7, -1, 5});
}

}  // namespace

TEST_CASE("knowledge_distillation is the weighted sum of cross_entropy and distillation") {
  four_rows f;
  const auto target = hone::smooth(hone::classes(f.labels, {.ignore = -1}), 0.1);
  const auto taught = hone::distillation(f.view(f.teacher), 3);
  CHECK(f.loss(hone::knowledge_distillation(target, f.view(f.teacher), 3, {.alpha = 0.75})) ==
        f.loss(0.25 * hone::cross_entropy(target) + 0.75 * taught));
  CHECK(f.loss(hone::knowledge_distillation(target, f.view(f.teacher), 3)) ==
        doctest::Approx(f.loss(0.1 * hone::cross_entropy(target) + 0.9 * taught)).epsilon(1e-14));
}

TEST_CASE("hard_labels returns the teacher's largest class, usable by cross_entropy") {
  four_rows f;
  hone::hard_labels(f.cpu, f.view(f.teacher), f.labels);
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t c = 0; c < 9; ++c) CHECK(f.teacher[i * 9 + c] <= f.teacher[i * 9 + std::size_t(f.labels[i])]);
  CHECK(f.loss(hone::cross_entropy(hone::classes(f.labels))) > 0);
}

TEST_CASE("distillation from average_teachers is distillation from the mean probabilities") {
  four_rows f;
  const std::vector<float> weights{1, 2};
  hone::average_teachers(f.cpu, {f.view(f.teacher), f.view(f.other)}, 3, f.view(f.out), {.weights = weights});
  // KL(p ‖ s) of p = (t + 2 u)/3 by cross entropies, which are linear in p, and the entropy of p.
  const auto softmax = [&](std::vector<double> const& x, std::size_t i) {
    std::vector<double> p;
    double total = 0;
    for (std::size_t c = 0; c < 9; ++c) p.push_back(std::exp(x[i * 9 + c] / 3)), total += p.back();
    for (double& y : p) y /= total;
    return p;
  };
  double expected = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto t = softmax(f.teacher, i), u = softmax(f.other, i), s = softmax(f.z, i);
    for (std::size_t c = 0; c < 9; ++c) {
      const double p = (t[c] + 2 * u[c]) / 3;
      expected += 9 * p * std::log(p / s[c]) / 4;
    }
  }
  CHECK(f.loss(hone::distillation(f.view(f.out), 3)) == doctest::Approx(expected).epsilon(1e-13));

  const std::vector<hone::matrix_view<const double>> list{f.view(f.teacher), f.view(f.other)};
  std::vector<double> again = f.out;
  hone::average_teachers(f.cpu, list, 3, f.view(again), {.weights = weights});
  CHECK(again == f.out);
}

TEST_CASE("hard_labels and average_teachers: invalid arguments throw, and nothing is written") {
  using view = hone::matrix_view<double>;
  refuses("hard_labels: room for 3 labels, 4 rows",
          [](four_rows& f) { hone::hard_labels(f.cpu, f.view(f.teacher), std::span(f.labels).first(3)); });
  refuses("hard_labels: teacher_logits is 4 x 0, must have a class",
          [](four_rows& f) { hone::hard_labels(f.cpu, view{f.teacher.data(), 4, 0}, f.labels); });
  refuses("hard_labels: teacher_logits is 4 x 9 but has no data",
          [](four_rows& f) { hone::hard_labels(f.cpu, view{static_cast<double*>(nullptr), 4, 9}, f.labels); });
  refuses("hard_labels: labels go up to 127, teacher_logits has 129 classes", [](four_rows& f) {
    std::vector<double> wide(129);
    std::vector<signed char> narrow(1);
    hone::hard_labels(f.cpu, view{wide.data(), 1, 129}, narrow);
  });
  for (const double T : {0.0, -1.0, not_a_number, infinity}) {
    refuses("average_teachers: temperature is ",
            [T](four_rows& f) { hone::average_teachers(f.cpu, {f.view(f.teacher)}, T, f.view(f.out)); });
    refuses("knowledge_distillation: temperature is ",
            [T](four_rows& f) { hone::knowledge_distillation(hone::classes(f.labels), f.view(f.teacher), T); });
  }
  for (const double alpha : {-0.5, 1.5, not_a_number})
    refuses("knowledge_distillation: alpha is ", [alpha](four_rows& f) {
      hone::knowledge_distillation(hone::classes(f.labels), f.view(f.teacher), 1, {.alpha = alpha});
    });
  refuses("average_teachers: the number of teachers is 0",
          [](four_rows& f) { hone::average_teachers(f.cpu, {}, 1, f.view(f.out)); });
  refuses("average_teachers: teacher 1 is 4 x 8, out is 4 x 9", [](four_rows& f) {
    hone::average_teachers(f.cpu, {f.view(f.teacher), view{f.other.data(), 4, 8}}, 1, f.view(f.out));
  });
  refuses("average_teachers: out has a row_stride of 2",
          [](four_rows& f) { hone::average_teachers(f.cpu, {f.view(f.teacher)}, 1, view{f.out.data(), 4, 9, 2}); });
  const auto weighed = [](std::vector<double> const& w) {
    return [&w](four_rows& f) {
      hone::average_teachers(f.cpu, {f.view(f.teacher), f.view(f.other)}, 1, f.view(f.out), {.weights = w});
    };
  };
  const std::vector<double> few{1}, negative{1, -1}, bad{not_a_number, 1}, nothing{0, 0};
  refuses("average_teachers: 1 weights for 2 teachers", weighed(few));
  refuses("average_teachers: weight 1 is -1", weighed(negative));
  refuses("average_teachers: weight 0 is nan", weighed(bad));
  refuses("average_teachers: the sum of the weights is 0", weighed(nothing));
}
