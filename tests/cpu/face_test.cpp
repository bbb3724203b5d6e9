// SPDX-License-Identifier: MIT
// What the interface accepts: Eigen vectors as labels and weights, scalars as factors, operators, reductions without
// outputs, and images in calibration.
#include <hone/hone.hpp>

#include <support/message.hpp>
#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <Eigen/Core>

#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

namespace {

constexpr hone::index rows = 7, columns = 5;
const hone::cpu one{1};
const std::vector<double> logits = support::noise(3, rows* columns);
const hone::matrix_view z{logits.data(), rows, columns};
const std::vector<int> labels = support::labels(rows, columns);
const std::vector<double> weights = [] {
  std::vector<double> w;
  for (const double x : support::noise(90, rows)) w.push_back(std::abs(x) / 8);
  return w;
}();

double worth(auto const& objective) { return hone::evaluate(one, objective, z); }

template <class Vector>
Vector as(auto const& from) {
  Vector v(static_cast<Eigen::Index>(from.size()));
  for (std::size_t i = 0; i < from.size(); ++i)
    v[static_cast<Eigen::Index>(i)] = static_cast<typename Vector::Scalar>(from[i]);
  return v;
}

}  // namespace

TEST_CASE("labels may be any contiguous vector of integers") {
  const double expected = worth(hone::cross_entropy(hone::classes(labels)));
  const auto same = [&](auto&& y) { CHECK(worth(hone::cross_entropy(hone::classes(y))) == expected); };
  same(as<Eigen::VectorXi>(labels));
  same(as<Eigen::RowVectorXi>(labels));
  same(as<Eigen::ArrayXi>(labels));
  same(as<Eigen::Matrix<hone::index, Eigen::Dynamic, 1>>(labels));
  same(as<Eigen::Array<unsigned char, Eigen::Dynamic, 1>>(labels));
  const Eigen::VectorXi fixed = as<Eigen::VectorXi>(labels);
  same(fixed);
  same(Eigen::Matrix<int, rows, 1>(fixed));
  Eigen::VectorXi longer(rows + 2);
  longer << -1, fixed, -1;
  const auto part = longer.segment(1, rows);
  same(part);
  Eigen::Matrix<int, 2, Eigen::Dynamic, Eigen::RowMajor> two(2, rows);
  two.row(1) = fixed.transpose();
  const auto row = two.row(1);
  same(row);
  const Eigen::Map<const Eigen::VectorXi> map(labels.data(), rows);
  same(map);
  CHECK(worth(hone::cross_entropy(hone::classes(Eigen::Map<const Eigen::VectorXi>(labels.data(), rows)))) == expected);
  const Eigen::Ref<const Eigen::VectorXi> ref(fixed);
  same(ref);
  std::array<int, rows> array{};
  int plain[rows];
  for (std::size_t i = 0; i < rows; ++i) array[i] = plain[i] = labels[i];
  same(array);
  same(plain);

  const std::vector<hone::index> partners{1, 0, 3, 2, 4, 6, 5};
  using indices = Eigen::Matrix<hone::index, Eigen::Dynamic, 1>;
  const indices own = as<indices>(partners);
  CHECK(worth(hone::cross_entropy(hone::partner_classes(fixed, own))) ==
        worth(hone::cross_entropy(hone::partner_classes(labels, partners))));
}

TEST_CASE("weights and λ may be any contiguous vector of float or double") {
  const auto y = hone::classes(labels);
  const auto w = as<Eigen::VectorXd>(weights);
  const auto f = as<Eigen::ArrayXf>(weights);
  const std::vector<float> narrow(weights.begin(), weights.end());
  CHECK(worth(hone::weigh_rows(hone::cross_entropy(y), w)) == worth(hone::weigh_rows(hone::cross_entropy(y), weights)));
  CHECK(worth(hone::weigh_rows(hone::cross_entropy(y), f)) == worth(hone::weigh_rows(hone::cross_entropy(y), narrow)));
  CHECK(worth(hone::cross_entropy(hone::mix(y, y, w))) == worth(hone::cross_entropy(hone::mix(y, y, weights))));
  CHECK(worth(hone::cross_entropy(hone::mix(y, y, {weights.data(), rows}))) ==
        worth(hone::cross_entropy(hone::mix(y, y, weights))));
  const std::vector<double> of_classes(weights.begin(), weights.begin() + columns);
  const auto c = as<Eigen::ArrayXd>(of_classes);
  CHECK(worth(hone::cross_entropy(hone::weigh_classes(y, c))) ==
        worth(hone::cross_entropy(hone::weigh_classes(y, of_classes))));
  CHECK(worth(hone::cross_entropy(hone::weigh_classes(y, {of_classes.data(), columns}))) ==
        worth(hone::cross_entropy(hone::weigh_classes(y, of_classes))));
  CHECK(worth(hone::distribution_focal_loss(w)) == worth(hone::distribution_focal_loss(weights)));

  const std::vector<float> boxes{0, 0, 2, 2, 0, 0, 2, 1.9f, 5, 5, 6, 6};
  const hone::matrix_view b{boxes.data(), 3, 4};
  const Eigen::Vector3f scores(0.5f, 0.9f, 0.7f);
  const Eigen::Vector3i of_boxes(0, 1, 0);
  CHECK(hone::nms(one, b, scores) == std::vector<hone::index>{1, 2});
  CHECK(hone::batched_nms(one, b, scores, of_boxes) == std::vector<hone::index>{1, 2, 0});
  const hone::matrix_view<const double> v = z;
  CHECK(hone::reliability(one, v, as<Eigen::VectorXi>(labels)).count() == rows);
  Eigen::VectorXi out(rows);
  std::vector<int> expected(rows);
  hone::hard_labels(one, z, out);
  hone::hard_labels(one, z, expected);
  CHECK(std::vector<int>(out.data(), out.data() + rows) == expected);
}

