// SPDX-License-Identifier: MIT
// Labels of partners as a target: bit-identical to a copy of these labels.
#include <hone/hone.hpp>

#include <support/message.hpp>
#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <cstdint>

namespace {

using support::message;

const hone::cpu cpu(2);

}  // namespace

TEST_CASE("partner_classes is bit-identical to copied labels: ignored rows, class weights, smoothing") {
  for (const hone::index K : {3, 10, 70}) {
    const hone::index n = 25;
    const std::vector<double> z = support::noise(0, n * K);
    std::vector<double> weights(std::size_t(K), 0.5);
    for (std::size_t c = 0; c < weights.size(); ++c) weights[c] += double(c % 4);
    const std::vector<int> given = support::labels(n, K);
    std::vector<std::int8_t> labels(given.begin(), given.end());
    labels[7] = -1;
    const auto draw = hone::mixup{.alpha = 1}.draw(3, 4, n);
    std::vector<std::int8_t> copies(labels.size());
    for (std::size_t i = 0; i < copies.size(); ++i) copies[i] = labels[std::size_t(draw.partner[i])];

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

// What a device asks, where no host reads labels.
TEST_CASE("partner_classes::labels_fit checks the label of the partner") {
  const std::vector<int> labels{0, 3, 2, -1};
  const std::vector<hone::index> partner{1, 0, 3, 2};
  const auto target = hone::partner_classes(labels, partner);
  const bool fits[] = {false, true, false, true};
  for (hone::index i = 0; i < 4; ++i) CHECK(target.labels_fit(i, 3) == fits[i]);
}

TEST_CASE("partner_classes: invalid partners and labels throw, and nothing is written") {
  const std::vector<int> labels{0, 1, 2, 0}, large{0, 1, 3, 0};
  std::vector<float> z(12, 0.5f), gradient(12, 7.0f);
  const auto said = [&](auto const& target) {
    std::string text = message([&] {
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
