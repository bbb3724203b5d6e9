// SPDX-License-Identifier: MIT
// Lovász-Softmax against its definition, by sorting and by differences of Jaccard losses, and against central
// differences; the guarantees of evaluate.
#include <hone/hone.hpp>

#include <support/finite_differences.hpp>
#include <support/message.hpp>
#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace {

using support::noise;

/// The loss and its gradient for rows × K logits of one region.
struct answer {
  double value = 0;
  std::vector<double> gradient;
};
template <class T>
answer reference(std::vector<T> const& z, std::vector<int> const& y, std::size_t K, bool absent) {
  const std::size_t n = y.size();
  std::vector<double> p(n * K), a(n * K);
  for (std::size_t i = 0; i < n; ++i) {
    double total = 0;
    for (std::size_t c = 0; c < K; ++c) total += std::exp(double(float(z[i * K + c])));
    for (std::size_t c = 0; c < K; ++c) p[i * K + c] = std::exp(double(float(z[i * K + c]))) / total;
  }
  answer result{0, std::vector<double>(n * K)};
  double classes = 0;
  for (std::size_t c = 0; c < K; ++c) {
    std::vector<std::size_t> order;
    double of_class = 0;
    for (std::size_t i = 0; i < n; ++i)
      if (y[i] != 255) order.push_back(i), of_class += y[i] == int(c);
    if (of_class == 0 && !absent) continue;
    ++classes;
    const auto error = [&](std::size_t i) { return y[i] == int(c) ? 1 - p[i * K + c] : p[i * K + c]; };
    std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return error(i) > error(j); });
    double missing = of_class, whole = of_class, before = 0;
    for (const std::size_t i : order) {
      (y[i] == int(c) ? missing : whole) += y[i] == int(c) ? -1 : 1;
      const double jaccard = 1 - missing / whole, g = jaccard - before;
      before = jaccard;
      result.value += g * error(i);
      a[i * K + c] = y[i] == int(c) ? -g : g;
    }
  }
  if (classes == 0) return result;
  result.value /= classes;
  for (std::size_t i = 0; i < n; ++i) {
    double mean = 0;
    for (std::size_t c = 0; c < K; ++c) mean += p[i * K + c] * a[i * K + c] / classes;
    for (std::size_t c = 0; c < K; ++c)
      if (y[i] != 255) result.gradient[i * K + c] = p[i * K + c] * (a[i * K + c] / classes - mean);
  }
  return result;
}

std::vector<int> labels_of(hone::index n, hone::index K) {
  std::vector<int> y = support::labels(n, K);
  for (std::size_t i = 3; i < y.size(); i += 7) y[i] = 255;
  for (int& label : y)
    if (label == 1) label = 0;  // class 1 is absent
  return y;
}

template <class T>
void agree(hone::index n, hone::index K, double bound) {
  CAPTURE(n);
  CAPTURE(K);
  std::vector<T> z, g(std::size_t(n * K));
  for (const double x : noise(0, n * K)) z.push_back(static_cast<T>(static_cast<float>(x)));
  const std::vector<int> y = labels_of(n, K);
  for (const bool absent : {false, true}) {
    const auto objective =
        hone::lovasz_softmax_loss(hone::classes(y, {.ignore = 255}),
                                  {.absent = absent ? hone::absent_classes::counted : hone::absent_classes::skipped});
    const answer expected = reference(z, y, std::size_t(K), absent);
    const hone::matrix_view view{z.data(), n, K};
    const double value = hone::evaluate(hone::cpu(2), objective, view, {.gradient = {g.data(), n, K}});
    CHECK(std::abs(value - expected.value) <= std::min(bound, 1e-5));
    CHECK(hone::evaluate(hone::cpu(2), objective, view) == value);
    double largest = 0, off = 0;
    for (std::size_t i = 0; i < g.size(); ++i) {
      largest = std::max(largest, std::abs(expected.gradient[i]));
      off = std::max(off, std::abs(double(float(g[i])) - expected.gradient[i]));
    }
    CHECK(off <= bound * largest);
    std::vector<T> over = z;
    const hone::matrix_view in_place{over.data(), n, K};
    hone::evaluate(hone::cpu(1), objective, in_place, {.gradient = in_place});
    CHECK(std::memcmp(over.data(), g.data(), g.size() * sizeof(T)) == 0);
  }
}

}  // namespace

TEST_CASE("Lovasz-Softmax is what its definition says, for tall and wide rows and all types") {
  for (const auto& [n, K] : {std::pair<hone::index, hone::index>{1, 3}, {60, 4}, {777, 10}, {40, 150}}) {
    agree<double>(n, K, 1e-6);  // the reference reads float
    agree<float>(n, K, 2e-5);
    agree<Eigen::bfloat16>(n, K, 1e-2);
  }
}