TEST_CASE("an objective is multiplied by any number, divided and negated") {
  const auto a = hone::cross_entropy(hone::classes(labels));
  const auto b = hone::z_loss(0.25);
  const double A = worth(a), B = worth(b);
  const hone::yolov5::gains gains;
  CHECK(worth(gains.box * a) == doctest::Approx(0.05 * A).epsilon(1e-13));
  CHECK(worth(a * gains.classes) == doctest::Approx(0.5 * A).epsilon(1e-13));
  CHECK(worth(hone::real(2) * a) == 2 * A);
  CHECK(worth(a * hone::integer(-4)) == -4 * A);
  CHECK(worth(a / 4) == A / 4);
  CHECK(worth(a / hone::real(-0.5)) == -2 * A);
  CHECK(worth(a / 3.0f) == doctest::Approx(A / 3).epsilon(1e-14));
  CHECK(worth(-a) == -A);
  CHECK(worth(-(-a)) == A);
  CHECK(worth(a - b) == doctest::Approx(A - B).epsilon(1e-13));
  CHECK(worth(2 * (a - b) / 4 - -b) == doctest::Approx((A - B) / 2 + B).epsilon(1e-13));
  CHECK(worth(hone::cross_entropy(hone::mix(hone::classes(labels), hone::classes(labels), hone::real(0.5)))) ==
        doctest::Approx(A));

  std::vector<double> gradient(rows * columns), negative = gradient;
  hone::evaluate(one, a, z, {.gradient = {gradient.data(), rows, columns}});
  hone::evaluate(one, -a, z, {.gradient = {negative.data(), rows, columns}});
  for (std::size_t i = 0; i < gradient.size(); ++i) CHECK(negative[i] == -gradient[i]);

  for (const double d :
       {0.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), 1e-310})
    CHECK(support::message([&] { (void)(a / d); }).find("operator/: divisor is ") == 0);
}

TEST_CASE("evaluate takes a reduction without outputs") {
  const auto o = hone::cross_entropy(hone::classes(labels));
  CHECK(hone::evaluate(one, o, z, hone::sum) == hone::evaluate(one, o, z, {}, hone::sum));
  CHECK(hone::evaluate(one, o, z, hone::mean_over(3)) == hone::evaluate(one, o, z, {}, hone::mean_over(3)));
  CHECK(hone::evaluate(one, o, z, hone::mean) == hone::evaluate(one, o, z));
  CHECK(hone::evaluate(one, o, z, {}) == hone::evaluate(one, o, z));
  CHECK(hone::evaluate(one, o, z, {}, {}) == hone::evaluate(one, o, z));
  const hone::reduction how = hone::sum;
  CHECK(hone::evaluate(hone::cpu{1}, o, hone::image_view{logits.data(), 1, columns, rows}, how) > 0);
}

TEST_CASE("calibration of images equals calibration of their pixels as rows") {
  constexpr hone::index images = 3, pixels = 11;
  const std::vector<double> noise = support::noise(17, images * columns * pixels);
  const std::vector<float> planes(noise.begin(), noise.end());
  std::vector<float> by_rows(planes.size());
  for (hone::index n = 0; n < images; ++n)
    for (hone::index p = 0; p < pixels; ++p)
      for (hone::index c = 0; c < columns; ++c)
        by_rows[std::size_t((n * pixels + p) * columns + c)] = planes[std::size_t((n * columns + c) * pixels + p)];
  std::vector<int> y = support::labels(images * pixels, columns);
  y[4] = y[20] = -1;
  const auto target = hone::classes(y, {.ignore = -1});
  const hone::image_view pictures{planes.data(), images, columns, pixels};
  const hone::matrix_view matrix{by_rows.data(), images * pixels, columns};
  const auto a = hone::reliability(one, pictures, target, {.temperature = 1.5}),
             b = hone::reliability(one, matrix, target, {.temperature = 1.5});
  CHECK(a.count() == images * pixels - 2);
  CHECK(a.expected_calibration_error() == b.expected_calibration_error());
  CHECK(a.negative_log_likelihood() == b.negative_log_likelihood());
  CHECK(a.brier_score() == b.brier_score());
  CHECK(hone::static_calibration_error(one, pictures, target) == hone::static_calibration_error(one, matrix, target));
  CHECK(hone::fit_temperature(one, pictures, target).temperature ==
        hone::fit_temperature(one, matrix, target).temperature);
  y[0] = columns;
  CHECK(support::message([&] { hone::reliability(one, pictures, target); }) ==
        "reliability: the label of row 0 is 5, must be in [0, 5)");
  CHECK(support::message([&] {
          hone::reliability(one, hone::image_view{planes.data(), images, columns, -1, -pixels}, target);
        }).find("sizes must not be negative") != std::string::npos);
}
