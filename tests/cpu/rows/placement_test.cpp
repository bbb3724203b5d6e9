// SPDX-License-Identifier: MIT
// The gradient of a row is bit-identical at any address and stride and among any other rows, in place or not, written
// into the caches or past them. Nothing outside of the rows is written.
#include <hone/hone.hpp>

#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace {

constexpr float untouched = 1234.5f;

struct data {
  hone::index rows, columns;
  std::vector<float> z, teacher, dense;
  std::vector<std::int64_t> labels, others;

  data(hone::index n, hone::index k) : rows(n), columns(k) {
    const auto numbers = [&](int seed) {
      std::vector<float> x;
      for (double v : support::noise(seed, n * k)) x.push_back(static_cast<float>(v));
      return x;
    };
    z = numbers(1), teacher = numbers(2), dense = numbers(3);
    for (float& q : dense) q = std::abs(q);
    for (hone::index i = 0; i < n; ++i) labels.push_back(i * 7 % k), others.push_back(i * 5 % k);
  }
  std::span<const std::int64_t> some(std::vector<std::int64_t> const& of, hone::index from, hone::index n) const {
    return std::span(of).subspan(std::size_t(from), std::size_t(n));
  }
  hone::matrix_view<const float> some(std::vector<float> const& of, hone::index from, hone::index n) const {
    return {of.data() + from * columns, n, columns};
  }
};

/// Calls body(objective) for objectives of rows [from, from + n): labels alone, two labels, a teacher, probabilities.
template <class Body>
void each_objective(data const& d, hone::index from, hone::index n, Body const& body) {
  const auto labels = hone::classes(d.some(d.labels, from, n)), others = hone::classes(d.some(d.others, from, n));
  body(hone::cross_entropy(hone::smooth(labels, 0.1)));
  body(hone::cross_entropy(hone::mix(labels, others, 0.3)));
  body(hone::distillation(d.some(d.teacher, from, n), 4) + hone::cross_entropy(labels));
  body(hone::cross_entropy(hone::probabilities(d.some(d.dense, from, n))));
}

/// Returns the gradients of the objectives, for logits that start `offset` numbers after an aligned address.
std::vector<std::vector<float>> gradients(data const& d, hone::index from, hone::index n, hone::index offset,
                                          hone::index stride, bool in_place) {
  const auto size = static_cast<std::size_t>(offset + n * stride + 64);
  std::vector<std::vector<float>> all;
  each_objective(d, from, n, [&](auto const& objective) {
    std::vector<float> logits(size, untouched), out(size, untouched);
    for (hone::index i = 0; i < n; ++i)
      for (hone::index c = 0; c < d.columns; ++c)
        logits[std::size_t(offset + i * stride + c)] = d.z[std::size_t((from + i) * d.columns + c)];
    std::vector<float>& to = in_place ? logits : out;
    hone::evaluate(hone::cpu(1), objective,
                   hone::matrix_view<const float>{logits.data() + offset, n, d.columns, stride},
                   {.gradient = {to.data() + offset, n, d.columns, stride}}, hone::sum);
    std::vector<float> g;
    bool outside = true;
    for (hone::index i = 0; i < hone::index(size); ++i) {
      const hone::index at = i - offset, row = at < 0 ? n : at / stride, column = at < 0 ? 0 : at % stride;
      if (row < n && column < d.columns)
        g.push_back(to[std::size_t(i)]);
      else
        outside &= to[std::size_t(i)] == untouched;
    }
    CHECK(outside);
    all.push_back(g);
  });
  return all;
}

void check_against_double(data const& d, std::vector<std::vector<float>> const& all) {
  std::vector<double> z(d.z.begin(), d.z.end()), teacher(d.teacher.begin(), d.teacher.end()),
      dense(d.dense.begin(), d.dense.end());
  for (hone::index i = 0; i < d.rows; ++i) {
    const auto softmax = [&](std::vector<double> const& x, double temperature) {
      std::vector<double> p;
      double most = -1e30, sum = 0;
      for (hone::index c = 0; c < d.columns; ++c) most = std::max(most, x[std::size_t(i * d.columns + c)]);
      for (hone::index c = 0; c < d.columns; ++c)
        p.push_back(std::exp((x[std::size_t(i * d.columns + c)] - most) / temperature)), sum += p.back();
      for (double& v : p) v /= sum;
      return p;
    };
    const std::vector<double> p = softmax(z, 1), s = softmax(z, 4), t = softmax(teacher, 4);
    double mass = 0, worst = 0;
    for (hone::index c = 0; c < d.columns; ++c) mass += dense[std::size_t(i * d.columns + c)];
    for (hone::index c = 0; c < d.columns; ++c) {
      const auto k = static_cast<std::size_t>(c), at = static_cast<std::size_t>(i * d.columns + c);
      const double y = c == d.labels[std::size_t(i)], other = c == d.others[std::size_t(i)];
      const double expected[] = {p[k] - 0.9 * y - 0.1 / double(d.columns), p[k] - 0.3 * y - 0.7 * other,
                                 4 * (s[k] - t[k]) + p[k] - y, (mass * p[k] - dense[at]) / std::max(mass, 1.0)};
      for (std::size_t j = 0; j < 4; ++j) {
        const double g = double(all[j][at]) / (j == 3 ? std::max(mass, 1.0) : 1);
        worst = std::max(worst, std::abs(g - expected[j]));
      }
    }
    CHECK(worst <= 2e-6);
  }
}

}  // namespace

TEST_CASE("row gradients are bit-identical for any length, address and stride, in place or not") {
  for (const hone::index k :
       {1, 2, 3, 4, 5, 7, 8, 9, 10, 15, 16, 17, 31, 33, 64, 65, 66, 79, 80, 96, 100, 127, 1000, 1023}) {
    CAPTURE(k);
    const hone::index n = k < 65 ? 53 : 5;  // more than three groups of 16 rows, and a rest
    const data d(n, k);
    const auto expected = gradients(d, 0, n, 0, k, false);
    check_against_double(d, expected);
    for (const hone::index offset : {1, 5, 8, 15})
      for (const hone::index gap : {0, 1, 13}) {
        CAPTURE(offset);
        CAPTURE(gap);
        CHECK(gradients(d, 0, n, offset, k + gap, false) == expected);
        CHECK(gradients(d, 0, n, offset, k + gap, true) == expected);
      }
  }
}

TEST_CASE("a gradient written past the caches is bit-identical to one in the caches") {
  for (const hone::index k : {100, 1000, 1017}) {
    CAPTURE(k);
    const hone::index n = (hone::index(9) << 20) / 4 / k;  // above on_cpu::streaming_from
    const data d(n, k);
    for (const hone::index gap : {0, 3}) {
      CAPTURE(gap);
      const auto large = gradients(d, 0, n, 5, k + gap, false);
      for (const hone::index from : {hone::index(0), n / 2, n - 40}) {
        const auto small = gradients(d, from, 40, 0, k, false);
        for (std::size_t j = 0; j < small.size(); ++j)
          CHECK(std::equal(small[j].begin(), small[j].end(), large[j].begin() + from * k));
      }
    }
  }
}
