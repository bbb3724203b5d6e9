// SPDX-License-Identifier: MIT
#include <hone/hone.hpp>

#include "support/message.hpp"
#include "support/numbers.hpp"
#include "support/state.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

namespace {

using support::contents, support::saved;

using hone::index;
using support::message;

constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
const std::vector<index> sizes{0, 1, 31, 32767, 32768, 32769, 5, 70000};

template <class T>
struct model {
  std::vector<std::vector<T>> numbers;

  explicit model(std::vector<index> const& of, index step = 0) {
    for (const index n : of) numbers.emplace_back(static_cast<std::size_t>(n));
    train(step);
  }
  void train(index step) {
    index at = 1000003 * step;
    for (auto& tensor : numbers)
      for (T& x : tensor) x = static_cast<T>(static_cast<float>(support::noise(at++)));
  }
  hone::tensor_list<T> list() {
    hone::tensor_list<T> result;
    for (auto& tensor : numbers) result.push_back({tensor.data(), tensor.size()});
    return result;
  }
  std::vector<double> flat() const {
    std::vector<double> all;
    for (auto const& tensor : numbers)
      for (const T x : tensor) all.push_back(static_cast<double>(x));
    return all;
  }
};

template <class T>
double distance(std::vector<T> const& x, std::vector<double> const& y) {
  double worst = x.size() == y.size() ? 0 : inf;
  for (std::size_t i = 0; i < x.size() && i < y.size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(x[i]) - y[i]));
  return worst;
}

// Four updates against d s + (1 - d) p in double. A float update rounds three times, in numbers of at most 4.
template <class T, class P>
void follows_the_formula() {
  const hone::ema average{.decay = 0.9, .ramp = hone::inverse_power_ramp(1, 0.75)};
  model<P> network(sizes);
  hone::ema_state<T> one(network.list()), all(network.list());
  std::vector<double> expected = network.flat();
  for (int n = 1; n <= 4; ++n) {
    network.train(n);
    hone::update(hone::cpu{1}, average, one, network.list());
    hone::update(hone::cpu{7}, average, all, network.list());
    const double d = std::min(0.9, 1 - std::pow(1 + n, -0.75));
    const std::vector<double> p = network.flat();
    for (std::size_t i = 0; i < p.size(); ++i) expected[i] = d * expected[i] + (1 - d) * p[i];
  }
  CHECK(distance(contents(one), expected) <= 4 * 4 * 2 * static_cast<double>(std::numeric_limits<T>::epsilon()));
  CHECK(saved(one) == saved(all));
}

TEST_CASE("update follows the formula, and is bit-identical for every number of threads") {
  follows_the_formula<float, float>();
  follows_the_formula<float, Eigen::half>();
  follows_the_formula<float, Eigen::bfloat16>();
  follows_the_formula<double, double>();
  follows_the_formula<double, float>();
  follows_the_formula<double, Eigen::bfloat16>();
}

TEST_CASE("update of a number is bit-identical wherever it lies in its tensor") {
  model<float> network({1000}, 1), start({1000}, 2);
  const hone::ema average{.decay = 0.7};
  const hone::cpu one{1};
  hone::ema_state<float> whole(start.list());
  hone::update(one, average, whole, network.list());
  for (index n = 1; n < 40; ++n) {
    hone::ema_state<float> part(hone::tensor_list<float>{{start.numbers[0].data() + n, n}});
    hone::update(one, average, part, hone::tensor_list<float>{{network.numbers[0].data() + n, n}});
    CHECK(std::memcmp(part.tensors()[0].data, whole.tensors()[0].data + n, sizeof(float) * std::size_t(n)) == 0);
  }
}

TEST_CASE("update keeps constant parameters bit-identical, decay 0 copies and decay 1 keeps the shadow") {
  model<float> network(sizes, 3), other(sizes, 4);
  const hone::cpu cpu;
  hone::ema_state<float> shadow(network.list());
  const auto before = contents(shadow);
  for (int n = 0; n < 20; ++n) hone::update(cpu, hone::ema{.decay = 0.9999}, shadow, network.list());
  CHECK(contents(shadow) == before);

  other.numbers[1][0] = std::numeric_limits<float>::quiet_NaN();
  hone::update(cpu, hone::ema{.decay = 1}, shadow, other.list());
  CHECK(contents(shadow) == before);
  CHECK(shadow.steps() == 21);

  shadow.tensors()[1].data[0] = std::numeric_limits<float>::infinity();
  other.train(5);
  hone::update(cpu, hone::ema{.decay = 0}, shadow, other.list());
  CHECK(distance(contents(shadow), other.flat()) == 0);
}

