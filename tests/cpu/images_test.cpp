// SPDX-License-Identifier: MIT
// An image_view gives the same results as the matrix that holds its pixels as rows.
#include <hone/hone.hpp>

#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace {

struct shape {
  hone::index images, channels, pixels;

  hone::index rows() const { return images * pixels; }
  hone::index size() const { return rows() * channels; }
};

/// Pixel by pixel what the image holds channel by channel.
template <class T>
std::vector<T> as_rows(std::vector<T> const& image, shape s) {
  std::vector<T> rows(image.size());
  for (hone::index m = 0; m < s.images; ++m)
    for (hone::index c = 0; c < s.channels; ++c)
      for (hone::index p = 0; p < s.pixels; ++p)
        rows[std::size_t((m * s.pixels + p) * s.channels + c)] =
            image[std::size_t((m * s.channels + c) * s.pixels + p)];
  return rows;
}

template <class T>
std::vector<T> numbers(shape s, hone::index from, bool unit = false) {
  std::vector<T> x;
  for (hone::index i = 0; i < s.size(); ++i) {
    const double y = support::noise(from + i);
    x.push_back(static_cast<T>(static_cast<float>(unit ? std::abs(y) / 4 : y)));
  }
  return x;
}

/// make(view of targets, view of a teacher) builds the objective for images and for rows.
template <class T, class Make>
void agree(shape s, double tolerance, Make const& make) {
  CAPTURE(s.channels);
  CAPTURE(s.pixels);
  const auto z = numbers<T>(s, 0), q = numbers<T>(s, 3000, true), t = numbers<T>(s, 6000);
  const auto z_rows = as_rows(z, s), q_rows = as_rows(q, s), t_rows = as_rows(t, s);
  const auto image = [&](auto& x) { return hone::image_view{x.data(), s.images, s.channels, s.pixels}; };
  const auto matrix = [&](auto& x) { return hone::matrix_view{x.data(), s.rows(), s.channels}; };
  using A = hone::accumulator_t<T>;
  std::vector<T> by_image(z.size()), by_rows(z.size());
  std::vector<A> losses(z.size()), wanted(z.size());
  const hone::cpu cpu;
  for (const hone::reduction how : {hone::mean, hone::sum}) {
    const double a = hone::evaluate(cpu, make(image(q), image(t)), image(z),
                                    {.gradient = image(by_image), .unreduced = losses.data()}, how);
    const double b = hone::evaluate(cpu, make(matrix(q_rows), matrix(t_rows)), matrix(z_rows),
                                    {.gradient = matrix(by_rows), .unreduced = wanted.data()}, how);
    CHECK(a == doctest::Approx(b).epsilon(1e-5));
    int wrong = 0;
    const auto turned = as_rows(by_image, s);
    const auto differ = [&](double x, double y) { return !(std::abs(x - y) <= tolerance * (1 + std::abs(y))); };
    for (std::size_t i = 0; i < turned.size(); ++i) wrong += differ(double(turned[i]), double(by_rows[i]));
    for (std::size_t i = 0; i < losses.size(); ++i) wrong += differ(double(losses[i]), double(wanted[i]));
    CHECK(wrong == 0);
  }
  auto over = z;  // in place
  hone::evaluate(cpu, make(image(q), image(t)), image(over), {.gradient = image(over)}, hone::sum);
  int wrong = 0;
  for (std::size_t i = 0; i < over.size(); ++i) wrong += !(double(over[i]) == double(by_image[i]));
  CHECK(wrong == 0);
}

