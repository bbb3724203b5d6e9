// SPDX-License-Identifier: MIT
// Temperature scaling: temperatures worked out by hand, minima found by other methods, and degenerate likelihoods.
#include <hone/hone.hpp>

#include <calibration/reference.hpp>
#include <support/message.hpp>

#include <support/long_double.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace {

using calibration::about, calibration::cpu, calibration::infinity, calibration::not_a_number, calibration::view;

hone::temperature_fit fit(calibration::data const& d, hone::temperature_options options = {},
                          hone::cpu const& on = cpu) {
  return hone::fit_temperature(on, hone::matrix_view{d.z.data(), d.rows, d.columns}, hone::classes(d.y, {.ignore = -1}),
                               options);
}

bool same(hone::temperature_fit const& a, hone::temperature_fit const& b) {
  return a.temperature == b.temperature && a.before == b.before && a.after == b.after && a.iterations == b.iterations &&
         a.converged == b.converged && a.at_bound == b.at_bound;
}

/// The least of the reference's loss between 0 and `high`, by golden section.
long double golden_section(calibration::data const& d, long double high) {
  const long double part = (std::sqrt(5.0L) - 1) / 2;
  long double a = 0, b = high, c = b - part * (b - a), e = a + part * (b - a), at_c = d.loss(c), at_e = d.loss(e);
  for (int i = 0; i < 120; ++i) {
    if (at_c < at_e) {
      b = e, e = c, at_e = at_c, c = b - part * (b - a), at_c = d.loss(c);
    } else {
      a = c, c = e, at_c = at_e, e = a + part * (b - a), at_e = d.loss(e);
    }
  }
  return (a + b) / 2;
}
/// The zero of the reference's slope.
long double bisection(calibration::data const& d, long double high) {
  long double low = 0;
  for (int i = 0; i < 90; ++i) {
    const long double middle = (low + high) / 2;
    (d.slope(middle) < 0 ? low : high) = middle;
  }
  return low;
}

}  // namespace

TEST_CASE("fit_temperature: three of four rows right with a margin of 2 gives 2 / log 3") {
  const std::vector<float> z{2, 0, 2, 0, 0, 2, 0, 2};
  const auto f = hone::fit_temperature(cpu, view(z, 2), std::vector<int>{0, 0, 1, 0});
  CHECK(f.converged);
  CHECK(!f.at_bound);
  CHECK(f.temperature == about{2 / std::log(3)});
  CHECK(f.before == about{std::log1p(std::exp(-2)) + 0.5});
  CHECK(f.after == about{std::log(4) - 0.75 * std::log(3)});
  CHECK(f.iterations < 10);
}

TEST_CASE("fit_temperature finds the minimum that golden section and bisection find") {
  if (!support::long_double_is_wider()) return;
  for (const auto& [rows, columns, sharpness] :
       {std::tuple{40, 2, 1.0}, {500, 3, 1.0}, {300, 10, 4.0}, {300, 10, 0.25}, {60, 101, 1.0}, {2000, 2, 16.0}}) {
    const calibration::data d(rows, columns, sharpness);
    const auto f = fit(d);
    CHECK(f.converged);
    CHECK(!f.at_bound);
    CHECK(f.temperature == about{static_cast<double>(1 / bisection(d, 40))});
    const long double golden = golden_section(d, 40);
    CHECK(f.temperature == about{static_cast<double>(1 / golden), 2e-9});  // a minimum is flat: half of the digits
    CHECK(f.after == about{static_cast<double>(d.loss(golden)), 1e-13});
    CHECK(f.before == about{static_cast<double>(d.loss(1)), 1e-13});
    CHECK(f.after <= f.before);
    CHECK(std::abs(static_cast<double>(d.slope(1 / static_cast<long double>(f.temperature)))) < 1e-14 * sharpness * 10);
    CHECK(f.iterations <= 12);
  }
}

TEST_CASE("mean_likelihood returns the derivatives of the loss") {
  if (!support::long_double_is_wider()) return;
  const calibration::data d(50, 7);
  const auto labels = hone::classes(d.y, {.ignore = -1});
  const hone::matrix_view<double const> z{d.z.data(), d.rows, d.columns};
  const auto n = static_cast<double>(d.counted());
  for (const double beta : {0.01, 0.5, 1.0, 3.0, 20.0}) {
    const auto at = hone::on_cpu::mean_likelihood(cpu, z, labels, beta, n);
    CHECK(at.value == about{static_cast<double>(d.loss(beta))});
    CHECK(at.first == about{static_cast<double>(d.slope(beta)), 1e-11});
    const long double h = 1e-5L * beta;
    CHECK(at.second == about{static_cast<double>((d.slope(beta + h) - d.slope(beta - h)) / (2 * h)), 1e-8});
  }
}