TEST_CASE("update: a non-finite parameter reaches only its own average") {
  for (const double bad : {nan, inf}) {
    model<float> network({40, 33}, 1);
    hone::ema_state<float> shadow(network.list());
    network.numbers[1][32] = static_cast<float>(bad);
    network.numbers[0][3] = static_cast<float>(bad);
    hone::update(hone::cpu{1}, hone::ema{.decay = 0.5}, shadow, network.list());
    const auto all = contents(shadow);
    for (std::size_t i = 0; i < all.size(); ++i) CHECK(std::isfinite(all[i]) == (i != 3 && i != 72));
  }
}

TEST_CASE("update averages denormal numbers exactly") {
  const float tiny = std::numeric_limits<float>::denorm_min();
  std::vector<float> p(37, 0.0f);
  const hone::tensor_list<float> list{{p.data(), p.size()}};
  hone::ema_state<float> shadow(list);
  p.assign(p.size(), 8 * tiny);
  hone::update(hone::cpu{1}, hone::ema{.decay = 0.5}, shadow, list);
  for (const float x : contents(shadow)) CHECK(x == 4 * tiny);
}

TEST_CASE("a skipped step changes nothing and does not count") {
  model<float> network(sizes);
  hone::ema_state<float> shadow(network.list(), {.from_zero = true});
  const std::string before = saved(shadow);
  network.train(1);
  hone::update(hone::cpu{}, hone::ema{}, shadow, network.list(), false);
  CHECK(saved(shadow) == before);
  hone::update(hone::cpu{}, hone::ema{}, shadow, network.list(), true);
  CHECK(shadow.steps() == 1);
  CHECK(message([&] { hone::update(hone::cpu{}, hone::ema{.decay = 2}, shadow, network.list(), false); }) ==
        "ema: decay is 2, must be in [0, 1]");
}

TEST_CASE("swa is the mean of all parameters seen, without the initial ones") {
  model<float> network({50}, 9);
  hone::ema_state<double> shadow(network.list());
  std::vector<double> sum(50);
  for (int n = 1; n <= 10; ++n) {
    network.train(n);
    hone::update(hone::cpu{1}, hone::swa{}, shadow, network.list());
    const auto p = network.flat();
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += p[i];
    std::vector<double> mean = sum;
    for (double& x : mean) x /= n;
    CHECK(distance(contents(shadow), mean) <= 1e-15 * 4 * n);
  }
}

TEST_CASE("update_after copies the parameters, and a cycle starts again from them") {
  const hone::ema average{.decay = 0.5, .update_after = 2, .cycle = 3};
  const double parameters[] = {8, 4, 6, 2, 2, 16, 8, 8, 0}, expected[] = {8, 4, 5, 3.5, 2.75, 16, 12, 10, 0};
  double p = 1;
  const hone::tensor_list<double> list{{&p, 1}};
  hone::ema_state<double> shadow(list);
  for (int n = 0; n < 9; ++n) {
    CAPTURE(n);
    p = parameters[n];
    hone::update(hone::cpu{1}, average, shadow, list);
    CHECK(shadow.tensors()[0].data[0] == expected[n]);
    CHECK(shadow.counted() == 1);
  }
}

TEST_CASE("a cycle of a from_zero state starts again at zero") {
  const hone::ema average{.decay = 0.5, .cycle = 2};
  const double parameters[] = {8, 4, 16, 8}, expected[] = {4, 4, 8, 8}, counted[] = {0.5, 0.75, 0.5, 0.75};
  double p = 1;
  const hone::tensor_list<double> list{{&p, 1}};
  hone::ema_state<double> shadow(list, {.from_zero = true});
  for (int n = 0; n < 4; ++n) {
    CAPTURE(n);
    p = parameters[n];
    hone::update(hone::cpu{1}, average, shadow, list);
    CHECK(shadow.tensors()[0].data[0] == expected[n]);
    CHECK(shadow.counted() == counted[n]);
  }
}