template <class T>
void every_objective(double tolerance) {
  for (const shape s : {shape{1, 1, 1}, {2, 5, 13}, {3, 4, 16}, {1, 21, 35}, {2, 70, 9}, {4, 2, 3}}) {
    std::vector<int> labels, other;
    std::vector<float> row_weights, class_weights;
    for (hone::index i = 0; i < s.rows(); ++i) {
      labels.push_back(i % 6 == 4 ? -100 : static_cast<int>((i * 7 + 2) % s.channels));
      other.push_back(static_cast<int>(i % (s.channels + 2)) - 1);  // background too
      row_weights.push_back(i % 5 == 2 ? 0.0f : 0.5f + float(i % 4));
    }
    for (hone::index c = 0; c < s.channels; ++c) class_weights.push_back(0.25f + float(c % 3));
    const auto classes = hone::classes(labels, {.ignore = -100});
    agree<T>(s, tolerance, [&](auto, auto) {
      return hone::weigh_rows(hone::cross_entropy(hone::weigh_classes(hone::smooth(classes, 0.1), class_weights)),
                              row_weights);
    });
    agree<T>(s, tolerance, [&](auto q, auto t) {
      return 0.7 * hone::cross_entropy(hone::smooth(hone::mix(classes, hone::probabilities(q), 0.25), 0.1)) +
             0.3 * hone::distillation(t, 4) + hone::z_loss(0.01);
    });
    agree<T>(s, tolerance, [&](auto, auto t) {
      return hone::softmax_focal_loss(hone::smooth(classes, 0.1)) + hone::distillation(t, 3);
    });
    agree<T>(s, tolerance, [&](auto q, auto) {
      return hone::weigh_rows(hone::binary_cross_entropy(q), row_weights) +
             0.5 * hone::sigmoid_focal_loss(hone::classes(other));
    });
    agree<T>(s, tolerance, [&](auto q, auto) { return hone::quality_focal_loss(q) + hone::varifocal_loss(q); });
    agree<T>(s, tolerance, [&](auto, auto) { return hone::sigmoid_focal_loss(classes, {.alpha = -1, .gamma = 1}); });
  }
}

}  // namespace

TEST_CASE("images give the results of their pixels as rows: float") { every_objective<float>(2e-5); }
TEST_CASE("images give the results of their pixels as rows: double") { every_objective<double>(1e-13); }
TEST_CASE("images give the results of their pixels as rows: half") { every_objective<Eigen::half>(0x1p-9); }
TEST_CASE("images give the results of their pixels as rows: bfloat16") { every_objective<Eigen::bfloat16>(0x1p-7); }

TEST_CASE("evaluate: targets and gradients with another image shape than the prediction throw") {
  std::vector<float> z(24, 0.5f), g(24, 7), q(24, 0.25f);
  const hone::cpu cpu;
  const hone::image_view in{z.data(), 2, 3, 4};
  CHECK_THROWS_AS(hone::evaluate(cpu, hone::z_loss(1), in, {.gradient = {g.data(), 4, 3, 2}}), hone::invalid_argument);
  CHECK_THROWS_AS(hone::evaluate(cpu, hone::binary_cross_entropy(hone::image_view{q.data(), 1, 3, 8}), in,
                                 {.gradient = {g.data(), 2, 3, 4}}),
                  hone::invalid_argument);
  CHECK_THROWS_AS(
      hone::evaluate(cpu, hone::z_loss(1), hone::image_view{z.data(), 2, 3, -4}, {.gradient = {g.data(), 2, 3, 4}}),
      hone::invalid_argument);
  CHECK(g == std::vector<float>(24, 7));
}

TEST_CASE("a prediction as a matrix takes probabilities as images, alone or mixed") {
  for (const hone::index channels : {5, 40}) {
    const shape s{3, channels, 10};  // groups of lanes cross from image to image
    const hone::index rows = s.rows();
    const auto image = numbers<float>(s, 0, true), flat = as_rows(image, s), logits = numbers<float>(s, 7);
    const hone::matrix_view z{logits.data(), rows, channels};
    const auto as_image = hone::probabilities(hone::image_view{image.data(), s.images, channels, s.pixels});
    const auto as_matrix = hone::probabilities(hone::matrix_view{flat.data(), rows, channels});
    const auto same = [&](auto const& a, auto const& b) {
      std::vector<float> ga(logits.size()), gb(logits.size());
      const double va = hone::evaluate(hone::cpu{1}, hone::cross_entropy(a), z,
                                       {.gradient = hone::matrix_view{ga.data(), rows, channels}});
      const double vb = hone::evaluate(hone::cpu{1}, hone::cross_entropy(b), z,
                                       {.gradient = hone::matrix_view{gb.data(), rows, channels}});
      CHECK(va == vb);
      CHECK(ga == gb);
    };
    same(as_image, as_matrix);
    same(hone::smooth(hone::mix(as_image, as_matrix, 0.3), 0.1),
         hone::smooth(hone::mix(as_matrix, as_image, 0.3), 0.1));
  }
}
