// SPDX-License-Identifier: MIT
// Invalid arguments of element-wise losses throw before anything is written.
#include <hone/hone.hpp>

#include <doctest/doctest.h>
#include <support/message.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace {

const float not_a_number = std::nanf("");
const hone::cpu cpu(2);

/// Evaluates an objective on rows x columns logits of 0.5; returns the message of what it threw, and that nothing was
/// written.
template <class T = float, class Objective>
std::string refused(Objective const& objective, hone::index rows, hone::index columns) {
  const auto n = static_cast<std::size_t>(rows * columns);
  const std::vector<T> x(n, T(0.5f));
  std::vector<T> g(n, T(7.0f));
  std::vector<hone::accumulator_t<T>> u(n, 7);
  hone::accumulator_t<T> value = 7;
  const std::string message = support::message([&] {
    hone::evaluate(cpu, objective, hone::matrix_view<const T>{x.data(), rows, columns},
                   {.gradient = {g.data(), rows, columns}, .unreduced = u.data(), .value = &value});
  });
  bool untouched = value == 7;
  for (std::size_t i = 0; i < n; ++i) untouched = untouched && g[i] == T(7.0f) && u[i] == 7;
  CHECK(untouched == !message.empty());
  return message;
}
bool holds(std::string const& text, const char* part) { return text.find(part) != std::string::npos; }

template <class Body>
void each_loss(Body const& body) {
  body([](auto t) { return hone::binary_cross_entropy(t); });
  body([](auto t) { return hone::binary_cross_entropy(t, hone::smooth_binary(0.1)); });
  body([](auto t) { return hone::poly1_binary_cross_entropy(t); });
  body([](auto t) { return hone::sigmoid_focal_loss(t); });
  body([](auto t) { return hone::quality_focal_loss(t); });
  body([](auto t) { return hone::varifocal_loss(t); });
  body([](auto t) { return hone::asymmetric_loss(t); });
}

}  // namespace

TEST_CASE("labels for a prediction of one column throw, because 0 would be the positive class") {
  const std::vector<int> labels{0, 1, 1, 0};
  each_loss([&](auto const& loss) {
    const std::string message = refused(loss(hone::classes(labels)), 4, 1);
    CHECK(holds(message, "prediction has 1 column"));
    CHECK(holds(message, "hone::matrix_view{labels.data(), rows, 1}"));
    CHECK(holds(message, ".background"));
    CHECK(holds(refused(loss(hone::smooth(hone::classes(labels), 0.1)), 4, 1), "prediction has 1 column"));
    CHECK(!holds(refused(loss(hone::smooth(hone::classes(labels), 0.1)), 4, 1), ".background"));
    CHECK(holds(refused(loss(hone::mix(hone::classes(labels), hone::classes(labels), 0.5)), 4, 1), "1 column"));
    CHECK(refused(loss(hone::classes(labels)), 4, 2).empty());
    CHECK(refused(loss(hone::matrix_view{labels.data(), 4, 1}), 4, 1).empty());  // the call that it names
  });
  std::vector<float> x(12, 0.5f);
  const std::vector<std::int64_t> pixels(12, 1);
  CHECK(holds(support::message([&] {
                hone::evaluate(cpu, hone::binary_cross_entropy(hone::classes(pixels)),
                               hone::image_view{x.data(), 2, 1, 6});
              }),
              "prediction has 1 column"));
}

TEST_CASE("the call that the error for one column suggests takes 1 as positive") {
  const std::vector<int> labels{0, 1};
  const std::vector<float> x{3, -2};
  const double loss = hone::evaluate(cpu, hone::binary_cross_entropy(hone::matrix_view{labels.data(), 2, 1}),
                                     hone::matrix_view{x.data(), 2, 1}, {}, hone::sum);
  CHECK(loss == doctest::Approx(std::log1p(std::exp(3.0)) + std::log1p(std::exp(2.0))));
}

TEST_CASE("labels for one column are accepted if classes names the background") {
  const std::vector<int> labels{0, -1, 1, -5};
  const std::vector<float> x{3, -2, 0.5f, 1};
  const auto evaluate = [&](hone::classes_options options) {
    return hone::evaluate(cpu, hone::binary_cross_entropy(hone::classes(labels, options)),
                          hone::matrix_view{x.data(), 4, 1}, {}, hone::sum);
  };
  const auto softplus = [](double z) { return std::log1p(std::exp(z)); };
  CHECK(evaluate({.background = -1}) == doctest::Approx(softplus(-3) + softplus(-2) + softplus(0.5) + softplus(1)));
  CHECK(evaluate({.ignore = -5, .background = -1}) == doctest::Approx(softplus(-3) + softplus(-2) + softplus(0.5)));
  CHECK(holds(support::message([&] { evaluate({.background = 0}); }),
              "evaluate: background is 0, must not be one of the 1 columns"));
}