// Whatever the decays are: the average of the parameters seen, each with the weight that it has left.
template <class T, class To>
void reads_out_corrected(double tolerance) {
  const hone::ema average{.decay = 0.99, .ramp = hone::threshold_ramp()};
  model<float> network(sizes), out_of(sizes);
  model<To> out(sizes);
  hone::ema_state<T> shadow(network.list(), {.from_zero = true});
  CHECK(message([&] { hone::copy(hone::cpu{}, shadow, out.list()); }) ==
        "copy: the state began at zero and has averaged nothing in 0 updates");
  shadow.copy_only(6);
  std::vector<double> sum(network.flat().size());
  double weights = 0;
  for (int n = 1; n <= 3; ++n) {
    network.train(n);
    hone::update(hone::cpu{}, average, shadow, network.list());
    const double d = (1.0 + n) / (10 + n);
    const auto p = network.flat();
    for (std::size_t i = 0; i < p.size(); ++i) sum[i] = d * sum[i] + (1 - d) * p[i];
    weights = d * weights + (1 - d);
  }
  CHECK(shadow.counted() == doctest::Approx(weights).epsilon(1e-15));
  for (double& x : sum) x /= weights;
  std::size_t at = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i)
    for (std::size_t j = 0; j < network.numbers[i].size(); ++j, ++at)
      if (i == 6) sum[at] = static_cast<double>(network.numbers[i][j]);
  hone::copy(hone::cpu{}, shadow, out.list());
  CHECK(distance(out.flat(), sum) <= tolerance);
}

TEST_CASE("copy divides a from_zero average by its weight, except for tensors that are only copied") {
  reads_out_corrected<float, float>(3 * 4 * 1e-6);
  reads_out_corrected<double, double>(1e-14);
  reads_out_corrected<float, Eigen::half>(4 * 0x1p-11);  // one rounding
  reads_out_corrected<double, Eigen::bfloat16>(4 * 0x1p-8);
}

TEST_CASE("copy of a from_zero average returns a constant parameter exactly, also with a ramp") {
  double p = 3, out = 0;
  const hone::tensor_list<double> list{{&p, 1}};
  hone::ema_state<double> shadow(list, {.from_zero = true});
  const hone::ema average{.decay = 0.9998, .ramp = hone::threshold_ramp()};
  for (int n = 1; n <= 200; ++n) {
    hone::update(hone::cpu{1}, average, shadow, list);
    hone::copy(hone::cpu{1}, shadow, hone::tensor_list<double>{{&out, 1}});
    CHECK(std::abs(out - 3) <= 1e-14);
  }
}

TEST_CASE("tensors marked copy_only follow the parameters, and copy handles integers") {
  model<float> network({40, 40, 3});
  hone::ema_state<float> shadow(network.list());
  shadow.copy_only(1);
  const std::vector<float> start = network.numbers[0];
  network.train(5);
  hone::update(hone::cpu{1}, hone::ema{.decay = 0.5}, shadow, network.list());
  CHECK(std::equal(network.numbers[1].begin(), network.numbers[1].end(), shadow.tensors()[1].data));
  for (std::size_t i = 0; i < 40; ++i)
    CHECK(shadow.tensors()[0].data[i] == doctest::Approx((start[i] + network.numbers[0][i]) / 2).epsilon(1e-6));

  const std::vector<std::int64_t> batches{7, 1LL << 60};
  std::vector<std::int64_t> averaged_batches(2);
  hone::copy(hone::cpu{1}, hone::tensor_list<const std::int64_t>{{batches.data(), 2}},
             hone::tensor_list<std::int64_t>{{averaged_batches.data(), 2}});
  CHECK(averaged_batches == batches);
}