TEST_CASE("fit_temperature of scaled logits scales the temperature") {
  const calibration::data d(200, 5);
  const double base = fit(d).temperature;
  for (const double s : {1.0 / 256, 0.125, 3.0, 100.0}) {
    calibration::data scaled = d;
    for (double& z : scaled.z) z *= s;
    const auto f = fit(scaled);
    CHECK(f.converged);
    CHECK(f.temperature == about{s * base});
    CHECK(f.iterations <= 40);
    const calibration::data again = scaled;
    CHECK(hone::reliability(cpu, hone::matrix_view{again.z.data(), 200, 5}, hone::classes(again.y, {.ignore = -1}),
                            {.temperature = f.temperature})
              .negative_log_likelihood() == about{f.after});
  }
}

TEST_CASE("fit_temperature returns the lower bound if every row is right") {
  for (const double margin : {0.001, 1.0, 40.0, 1000.0, 1e5}) {
    const std::vector<double> z{margin, 0, 0, margin};
    const auto f = hone::fit_temperature(cpu, view(z, 2), std::vector<int>{0, 1});
    CHECK(f.temperature == 1e-3);
    CHECK(f.at_bound);
    CHECK(f.converged);
    CHECK(f.iterations == 0);
    CHECK(f.after <= f.before);
    CHECK(hone::fit_temperature(cpu, view(z, 2), std::vector<int>{0, 1}, {.least = 0.5}).temperature == 0.5);
  }
  const std::vector<double> ties{3, 3, 0, 1, 0, 0};  // a tie is as right as it can be
  const auto f = hone::fit_temperature(cpu, view(ties, 3), std::vector<int>{1, 0});
  CHECK(f.temperature == 1e-3);
  CHECK(f.after == about{std::log(2) / 2});
}

TEST_CASE("fit_temperature returns the upper bound if the logits are wrong or uninformative") {
  const std::vector<double> z{2, 0, 0, 0, 2, 0};
  const auto f = hone::fit_temperature(cpu, view(z, 3), std::vector<int>{1, 0});
  CHECK(f.temperature == 1e3);
  CHECK(f.at_bound);
  CHECK(f.converged);
  CHECK(f.after < f.before);
  CHECK(f.after == about{std::log(3), 1e-2});
  const std::vector<double> even{2, 0, 2, 0};  // right as often as by chance
  CHECK(hone::fit_temperature(cpu, view(even, 2), std::vector<int>{1, 0}).temperature == 1e3);
  CHECK(hone::fit_temperature(cpu, view(even, 2), std::vector<int>{1, 0}, {.most = 7}).temperature == 7);
}

TEST_CASE("fit_temperature respects bounds that exclude the optimum or 1") {
  const calibration::data d(200, 5);
  const double T = fit(d).temperature;
  CHECK(T > 1.2);
  CHECK(fit(d, {.least = T * 1.5}).temperature == T * 1.5);
  CHECK(fit(d, {.least = T * 1.5}).at_bound);
  CHECK(fit(d, {.most = T / 1.5}).temperature == T / 1.5);
  CHECK(fit(d, {.most = T / 1.5}).at_bound);
  CHECK(fit(d, {.least = T / 1.1, .most = T * 1.1}).temperature == about{T});
  CHECK(fit(d, {.least = T / 1.1, .most = T * 1.1}).before == fit(d).before);
  CHECK(fit(d, {.least = 3 * T, .most = 3 * T}).temperature == 3 * T);
  CHECK(fit(d, {.least = 1e-300, .most = 1e300}).temperature == about{T});
}

