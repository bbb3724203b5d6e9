// SPDX-License-Identifier: MIT
// Distillation from the top k classes of a teacher: gradients against dual numbers, edges, errors.
#include <hone/hone.hpp>

#include <support/dual.hpp>
#include <support/message.hpp>
#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace {

using support::dual;
using support::noise;

const double infinity = std::numeric_limits<double>::infinity(),
             not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Some classes of every row with some probabilities, which need not sum to 1.
hone::top_k_batch made_up(hone::index rows, hone::index K, hone::index k, double T) {
  hone::top_k_batch b;
  b.rows = rows, b.columns = K, b.k = k, b.temperature = T;
  for (hone::index i = 0; i < rows; ++i) {
    for (hone::index j = 0; j < k; ++j) {
      b.classes.push_back(static_cast<std::int32_t>(j + (i + 1) * (K - k) / (rows + 1)));
      b.log_probabilities.push_back(static_cast<float>(-1.5 - std::abs(noise(i * k + j))));
    }
    b.rest.push_back(k == K ? -std::numeric_limits<float>::infinity() : -1.0f - static_cast<float>(i));
  }
  return b;
}

/// KL of two distributions over k + 1 bins, the student's summed up in plain order.
dual divergence(hone::top_k_batch const& b, hone::index i, std::vector<dual> const& z, double T) {
  dual all(0), rest(0), loss(0);
  std::vector<dual> weight;
  for (dual x : z) weight.push_back(exp(x / dual(T))), all = all + weight.back();
  std::vector<bool> listed(z.size());
  double total = std::exp(double(b.rest[std::size_t(i)]));
  for (hone::index j = i * b.k; j < (i + 1) * b.k; ++j) total += std::exp(double(b.log_probabilities[std::size_t(j)]));
  for (hone::index j = i * b.k; j < (i + 1) * b.k; ++j) {
    const auto c = std::size_t(b.classes[std::size_t(j)]);
    const double t = std::exp(double(b.log_probabilities[std::size_t(j)])) / total;
    listed[c] = true;
    loss = loss + dual(t) * (dual(std::log(t)) - log(weight[c] / all));
  }
  for (std::size_t c = 0; c < z.size(); ++c)
    if (!listed[c]) rest = rest + weight[c];
  const double t = std::exp(double(b.rest[std::size_t(i)])) / total;
  if (t > 0) loss = loss + dual(t) * (dual(std::log(t)) - log(rest / all));
  return dual(T * T) * loss;
}

template <class T>
struct answer {
  std::vector<T> gradient, losses;

  answer(hone::top_k_batch const& teacher, std::vector<T> const& z)
      : gradient(z.size()), losses(std::size_t(teacher.rows)) {
    hone::evaluate(
        hone::cpu(1), hone::top_k_distillation(teacher), hone::matrix_view{z.data(), teacher.rows, teacher.columns},
        {.gradient = {gradient.data(), teacher.rows, teacher.columns}, .unreduced = losses.data()}, hone::sum);
  }
};

}  // namespace

TEST_CASE("top_k_distillation and its gradient match dual numbers") {
  for (const hone::index K : {1, 2, 7, 33, 100})
    for (const hone::index k : {hone::index(1), hone::index(2), K / 2, K})
      for (const double T : {0.5, 1.0, 4.0}) {
        if (k < 1 || k > K) continue;
        CAPTURE(K);
        CAPTURE(k);
        const hone::top_k_batch b = made_up(5, K, k, T);
        const std::vector<double> z = noise(0, 5 * K);
        const answer<double> seen(b, z);
        double worst = 0;
        for (hone::index i = 0; i < 5; ++i)
          for (hone::index of = 0; of < K; ++of) {
            std::vector<dual> row;
            row.reserve(std::size_t(K));
            for (hone::index c = 0; c < K; ++c) row.push_back(dual(z[std::size_t(i * K + c)], c == of));
            const dual expected = divergence(b, i, row, T);
            const double scale = 10 + std::abs(expected.v);
            worst = std::max({worst, std::abs(seen.losses[std::size_t(i)] - expected.v) / scale,
                              std::abs(seen.gradient[std::size_t(i * K + of)] - expected.d) / scale});
          }
        CHECK(worst <= 1e-12);
      }
}