// Averaged, a counter would be no integer, and the vectors of a spectral norm no unit vectors.
TEST_CASE("tensors whose names match a pattern follow the parameters") {
  model<float> network({4, 1, 3, 5, 2});
  const std::vector<std::string> names{"conv.weight", "bn.num_batches_tracked", "conv.weight_u", "conv.weight_v",
                                       "bn.weight"};
  hone::ema_state<float> shadow(network.list());
  CHECK(shadow.copy_only(names, {"*.num_batches_tracked", "*.weight_?", "conv.weight_u"}) == 3);
  network.train(5);
  hone::update(hone::cpu{1}, hone::ema{.decay = 0.5}, shadow, network.list());
  for (std::size_t i = 0; i < names.size(); ++i) {
    CAPTURE(names[i]);
    const bool same = std::equal(network.numbers[i].begin(), network.numbers[i].end(), shadow.tensors()[i].data);
    CHECK(same == (i >= 1 && i <= 3));
    CHECK(shadow.copies(i) == same);
  }
  CHECK(support::message([&] { shadow.copy_only(names, {"bn.weight", "*.weight_w"}); }) ==
        "copy_only: \"*.weight_w\" matches no name");
  CHECK(support::message([&] { shadow.copy_only(std::vector<std::string>{"a", "b"}, {"*"}); }) ==
        "copy_only: 2 names for 5 tensors");
  CHECK((!shadow.copies(0) && !shadow.copies(4)));
}

TEST_CASE("copy to another type rounds once") {
  model<float> masters(sizes, 1);
  model<Eigen::bfloat16> network(sizes, 2);
  hone::copy(hone::cpu{}, masters.list(), network.list());
  for (std::size_t i = 0; i < sizes.size(); ++i)
    for (std::size_t j = 0; j < masters.numbers[i].size(); ++j)
      REQUIRE(network.numbers[i][j] == static_cast<Eigen::bfloat16>(masters.numbers[i][j]));
}

TEST_CASE("swap exchanges averages and parameters, and a second swap restores every bit") {
  model<float> network(sizes, 1);
  hone::ema_state<float> shadow(network.list());
  network.train(2);
  hone::update(hone::cpu{}, hone::ema{.decay = 0.5}, shadow, network.list());
  network.numbers[1][0] = std::numeric_limits<float>::quiet_NaN();
  const std::string before = saved(shadow);
  const auto averages = contents(shadow);
  const auto weights = network.numbers;

  hone::swap(hone::cpu{}, shadow, network.list());
  CHECK(shadow.swapped());
  CHECK(distance(averages, network.flat()) == 0);
  CHECK(message([&] { hone::update(hone::cpu{}, hone::ema{}, shadow, network.list()); }) ==
        "update: the state holds the parameters, swap them back first");
  hone::swap(hone::cpu{}, shadow, network.list());
  CHECK(saved(shadow) == before);
  for (std::size_t i = 0; i < sizes.size(); ++i)
    CHECK((sizes[i] == 0 ||
           std::memcmp(weights[i].data(), network.numbers[i].data(), weights[i].size() * sizeof(float)) == 0));
}

TEST_CASE("swap of a from_zero state throws until the state holds its whole weight") {
  model<float> network({3});
  hone::ema_state<float> shadow(network.list(), {.from_zero = true});
  hone::update(hone::cpu{1}, hone::ema{.decay = 0.75}, shadow, network.list());
  const auto weights = network.numbers;
  CHECK(message([&] { hone::swap(hone::cpu{1}, shadow, network.list()); }) ==
        "swap: the state began at zero and holds 0.25 of its weight, must be 1; hone::copy divides by it");
  CHECK(network.numbers == weights);
  for (int n = 0; n < 200; ++n) hone::update(hone::cpu{1}, hone::ema{.decay = 0.75}, shadow, network.list());
  hone::swap(hone::cpu{1}, shadow, network.list());
  CHECK(shadow.swapped());
}

