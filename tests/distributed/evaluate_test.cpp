// SPDX-License-Identifier: MIT
// evaluate over ranks: the same bits for any number of ranks and any cut of the rows, for every kind of loss.
#include <hone/hone.hpp>

#include "../support/numbers.hpp"
#include "../support/ranks.hpp"
#include "../support/same_bytes.hpp"
#include "rows_of_ranks.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

namespace {

using hone::index;

std::size_t size(index n) { return static_cast<std::size_t>(n); }

/// The whole batch: logits, teacher, probabilities, labels of which some are ignored, weights of rows and classes.
template <class T>
struct batch {
  index rows, columns;
  std::vector<T> z, teacher, dense;
  std::vector<int> labels;
  std::vector<float> row_weights, class_weights;

  batch(index n, index k) : rows(n), columns(k) {
    const auto fill = [&](std::vector<T>& to, index from) {
      for (const double x : support::noise(from, n * k)) to.push_back(static_cast<T>(static_cast<float>(x)));
    };
    fill(z, 1), fill(teacher, 100), fill(dense, 1000);
    for (T& q : dense) q = static_cast<T>(std::abs(static_cast<float>(q)) / 4);
    labels = support::labels(n, k);
    for (std::size_t i = 3; i < labels.size(); i += 7) labels[i] = -100;
    for (index i = 0; i < n; ++i) row_weights.push_back(static_cast<float>(i % 5) * 0.3f);
    for (index c = 0; c < k; ++c) class_weights.push_back(0.1f + static_cast<float>(c % 7) * 0.37f);
  }
  hone::matrix_view<const T> some(std::vector<T> const& of, some_rows r) const {
    return {of.data() + r.from * columns, r.count, columns};
  }
  auto some_labels(some_rows r) const {
    return hone::classes(std::span(labels).subspan(size(r.from), size(r.count)), {.ignore = -100});
  }
  auto some_row_weights(some_rows r) const { return hone::numbers(row_weights.data() + r.from, r.count); }
};

template <class A>
struct results {
  double value = 0;
  A output = 0;
  std::vector<A> unreduced;
};

/// Checks that ranks get the bits of a single one. objective_of(rows) returns the objective of some rows.
template <class T, class ObjectiveOf>
void check_bits(batch<T> const& b, ObjectiveOf const& objective_of, hone::reduction how,
                bool losses_of_elements = false) {
  using A = hone::accumulator_t<T>;
  const index of_row = losses_of_elements ? b.columns : 1;
  const auto evaluate = [&](auto const& ranks, some_rows r, std::vector<T>& gradient, hone::rank_gradients gradients) {
    results<A> to{0, 0, std::vector<A>(size(r.count * of_row))};
    gradient.resize(size(r.count * b.columns));
    to.value = hone::evaluate(
        hone::cpu(2), objective_of(r), b.some(b.z, r),
        {.gradient = {gradient.data(), r.count, b.columns}, .unreduced = to.unreduced.data(), .value = &to.output},
        hone::over_ranks(ranks, how, gradients));
    return to;
  };
  std::vector<T> whole_gradient;
  const some_rows all{0, b.rows};
  const results<A> whole = evaluate(hone::self(), all, whole_gradient, hone::rank_gradients::summed);
  CHECK(std::isfinite(whole.value));

  // The ordinary evaluate, whose sums are rounded.
  std::vector<T> ordinary_gradient(whole_gradient.size());
  std::vector<A> ordinary_unreduced(whole.unreduced.size());
  const double ordinary = hone::evaluate(
      hone::cpu(2), objective_of(all), b.some(b.z, all),
      {.gradient = {ordinary_gradient.data(), b.rows, b.columns}, .unreduced = ordinary_unreduced.data()}, how);
  CHECK(whole.value == doctest::Approx(ordinary).epsilon(std::is_same_v<A, double> ? 1e-13 : 1e-6));
  for (std::size_t i = 0; i < ordinary_unreduced.size(); ++i)  // of double, products may be fused differently
    REQUIRE(std::abs(whole.unreduced[i] - ordinary_unreduced[i]) <=
            std::abs(ordinary_unreduced[i]) * (std::is_same_v<A, double> ? A(1e-15) : A(0)));
  CHECK(support::same_bytes(whole_gradient.data(), ordinary_gradient.data(), whole_gradient.size() * sizeof(T)));

  for (const int n : numbers_of_ranks)
    for (int way = 0; way < ways_to_cut; ++way)
      on_ranks(n, [&](auto const& ranks) {
        const some_rows r = rows_of_rank(way, ranks.rank(), n, b.rows);
        std::vector<T> gradient;
        const results<A> mine = evaluate(ranks, r, gradient, hone::rank_gradients::summed);
        const auto same = [&](auto const& part, auto const& of, index each) {
          return support::same_bytes(part.data(), of.data() + r.from * each, part.size() * sizeof part[0]);
        };
        CHECK(support::same_bytes(&mine.value, &whole.value, sizeof(double)));
        CHECK(support::same_bytes(&mine.output, &whole.output, sizeof(A)));
        CHECK(same(mine.unreduced, whole.unreduced, of_row));
        CHECK(same(gradient, whole_gradient, b.columns));
        const results<A> averaged = evaluate(ranks, r, gradient, hone::rank_gradients::averaged);
        CHECK(support::same_bytes(&averaged.value, &whole.value, sizeof(double)));
        CHECK(same(averaged.unreduced, whole.unreduced, of_row));
        double worst = 0;  // W times the gradient, exactly if W is a power of two and T is wide
        for (std::size_t i = 0; i < gradient.size(); ++i) {
          const double one = static_cast<double>(static_cast<A>(whole_gradient[size(r.from * b.columns) + i]));
          worst = std::max(
              worst, std::abs(static_cast<double>(static_cast<A>(gradient[i])) - n * one) / (n + n * std::abs(one)));
        }
        CHECK(worst <= (std::is_same_v<T, A> && n != 3 ? 0 : sizeof(T) == 2 ? 0.005 : 3e-7));
      });
}

template <class T>
void check_rows(index rows, index columns) {
  CAPTURE(columns);
  const batch<T> b(rows, columns);
  const auto plain = [&](some_rows r) { return hone::cross_entropy(hone::smooth(b.some_labels(r), 0.1)); };
  check_bits(b, plain, hone::mean);
  check_bits(b, plain, hone::sum);
  check_bits(b, plain, hone::element_mean);
  const auto two = [&](some_rows r) {
    return hone::weigh_rows(hone::cross_entropy(hone::weigh_classes(b.some_labels(r), b.class_weights)),
                            b.some_row_weights(r)) +
           0.3 * hone::distillation(b.some(b.teacher, r), 4) + hone::z_loss(1e-4);
  };
  check_bits(b, two, hone::mean);
  check_bits(b, two, hone::batch_mean);
}

TEST_CASE("evaluate over ranks: losses of rows have the same bits for any number of ranks and any cut") {
  for (const index columns : {1, 3, 10, 33, 100}) check_rows<float>(53, columns);
  check_rows<double>(53, 10), check_rows<double>(21, 70);
  check_rows<Eigen::half>(53, 10), check_rows<Eigen::bfloat16>(21, 100);
}

TEST_CASE("evaluate over ranks: every other loss of rows") {
  const batch<float> b(61, 12);
  check_bits(b, [&](some_rows r) { return hone::softmax_focal_loss(b.some_labels(r)); }, hone::mean);
  check_bits(b, [&](some_rows r) { return hone::cross_entropy(hone::probabilities(b.some(b.dense, r))); }, hone::mean);
  check_bits(
      b, [&](some_rows r) { return hone::decoupled_distillation(b.some_labels(r), b.some(b.teacher, r), 4); },
      hone::mean);
  check_bits(
      b,
      [&](some_rows r) {
        return hone::jensen_shannon_distillation(b.some(b.teacher, r), 2) +
               hone::reverse_distillation(b.some(b.teacher, r), 1);
      },
      hone::mean);
}

TEST_CASE("evaluate over ranks: a row's loss does not depend on its place, also past the caches") {
  const batch<float> b(3000, 1000);  // 12 MB: the gradient of one rank is streamed, of eight it is not
  check_bits(b, [&](some_rows r) { return hone::cross_entropy(b.some_labels(r)); }, hone::mean);
}

TEST_CASE("evaluate over ranks: losses of elements have the same bits") {
  for (const index columns : {1, 7, 31, 32, 80, 91, 1500}) {
    CAPTURE(columns);
    const batch<float> b(columns < 100 ? 97 : 13, columns);
    check_bits(b, [&](some_rows r) { return hone::sigmoid_focal_loss(b.some(b.dense, r)); }, hone::mean, true);
  }
  const batch<float> b(150, 20);
  const auto two = [&](some_rows r) {
    return hone::weigh_rows(hone::binary_cross_entropy(b.some_labels(r)), b.some_row_weights(r)) +
           0.5 * hone::sigmoid_focal_loss(b.some(b.dense, r));
  };
  check_bits(b, two, hone::mean, true);
  check_bits(b, two, hone::batch_mean, true);
  check_bits(b, two, hone::sum, true);
  const batch<double> d(40, 45);
  check_bits(d, [&](some_rows r) { return hone::sigmoid_focal_loss(d.some(d.dense, r)); }, hone::mean, true);
  const batch<Eigen::half> h(40, 45);
  check_bits(h, [&](some_rows r) { return hone::binary_cross_entropy(h.some(h.dense, r)); }, hone::mean, true);
}

TEST_CASE("evaluate over ranks: losses of boxes have the same bits, also beside boxes that are not valid") {
  batch<float> b(701, 4);
  const auto make_boxes = [](std::vector<float>& x) {
    for (std::size_t i = 0; i < x.size(); i += 4) {
      if (i % 36 == 0) continue;  // corners in any order
      x[i + 2] = x[i] + std::abs(x[i + 2]) + 0.1f, x[i + 3] = x[i + 1] + std::abs(x[i + 3]) + 0.1f;
    }
  };
  make_boxes(b.z), make_boxes(b.teacher);
  check_bits(b, [&](some_rows r) { return hone::giou_loss(b.some(b.teacher, r)); }, hone::mean);
  const auto two = [&](some_rows r) {
    return hone::weigh_rows(hone::ciou_loss(b.some(b.teacher, r)), b.some_row_weights(r)) +
           0.5 * hone::iou_loss(b.some(b.teacher, r));
  };
  check_bits(b, two, hone::mean);
  check_bits(b, two, hone::element_mean);
}

/// Images are cut between images.
template <class ObjectiveOf>
void check_images(index images, index channels, index pixels, ObjectiveOf const& objective_of) {
  const batch<float> b(images * pixels, channels);
  const auto value_of = [&](auto const& ranks, some_rows r, std::vector<float>& gradient) {
    gradient.resize(size(r.count * pixels * channels));
    const hone::image_view<const float> z{b.z.data() + r.from * pixels * channels, r.count, channels, pixels};
    return hone::evaluate(hone::cpu(2), objective_of(b, some_rows{r.from * pixels, r.count * pixels}, r.count), z,
                          {.gradient = {gradient.data(), r.count, channels, pixels}},
                          hone::over_ranks(ranks, hone::mean, hone::rank_gradients::summed));
  };
  std::vector<float> whole_gradient;
  const double whole = value_of(hone::self(), {0, images}, whole_gradient);
  for (const int n : numbers_of_ranks)
    for (int way = 0; way < ways_to_cut; ++way)
      on_ranks(n, [&](auto const& ranks) {
        const some_rows r = rows_of_rank(way, ranks.rank(), n, images);
        std::vector<float> gradient;
        const double value = value_of(ranks, r, gradient);
        CHECK(support::same_bytes(&value, &whole, sizeof(double)));
        CHECK(support::same_bytes(gradient.data(), whole_gradient.data() + r.from * pixels * channels,
                                  gradient.size() * sizeof(float)));
      });
}

TEST_CASE("evaluate over ranks: what is told of rows is told of the rows of a rank") {
  const batch<float> b(53, 33);
  struct facts {
    std::vector<float> sums;
    std::vector<int> classes;
    index correct = -1, counted = -1;

    explicit facts(index rows) : sums(size(rows)), classes(size(rows)) {}
    hone::outputs<float> outputs() {
      return {.log_sum_exp = sums.data(), .predicted = classes.data(), .correct = &correct, .counted = &counted};
    }
  };
  on_ranks(3, [&](auto const& ranks) {
    for (int way = 0; way < ways_to_cut; ++way) {
      const some_rows r = rows_of_rank(way, ranks.rank(), 3, b.rows);
      const auto objective = hone::cross_entropy(b.some_labels(r));
      facts mine(r.count), alone(r.count);
      hone::evaluate(hone::cpu(2), objective, b.some(b.z, r), mine.outputs(),
                     hone::over_ranks(ranks, hone::mean, hone::rank_gradients::summed));
      hone::evaluate(hone::cpu(2), objective, b.some(b.z, r), alone.outputs());
      CHECK(mine.sums == alone.sums);
      CHECK(mine.classes == alone.classes);
      CHECK(mine.correct == alone.correct);
      CHECK(mine.counted == alone.counted);
    }
  });
}

TEST_CASE("evaluate over ranks: images have the same bits") {
  check_images(9, 5, 37,
               [](batch<float> const& b, some_rows r, index) { return hone::cross_entropy(b.some_labels(r)); });
  check_images(9, 1, 37, [](batch<float> const& b, some_rows r, index images) {
    return hone::binary_cross_entropy(hone::image_view<const float>{b.dense.data() + r.from, images, 1, 37});
  });
  check_images(9, 40, 11, [](batch<float> const& b, some_rows r, index images) {
    return hone::sigmoid_focal_loss(hone::image_view<const float>{b.dense.data() + r.from * 40, images, 40, 11});
  });
}

}  // namespace