TEST_CASE("the gradient of Lovasz-Softmax is that of its value") {
  const hone::index n = 9, K = 4;
  const std::vector<int> y = labels_of(n, K);
  const auto target = hone::classes(y, {.ignore = 255});
  CHECK(support::distance_from_differences(hone::lovasz_softmax_loss(target), noise(0, n * K), n, K, hone::mean) <
        1e-6);
  CHECK(support::distance_from_differences(
            0.5 * hone::cross_entropy(target) + 2 * hone::lovasz_softmax_loss(target) + hone::dice_loss(target),
            noise(7, n * K), n, K, hone::mean) < 1e-6);
}

TEST_CASE("Lovasz-Softmax has the same bits for any number of threads, with equal errors too") {
  const hone::index images = 2, K = 5, pixels = 3001;
  std::vector<float> z;
  for (const double x : noise(0, images * K * pixels)) z.push_back(std::round(float(x)));  // many equal errors
  const std::vector<int> y = labels_of(images * pixels, K);
  for (const bool per_image : {false, true}) {
    const auto objective = hone::lovasz_softmax_loss(hone::classes(y, {.ignore = 255}), {.per_image = per_image});
    std::vector<float> first(z.size());
    double value = 0;
    for (const int threads : {1, 2, 3, 8}) {
      std::vector<float> g(z.size(), 7);
      const double seen = hone::evaluate(hone::cpu(threads), objective, hone::image_view{z.data(), images, K, pixels},
                                         {.gradient = {g.data(), images, K, pixels}});
      if (threads == 1) value = seen, first = g;
      CHECK(seen == value);
      CHECK(std::memcmp(g.data(), first.data(), g.size() * sizeof(float)) == 0);
    }
  }
}

TEST_CASE("Lovasz-Softmax at its edges") {
  const hone::index n = 6, K = 3;
  std::vector<float> z, g(18, 7);
  for (const double x : noise(0, n * K)) z.push_back(float(x));
  const hone::matrix_view view{z.data(), n, K}, gradient{g.data(), n, K};
  const std::vector<int> ignored(6, 255), y{0, 1, 255, 2, 0, 1};
  const auto target = hone::classes(y, {.ignore = 255});
  const hone::cpu cpu(1);
  CHECK(hone::evaluate(cpu, hone::lovasz_softmax_loss(hone::classes(ignored, {.ignore = 255})), view,
                       {.gradient = gradient}) == 0);
  CHECK(g == std::vector<float>(18, 0.0f));
  CHECK(hone::evaluate(cpu, hone::lovasz_softmax_loss(hone::classes(ignored, {.ignore = 255})),
                       hone::matrix_view{z.data(), 6, 0}) == 0);
  // A perfect prediction has no loss, the opposite one a loss of 1.
  std::vector<float> sure(18, -200);
  for (std::size_t i = 0; i < 6; ++i) sure[i * 3 + std::size_t(y[i] % 3)] = 200;
  CHECK(hone::evaluate(cpu, hone::lovasz_softmax_loss(target), hone::matrix_view{sure.data(), n, K}) == 0);
  std::rotate(sure.begin(), sure.begin() + 1, sure.end());
  CHECK(hone::evaluate(cpu, hone::lovasz_softmax_loss(target), hone::matrix_view{sure.data(), n, K}) > 0.5);
  // NaN in a pixel that counts, and in one that is ignored.
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<float> bad = z;
  bad[7] = float(nan);
  CHECK(hone::evaluate(cpu, hone::lovasz_softmax_loss(target), hone::matrix_view{bad.data(), n, K}) ==
        hone::evaluate(cpu, hone::lovasz_softmax_loss(target), view));
  bad[0] = float(nan);
  CHECK(std::isnan(hone::evaluate(cpu, hone::lovasz_softmax_loss(target), hone::matrix_view{bad.data(), n, K})));
  // Weights of classes, and what is refused.
  const std::vector<double> only_first{2, 0, 0}, two{1, 1};
  std::vector<double> of_classes(3);
  for (std::size_t c = 0; c < 3; ++c) {
    std::vector<double> one(3);
    one[c] = 1;
    of_classes[c] = hone::evaluate(cpu, hone::lovasz_softmax_loss(target, {.weights = one}), view);
  }
  CHECK(hone::evaluate(cpu, hone::lovasz_softmax_loss(target, {.weights = only_first}), view) == 2 * of_classes[0]);
  CHECK(hone::evaluate(cpu, hone::lovasz_softmax_loss(target), view) ==
        doctest::Approx((of_classes[0] + of_classes[1] + of_classes[2]) / 3).epsilon(1e-12));
  CHECK(support::message([&] {
          hone::evaluate(cpu, hone::lovasz_softmax_loss(target, {.weights = two}), view);
        }).find("2 region loss weights for 3 classes") != std::string::npos);
  CHECK(support::message([&] {
          hone::evaluate(cpu, hone::lovasz_softmax_loss(target, {.per_image = true}), view);
        }).find("per image needs a hone::image_view") != std::string::npos);
}