TEST_CASE("fit_temperature returns 1 if every temperature has the same loss") {
  const std::vector<double> equal{3, 3, 3, -8, -8, -8}, impossible{2, 2, -infinity, 1, 1, -infinity};
  const std::vector<int> y{2, 0}, possible{1, 0}, ignored{5, 5};
  const auto is_one = [](hone::temperature_fit const& f) {
    return f.temperature == 1 && f.converged && !f.at_bound && f.iterations == 0 && f.before == f.after;
  };
  CHECK(is_one(hone::fit_temperature(cpu, view(equal, 3), y)));
  CHECK(hone::fit_temperature(cpu, view(equal, 3), y).after == about{std::log(3)});
  CHECK(is_one(hone::fit_temperature(cpu, view(impossible, 3), possible)));
  CHECK(is_one(hone::fit_temperature(cpu, view(equal, 1), std::vector<int>(6, 0))));
  CHECK(is_one(hone::fit_temperature(cpu, view(equal, 3), hone::classes(ignored, {.ignore = 5}))));
  CHECK(is_one(hone::fit_temperature(cpu, hone::matrix_view<float>(), std::vector<int>())));
  CHECK(hone::fit_temperature(cpu, view(equal, 3), y, {.least = 2}).temperature == 2);
  CHECK(hone::fit_temperature(cpu, view(equal, 3), y, {.most = 0.5}).temperature == 0.5);
}

TEST_CASE("fit_temperature returns 1, not converged, if the likelihood is not finite") {
  for (const std::vector<double>& hole : {std::vector{not_a_number, 0.0, 0.0},
                                          {0.0, 0.0, not_a_number},
                                          {infinity, 0.0, 0.0},
                                          {-infinity, -infinity, -infinity}}) {
    std::vector<double> z{3, 1, 0, 0, 1, 4, 2, 1, 0};
    z.insert(z.end(), hole.begin(), hole.end());
    for (const int label : {0, 1}) {
      const std::vector<int> y{0, 2, 1, label};
      const auto f = hone::fit_temperature(cpu, view(z, 3), y);
      CHECK(f.temperature == 1);
      CHECK(!f.converged);
      CHECK(std::isnan(f.before));
      CHECK(std::isnan(f.after));
    }
    const std::vector<int> y{0, 2, 1, -1};
    const auto f = hone::fit_temperature(cpu, view(z, 3), hone::classes(y, {.ignore = -1}));
    CHECK(f.converged);
    CHECK(f.temperature ==
          hone::fit_temperature(cpu, hone::matrix_view{z.data(), 3, 3}, std::vector{0, 2, 1}).temperature);
  }
  const std::vector<double> z{1, -infinity, 2, 0, 2, 0};
  const auto f = hone::fit_temperature(cpu, view(z, 2), std::vector<int>{1, 0, 1});
  CHECK(f.temperature == 1);
  CHECK(!f.converged);
  CHECK(f.before == infinity);
  CHECK(f.after == infinity);
}

TEST_CASE("fit_temperature is not changed by classes with logits of -inf") {
  const std::vector<float> z{2, 0, 2, 0, 0, 2, 0, 2};
  std::vector<float> more;
  for (std::size_t i = 0; i < z.size(); ++i) {
    more.push_back(z[i]);
    if (i % 2 == 1) more.push_back(-std::numeric_limits<float>::infinity());
  }
  const std::vector<int> y{0, 0, 1, 0};
  CHECK(same(hone::fit_temperature(cpu, view(more, 3), y), hone::fit_temperature(cpu, view(z, 2), y)));
}

TEST_CASE("least_likelihood converges where Newton's method is slow or leaves the bounds") {
  std::vector<double> asked;
  const auto search = [&](auto const& slope, auto const& curvature, hone::temperature_options options = {}) {
    asked.clear();
    return hone::detail::minimize_loss(
        [&](double b) {
          asked.push_back(b);
          return hone::detail::likelihood{0, slope(b), curvature(b)};
        },
        options);
  };
  // Steps of 1/50 from 1 to 40 would be two thousand.
  auto f = search([](double b) { return std::exp(-2000.0) - std::exp(-50 * b); },
                  [](double b) { return 50 * std::exp(-50 * b); });
  CHECK(f.at_bound);  // exp(-2000) is 0
  f = search([](double b) { return 1e-300 - std::exp(-17 * b); }, [](double b) { return 17 * std::exp(-17 * b); });
  CHECK(f.converged);
  CHECK(f.temperature == about{17 / (300 * std::log(10))});
  CHECK(f.iterations < 80);
  // From 1 Newton's step leads to a negative β.
  f = search([](double b) { return std::atan(30 * (b - 0.01)); },
             [](double b) { return 30 / (1 + 900 * (b - 0.01) * (b - 0.01)); });
  CHECK(f.converged);
  CHECK(f.temperature == about{100});
  CHECK(f.iterations < 10);
  CHECK(std::count(asked.begin(), asked.end(), 1e-3) == 1);  // what is known of a bound is not asked again
  // A curvature of 0 or NaN leaves the bisection.
  for (const double curvature : {0.0, not_a_number}) {
    f = search([](double b) { return b - 0.3; }, [=](double) { return curvature; });
    CHECK(f.converged);
    CHECK(f.temperature == about{1 / 0.3, 1e-9});
    CHECK(f.iterations < 100);
  }
  // It halves powers, whatever the bounds.
  for (const double zero : {1e200, 1e-200}) {
    f = search([=](double b) { return b < zero ? -1.0 : 1.0; }, [](double) { return 0.0; },
               {.least = 1e-300, .most = 1e300});
    CHECK(f.converged);
    CHECK(f.temperature == about{1 / zero});
    CHECK(f.iterations < 100);
  }
  f = search([](double b) { return b - 1; }, [](double) { return 1.0; });
  CHECK(f.temperature == 1);
  CHECK(f.iterations == 0);
  CHECK(f.converged);
}