TEST_CASE("element-wise losses: weights and mixtures of the wrong size or value throw") {
  const std::vector<int> labels{0, 1, 2, 0};
  const std::vector<float> three{1, 1, 1}, four(4, 1.0f), bad{1, not_a_number, 1}, less{1, -1, 1}, view(12, 1.0f),
      beyond{0, 1, 2, 0};
  const std::vector<hone::index> partner{0, 1, 4, 2};
  const auto loss = hone::binary_cross_entropy(hone::classes(labels));
  CHECK(holds(refused(hone::weigh_columns(loss, four), 4, 3), "evaluate: 4 weigh_columns weights for 3 columns"));
  CHECK(
      holds(refused(hone::weigh_columns(loss, bad), 4, 3), "weigh_columns weight of column 1 is nan, must be finite"));
  CHECK(holds(refused(hone::weigh_positives(loss, four), 4, 3), "evaluate: 4 weigh_positives weights for 3 columns"));
  CHECK(holds(refused(hone::weigh_positives(loss, less), 4, 3), "weigh_positives weight of column 1 is -1"));
  CHECK(holds(support::message([&] { hone::weigh_positives(loss, -1); }), "weigh_positives: weight is -1"));
  CHECK(holds(support::message([&] { hone::weigh_positives(loss, not_a_number); }), "weigh_positives: weight is nan"));
  CHECK(holds(refused(hone::weigh_elements(loss, hone::matrix_view{view.data(), 3, 4}), 4, 3),
              "evaluate: weigh_elements weights is 3 x 4, prediction is 4 x 3"));
  CHECK(
      holds(refused(hone::binary_cross_entropy(hone::mix(hone::classes(labels), hone::classes(labels), beyond)), 4, 3),
            "mix lambda of row 2 is 2, must be in [0, 1]"));
  CHECK(holds(refused(hone::binary_cross_entropy(hone::smooth(hone::partner_classes(labels, partner), 0.1)), 4, 3),
              "the partner of row 2 is 4"));
  CHECK(holds(refused(hone::binary_cross_entropy(hone::mix(hone::classes(labels), hone::classes(labels), 0.5)), 3, 3),
              "evaluate: 4 labels for 3 rows"));
  CHECK(refused(hone::weigh_positives(hone::weigh_columns(loss, three), three), 4, 3).empty());
}

TEST_CASE_TEMPLATE("a target mask of 0 and 255 throws", T, float, std::uint8_t, Eigen::half) {
  for (const auto& shape : {std::pair<hone::index, hone::index>{1, 1}, {4, 3}, {7, 73}, {64, 64}, {3, 5000}}) {
    const hone::index rows = shape.first, columns = shape.second;  // clang 14 captures no structured bindings
    CAPTURE(rows);
    CAPTURE(columns);
    std::vector<T> mask(static_cast<std::size_t>(rows * columns));
    for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = T(static_cast<float>(i % 5 < 2 ? 255 : 0));
    each_loss([&](auto const& loss) {
      const std::string message = refused(loss(hone::matrix_view{mask.data(), rows, columns}), rows, columns);
      CHECK(holds(message, "evaluate: the target of row 0, column 0 is 255, must be in [0, 1]"));
    });
    for (T& t : mask) t = T(static_cast<float>(t) > 0 ? 1.0f : 0.0f);
    each_loss([&](auto const& loss) {
      CHECK(refused(loss(hone::matrix_view{mask.data(), rows, columns}), rows, columns).empty());
    });
  }
}

TEST_CASE("targets outside [0, 1] are accepted where the weight is 0, and within rounding") {
  std::vector<float> t{0, -1, 1.001f, not_a_number, 0.5f, 1}, w{1, 0, 1, 1, 1, 1}, rows{1, 1}, none{0, 1};
  const std::vector<float> columns{1, 0, 1};
  const auto loss = hone::binary_cross_entropy(hone::matrix_view{t.data(), 2, 3});
  CHECK(holds(refused(loss, 2, 3), "the target of row 0, column 1 is -1"));
  CHECK(refused(hone::weigh_elements(loss, hone::matrix_view{w.data(), 2, 3}), 2, 3).empty());
  CHECK(refused(hone::weigh_columns(loss, columns), 2, 3).empty());
  CHECK(refused(hone::weigh_rows(loss, none), 2, 3).empty());
  CHECK(!refused(hone::weigh_rows(loss, rows), 2, 3).empty());
  CHECK(refused(0 * loss, 2, 3).empty());
  t[1] = 0, t[4] = -1;
  CHECK(holds(refused(loss, 2, 3), "the target of row 1, column 1 is -1"));

  std::vector<float> planes(2400), logits(planes.size());

  for (std::size_t i = 0; i < planes.size(); ++i) planes[i] = i / 1200 == 1 ? 2.0f : 0.0f;
  CHECK(holds(support::message([&] {
                hone::evaluate(cpu, hone::binary_cross_entropy(hone::image_view{planes.data(), 2, 3, 400}),
                               hone::image_view{logits.data(), 2, 3, 400});
              }),
              "is 2, must be in [0, 1]"));
}
