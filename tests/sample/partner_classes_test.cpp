// SPDX-License-Identifier: MIT
// Labels of partners as a target: what copied labels would give, bit by bit.
#include <hone/hone.hpp>

#include <support/message.hpp>
#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <cstdint>

namespace {

using support::message;

const hone::cpu cpu(2);

}  // namespace

TEST_CASE("labels of partners answer as copies of them do: ignored rows, class weights, smoothing") {
  for (const hone::index K : {3, 10, 70}) {
    const hone::index n = 25;
    const std::vector<double> z = support::noise(0, n * K), weights = [&] {
      std::vector<double> w;
      for (hone::index c = 0; c < K; ++c) w.push_back(0.5 + double(c % 4));
      return w;
    }();
    std::vector<std::int8_t> labels;
    for (const int y : support::labels(n, K)) labels.push_back(std::int8_t(y));
    labels[7] = -1;
    const auto draw = hone::mixup{.alpha = 1}.draw(3, 4, n);
    std::vector<std::int8_t> copies;
    for (const hone::index p : draw.partner) copies.push_back(labels[std::size_t(p)]);

    const hone::classes_options ignore{.ignore = -1};
    std::vector<double> first(z.size()), second(z.size());
    const auto ask = [&](auto const& partner, std::vector<double>& gradient) {
      const auto target = hone::weigh_classes(
          hone::smooth(hone::mix(hone::classes(labels, ignore), partner, draw.lambda), 0.1), weights);
      return hone::evaluate(cpu, hone::cross_entropy(target), hone::matrix_view<const double>{z.data(), n, K},
                            {.gradient = {gradient.data(), n, K}});
    };
    CHECK(ask(hone::partner_classes(labels, draw.partner, ignore), first) ==
          ask(hone::classes(copies, ignore), second));
    CHECK(first == second);
  }
}

TEST_CASE("partners that do not fit are refused, and nothing is written") {
  const std::vector<int> labels{0, 1, 2, 0}, large{0, 1, 3, 0};
  std::vector<float> z(12, 0.5f), gradient(12, 7.0f);
  const auto said = [&](auto const& target) {
    const std::string text = message([&] {
      hone::evaluate(cpu, hone::cross_entropy(target), hone::matrix_view<float>{z.data(), 4, 3},
                     {.gradient = {gradient.data(), 4, 3}});
    });
    CHECK(gradient == std::vector<float>(12, 7.0f));
    return text;
  };
  const std::vector<hone::index> few{0, 1, 2}, far{0, 1, 2, 4}, negative{0, -1, 2, 3}, good{3, 2, 1, 0};
  CHECK(said(hone::partner_classes(labels, few)) == "evaluate: 3 partners for 4 rows");
  CHECK(said(hone::partner_classes(labels, far)) == "evaluate: the partner of row 3 is 4, must be in [0, 4)");
  CHECK(said(hone::partner_classes(labels, negative)) == "evaluate: the partner of row 1 is -1, must be in [0, 4)");
  CHECK(said(hone::partner_classes(large, good)) == "evaluate: the label of row 2 is 3, must be in [0, 3)");
}