template <class T, class P>
void resumes(hone::ema_start start) {
  const std::vector<index> small{3, 0, 40};
  for (const hone::ema average :
       {hone::ema{.decay = 0.9}, hone::ema{.decay = 0.9, .ramp = hone::exponential_ramp(5), .update_after = 2},
        hone::ema{.decay = 0.99, .ramp = hone::threshold_ramp(), .cycle = 4},
        hone::ema{.decay = 0.9, .ramp = hone::inverse_power_ramp(1, 0.7)}}) {
    const auto run = [&](hone::ema_state<T>& state, index from, index to) {
      model<P> network(small);
      for (index n = from; n <= to; ++n) {
        network.train(n);
        hone::update(hone::cpu{1}, average, state, network.list(), n != 5);
      }
    };
    model<P> first(small);
    hone::ema_state<T> straight(first.list(), start);
    straight.copy_only(0);
    run(straight, 1, 12);
    for (index stop = 0; stop <= 12; ++stop) {
      CAPTURE(stop);
      hone::ema_state<T> early(first.list(), start);
      early.copy_only(0);
      run(early, 1, stop);
      model<P> another(small, 77);
      hone::ema_state<T> late(another.list(), start);
      late.copy_only(0);
      std::istringstream file(saved(early));
      late.load(file);
      run(late, stop + 1, 12);
      CHECK(saved(late) == saved(straight));
    }
  }
}

TEST_CASE("training resumed at any step is bit-identical to uninterrupted training") {
  for (const bool from_zero : {false, true}) {
    resumes<float, float>({.from_zero = from_zero});
    resumes<float, Eigen::half>({.from_zero = from_zero});
    resumes<double, float>({.from_zero = from_zero});
  }
}

TEST_CASE("update takes a user-defined policy and rejects a weight outside [0, 1]") {
  struct constant {
    double weight;
    hone::average_step at(hone::integer) const { return {weight}; }
  };
  model<float> network({4});
  hone::ema_state<float> shadow(network.list());
  hone::update(hone::cpu{1}, constant{0.5}, shadow, network.list());
  CHECK(shadow.steps() == 1);
  CHECK(message([&] { hone::update(hone::cpu{1}, constant{nan}, shadow, network.list()); }) ==
        "update: the weight of the average is nan, must be in [0, 1]");
}

TEST_CASE("averages: lists that do not fit throw with the tensor, and nothing is written") {
  model<float> network({3, 3}, 1), shorter({3, 2}), fewer({3});
  const hone::tensor_list<float> null{{network.numbers[0].data(), 3}, {static_cast<float*>(nullptr), 3}};
  hone::ema_state<float> shadow(network.list());
  const std::string before = saved(shadow);
  const auto weights = network.numbers;
  const hone::cpu cpu{1};
  const hone::ema average{.decay = 0.5};
  CHECK(message([&] { hone::update(cpu, average, shadow, shorter.list()); }) ==
        "update: tensor 1 of parameters has 2 numbers, that of the state has 3");
  CHECK(message([&] { hone::update(cpu, average, shadow, fewer.list()); }) ==
        "update: parameters has 1 tensors, the state has 2");
  CHECK(message([&] { hone::update(cpu, average, shadow, null); }) ==
        "update: tensor 1 of parameters has 3 numbers but no data");
  CHECK(message([&] { hone::swap(cpu, shadow, shorter.list()); }) ==
        "swap: tensor 1 of parameters has 2 numbers, that of the state has 3");
  CHECK(message([&] { hone::swap(cpu, shadow, null); }) == "swap: tensor 1 of parameters has 3 numbers but no data");
  CHECK(message([&] { hone::copy(cpu, network.list(), fewer.list()); }) == "copy: from has 2 tensors, to has 1");
  CHECK(message([&] { hone::copy(cpu, null, network.list()); }) == "copy: tensor 1 of from has 3 numbers but no data");
  CHECK(message([&] { hone::copy(cpu, network.list(), null); }) == "copy: tensor 1 of to has 3 numbers but no data");
  hone::ema_state<float> zero(network.list(), {.from_zero = true});
  hone::update(cpu, average, zero, network.list());
  CHECK(message([&] { hone::copy(cpu, zero, shorter.list()); }) ==
        "copy: tensor 1 of to has 2 numbers, that of the state has 3");
  CHECK(message([&] { hone::copy(cpu, zero, null); }) == "copy: tensor 1 of to has 3 numbers but no data");
  CHECK(saved(shadow) == before);
  CHECK(network.numbers == weights);
}

}  // namespace