TEST_CASE("fit_temperature is bit-identical for every number of threads") {
  for (const auto& [rows, columns] : {std::pair{3001, 10}, {700, 100}, {8, 40000}, {20000, 2}}) {
    const calibration::data d(rows, columns);
    const auto one = fit(d, {}, hone::cpu(1));
    CHECK(one.converged);
    for (const int threads : {2, 3, 7}) CHECK(same(fit(d, {}, hone::cpu(threads)), one));
  }
}

TEST_CASE_TEMPLATE("fit_temperature of other types matches double, and padding is not read", T, float, double,
                   Eigen::half, Eigen::bfloat16) {
  for (const int columns : {2, 10, 37}) {
    const calibration::data data(60, columns);
    const hone::index stride = columns + 3;
    std::vector<T> z(static_cast<std::size_t>(60 * stride), static_cast<T>(std::numeric_limits<float>::quiet_NaN()));
    calibration::data rounded = data;
    for (hone::index i = 0; i < 60; ++i)
      for (hone::index k = 0; k < columns; ++k) {
        const auto x = static_cast<T>(static_cast<float>(data.logit(i, k)));
        z[static_cast<std::size_t>(i * stride + k)] = x;
        rounded.z[static_cast<std::size_t>(i * columns + k)] = static_cast<double>(x);
      }
    const auto f = hone::fit_temperature(cpu, hone::matrix_view{z.data(), 60, columns, stride},
                                         hone::classes(data.y, {.ignore = -1}));
    CHECK(f.temperature == about{fit(rounded).temperature});
    CHECK(f.after == about{fit(rounded).after});
  }
}

TEST_CASE("fit_temperature: invalid arguments throw with their values") {
  const std::vector<float> z(12, 1.0f);
  const std::vector<int> y{0, 2, 1, 0}, bad{0, 2, -1, 0}, few{0, 1};
  const auto of = [&](hone::temperature_options options) {
    return support::message([&] { hone::fit_temperature(cpu, view(z, 3), y, options); });
  };
  CHECK(of({}).empty());
  CHECK(of({.least = 0}) == "fit_temperature: least is 0, must be positive, and its inverse finite");
  CHECK(of({.least = 1e-310}) == "fit_temperature: least is 1e-310, must be positive, and its inverse finite");
  CHECK(of({.least = not_a_number}).find("fit_temperature: least is ") == 0);
  CHECK(of({.least = 2, .most = 1}) == "fit_temperature: most is 1, must be finite and at least .least");
  CHECK(of({.most = infinity}) == "fit_temperature: most is inf, must be finite and at least .least");
  CHECK(of({.most = not_a_number}).find("fit_temperature: most is ") == 0);
  CHECK(support::message([&] { hone::fit_temperature(cpu, view(z, 3), few); }) ==
        "fit_temperature: 2 labels for 4 rows");
  CHECK(support::message([&] { hone::fit_temperature(cpu, view(z, 3), bad); }) ==
        "fit_temperature: the label of row 2 is -1, must be in [0, 3)");
  CHECK(support::message([&] { hone::fit_temperature(cpu, hone::matrix_view{z.data(), 4, 3, 1}, y); }) ==
        "fit_temperature: logits has a row_stride of 1, must be at least its 3 columns");
}