TEST_CASE("top_k_distillation is finite and accurate wherever the student's probability lies") {
  // All of it on a listed class, on a class that is not, and far apart within both.
  for (const hone::index K : {hone::index(6), hone::index(90)}) {
    hone::top_k_batch b = made_up(1, K, 2, 1);
    b.classes = {1, 4};
    b.log_probabilities = {std::log(0.5f), std::log(0.25f)}, b.rest = {std::log(0.25f)};
    std::vector<float> z(std::size_t(K), -30.0f);
    const auto expected = [&](double to_1, double to_4, double to_rest) {
      return 0.5 * (std::log(0.5) - to_1) + 0.25 * (std::log(0.25) - to_4) + 0.25 * (std::log(0.25) - to_rest);
    };
    for (const float far : {100.0f, 1e4f}) {
      z[1] = far, z[4] = 0;
      const double others = -30 - double(far) + std::log(double(K) - 2);
      const answer<float> listed(b, z);
      CHECK(double(listed.losses[0]) == doctest::Approx(expected(0, -double(far), others)).epsilon(1e-6));
      CHECK(double(listed.gradient[0]) == doctest::Approx(-0.25 / (double(K) - 2)).epsilon(1e-5));
      CHECK(listed.gradient[1] == doctest::Approx(0.5).epsilon(1e-6));
      z[1] = -30, z[0] = far;
      const answer<float> other(b, z);
      CHECK(double(other.losses[0]) == doctest::Approx(expected(-30 - double(far), -double(far), 0)).epsilon(1e-6));
      CHECK(other.gradient[0] == doctest::Approx(0.75).epsilon(1e-6));
      CHECK(other.gradient[2] == 0);
      z[0] = -30;
    }
  }
}

TEST_CASE("top_k_distillation of all classes is distillation, and 0 for a student equal to its teacher") {
  for (const hone::index K : {5, 70}) {
    hone::top_k_batch b;
    std::vector<float> teacher, z;
    for (hone::index c = 0; c < K; ++c) {
      teacher.push_back(static_cast<float>(noise(c))), z.push_back(static_cast<float>(noise(50 + c)));
      b.classes.push_back(static_cast<std::int32_t>(c));
    }
    double total = 0;
    for (const float t : teacher) total += std::exp(double(t) / 2);
    for (const float t : teacher) b.log_probabilities.push_back(static_cast<float>(double(t) / 2 - std::log(total)));
    b.rest = {-std::numeric_limits<float>::infinity()}, b.rows = 1, b.columns = b.k = K, b.temperature = 2;
    const answer<float> seen(b, z);
    const double loss = hone::evaluate(hone::cpu(1), hone::distillation(hone::matrix_view{teacher.data(), 1, K}, 2),
                                       hone::matrix_view{z.data(), 1, K});
    CHECK(double(seen.losses[0]) == doctest::Approx(loss).epsilon(1e-5));
    const answer<float> same(b, teacher);
    CHECK(std::abs(same.losses[0]) < 1e-5f);
    for (const float g : same.gradient) CHECK(std::abs(g) < 1e-6f);
  }
}

TEST_CASE("top_k_distillation: an invalid batch throws, and nothing is written") {
  const auto refuses = [](std::string const& text, auto const& change) {
    hone::top_k_batch b = made_up(4, 9, 3, 2);
    change(b);
    std::vector<double> z = noise(0, 36), out(36, 7);
    const std::string said = support::message([&] {
      hone::evaluate(hone::cpu(1), hone::top_k_distillation(b), hone::matrix_view{z.data(), 4, 9},
                     {.gradient = {out.data(), 4, 9}});
    });
    CHECK_MESSAGE(said.find(text) != std::string::npos, said);
    CHECK(out == std::vector<double>(36, 7));
  };
  for (const double T : {0.0, -1.0, not_a_number, infinity})
    refuses("top_k_distillation: temperature is ", [T](auto& b) { b.temperature = T; });
  refuses("top_k_distillation: the batch has 12 classes, 12 probabilities and the rest of 0 rows, for 4 rows of 3",
          [](auto& b) { b.rest.clear(); });
  refuses("top_k_distillation: the batch has 11 classes", [](auto& b) { b.classes.pop_back(); });
  refuses("top_k_distillation: the batch has 12 classes, 11 probabilities",
          [](auto& b) { b.log_probabilities.pop_back(); });
  refuses("evaluate: top_k_distillation teacher is of 3 x 9, prediction is 4 x 9",
          [](auto& b) { b = made_up(3, 9, 3, 2); });
  refuses("evaluate: top_k_distillation teacher is of 4 x 8, prediction is 4 x 9",
          [](auto& b) { b = made_up(4, 8, 3, 2); });
  refuses("class 1 of row 2 of the top_k_distillation teacher is 9, must be in (",
          [](auto& b) { b.classes[7] = 9, b.classes[8] = 9; });
  refuses("evaluate: class 0 of row 0 of the top_k_distillation teacher is -1, must be in (-1, 9)",
          [](auto& b) { b.classes[0] = -1; });
  refuses("class 2 of row 1", [](auto& b) { b.classes[5] = b.classes[4]; });

  const hone::top_k_batch b = made_up(4, 9, 3, 2);
  const auto says = [&](std::string const& text, auto const& change) {
    hone::top_k_view view = b.view();
    change(view);
    const std::string said = support::message([&] { hone::top_k_distillation(view); });
    CHECK_MESSAGE(said.find(text) != std::string::npos, said);
  };
  says("top_k_distillation: k is 0, must be", [](auto& v) { v.k = 0; });
  says("top_k_distillation: k is 10, must be", [](auto& v) { v.k = 10; });
  says("top_k_distillation: rows is -1, must be", [](auto& v) { v.rows = -1; });
  says("top_k_distillation: the teacher has 4 rows but no data", [](auto& v) { v.rest = nullptr; });
}
