// SPDX-License-Identifier: MIT
// Stochastic rounding of one number against the two neighbours in exact arithmetic, and what the verbs make of it.
#include <hone/average/ema.hpp>
#include <hone/average/ema_state.hpp>
#include <hone/cpu/tensors/refresh.hpp>
#include <hone/cpu/tensors/step.hpp>
#include <hone/gradient/clip_by_norm.hpp>
#include <hone/gradient/unscale.hpp>

#include "support/message.hpp"
#include "support/numbers.hpp"
#include "support/same_bytes.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

namespace {

using hone::index, hone::stochastic_rounding, hone::tensor_list;
using support::message;
using half = Eigen::half;
using bfloat16 = Eigen::bfloat16;

const hone::cpu one(1);

template <class T>
using bits_of = std::conditional_t<sizeof(T) == 2, std::uint16_t, std::uint32_t>;
template <class T>
using format_of = std::conditional_t<
    std::is_same_v<T, float>, hone::detail::float_format,
    std::conditional_t<std::is_same_v<T, half>, hone::detail::half_format, hone::detail::bfloat16_format>>;

template <class T>
double number(bits_of<T> bits) {
  const T x = std::bit_cast<T>(bits);
  if constexpr (std::is_same_v<T, float>)
    return x;
  else
    return static_cast<float>(x);
}

/// By the definition: the neighbours of |x| by their bits, and the distance from the lower one in units of 2^-32 of
/// theirs. |x| is finite.
template <class T>
bits_of<T> by_definition(double x, std::uint32_t random) {
  using bits = bits_of<T>;
  const bits sign = std::signbit(x) ? bits(bits(1) << (8 * sizeof(bits) - 1)) : bits(0);
  const double size = std::abs(x);
  bits low = 0, high = static_cast<bits>(format_of<T>::largest);  // found by halving: numbers are in the order of bits
  if (size >= number<T>(high)) return high | sign;
  while (high - low > 1) {
    const auto middle = static_cast<bits>(low + (high - low) / 2);
    (number<T>(middle) <= size ? low : high) = middle;
  }
  const double distance = number<T>(high) - number<T>(low);
  const auto units = static_cast<std::uint64_t>(std::floor((size - number<T>(low)) / distance * 0x1p32));
  return static_cast<bits>((units + random >= std::uint64_t(1) << 32 ? high : low) | sign);
}

/// Numbers on, between and beside those of T, denormal ones and ones beyond its range among them.
template <class T, class A>
std::vector<A> hard_to_round() {
  std::vector<A> all;
  const auto most = static_cast<std::uint64_t>(format_of<T>::largest);
  for (std::uint64_t k = 0; k < most; k += most / 1000 + 1) {
    const double x = number<T>(static_cast<bits_of<T>>(k)), next = number<T>(static_cast<bits_of<T>>(k + 1));
    for (const double part : {0.0, 0x1p-40, 0x1p-16, 0.1, 0.25, 0.5, 0.75, 1 - 0x1p-13})
      all.push_back(static_cast<A>(x + (next - x) * part)), all.push_back(-all.back());
  }
  for (const double x : {0x1p-149, 0x1.8p-140, 0x1p-60, 0x1.fffp-25, 0x1p-24, 0x1.8p-15, 65504.5, 65520.0, 1e6,
                         double(0x1.fep127f), double(0x1.ffp127f), double((std::numeric_limits<float>::max)())})
    all.push_back(static_cast<A>(x)), all.push_back(-all.back());
  if constexpr (sizeof(A) == 8)
    for (const double x : {0x1p-1074, 0x1.23456p-1030, 1e-300, 1e300, (std::numeric_limits<double>::max)()})
      all.push_back(x), all.push_back(-x);
  return all;
}

template <class T, class A>
void check_rounding() {
  std::size_t differ = 0;
  for (const A x : hard_to_round<T, A>())
    for (const std::uint32_t random : {0u, 1u, 0x12345678u, 0x7fffffffu, 0x80000000u, 0xe6666666u, 0xffff0000u, ~0u})
      differ += hone::detail::rounded_stochastically<format_of<T>>(x, random) ==
                        by_definition<T>(static_cast<double>(x), random)
                    ? 0
                    : 1;
  CHECK(differ == 0);
}

/// Numbers of the tests of verbs: most are between two numbers of T.
std::vector<float> masters_of(std::size_t n, index seed = 0) {
  std::vector<float> x;
  x.reserve(n);
  for (std::size_t i = 0; i < n; ++i) x.push_back(static_cast<float>(support::noise(index(i) + 1000 * seed)));
  return x;
}
template <class T>
T expected(hone::stochastic_rounding rounding, std::size_t tensor, index i, float x) {
  const auto k = static_cast<std::uint64_t>(i);
  return std::bit_cast<T>(
      hone::detail::rounded_stochastically<format_of<T>>(x, hone::detail::bits_of(rounding, tensor)(k / 4).at[k % 4]));
}

template <class T>
bool same(std::vector<T> const& a, std::vector<T> const& b) {
  return a.size() == b.size() && support::same_bytes(a.data(), b.data(), a.size() * sizeof(T));
}
double mean_of(std::vector<bfloat16> const& x) {
  double sum = 0;
  for (const bfloat16 y : x) sum += static_cast<double>(static_cast<float>(y));
  return sum / static_cast<double>(x.size());
}

struct plain_sgd {
  double rate;
  template <hone::operand V>
  void operator()(V const& g, V& p) const {
    p -= V(rate) * g;
  }
};
struct sgd {
  double rate, momentum;
  template <hone::operand V>
  void operator()(V const& g, V& p, V& m) const {
    m = V(momentum) * m + g, p -= V(rate) * m;
  }
};

TEST_CASE("a number is rounded to a neighbour with the probability of its distance, by the definition") {
  check_rounding<bfloat16, float>();
  check_rounding<half, float>();
  check_rounding<bfloat16, double>();
  check_rounding<half, double>();
  check_rounding<float, double>();
}

TEST_CASE_TEMPLATE("numbers of the type, infinities and NaN stay, whatever the random bits", T, bfloat16, half) {
  using format = format_of<T>;
  std::size_t differ = 0;
  for (std::uint32_t k = 0; k < 0x10000; ++k)
    for (const std::uint32_t random : {0u, 0x80000001u, ~0u}) {
      const auto bits = static_cast<std::uint16_t>(k);
      const auto x = static_cast<float>(std::bit_cast<T>(bits));
      const std::uint16_t y = hone::detail::rounded_stochastically<format>(x, random),
                          z = hone::detail::rounded_stochastically<format>(static_cast<double>(x), random);
      const bool nan = (k & 0x7fff) > format::largest + 1;
      const auto quiet = static_cast<std::uint16_t>(format::largest + 1 + (1 << (format::fraction - 1)) + (k & 0x8000));
      differ += (nan ? y == quiet && z == quiet : y == bits && z == bits) ? 0 : 1;
    }
  CHECK(differ == 0);
}

TEST_CASE("a NaN whose payload is in the dropped bits stays a NaN, and of double to float too") {
  CHECK(hone::detail::rounded_stochastically<hone::detail::bfloat16_format>(std::bit_cast<float>(0xff800001), ~0u) ==
        0xffc0);
  CHECK(hone::detail::rounded_stochastically<hone::detail::half_format>(std::bit_cast<float>(0x7f800001), 0) == 0x7e00);
  CHECK(hone::detail::rounded_stochastically<hone::detail::float_format>(
            std::bit_cast<double>(std::uint64_t(0x7ff0000000000001)), 0) == 0x7fc00000);
}

TEST_CASE("the mean of many roundings is the number, within five standard deviations") {
  constexpr index n = 1 << 18;
  std::vector<bfloat16> rounded(n);
  const tensor_list<bfloat16> list{{rounded.data(), n}};
  const hone::master_weights<float> masters(list);
  for (const float part : {0x1p-16f, 0x1p-8f, 0.125f, 0.5f, 0.8125f})
    for (const float size : {1.0f, -3.0f, 0x1p-130f}) {  // the last one is denormal
      CAPTURE(part);
      CAPTURE(size);
      const float distance = size == 1 ? 0x1p-7f : size == -3 ? -0x1p-6f : 0x1p-133f;
      for (index i = 0; i < n; ++i) masters.tensors()[0].data[i] = size + part * distance;
      hone::refresh(one, masters, list, stochastic_rounding{.seed = 5, .step = 9});
      const double up = (mean_of(rounded) - static_cast<double>(size)) / static_cast<double>(distance),
                   p = static_cast<double>(part);
      CHECK(std::abs(up - p) <= 5 * std::sqrt(p * (1 - p) / double(n)));
    }
}

TEST_CASE("a bfloat16 of 1 with updates of 2^-12 moves as it should on average, and never by nearest rounding") {
  constexpr index n = 4096;
  std::vector<bfloat16> rounded(n, bfloat16(1.0f)), nearest = rounded;
  const std::vector<float> gradient(n, -0x1p-12f);
  const tensor_list<const float> gradients{{gradient.data(), n}};
  const tensor_list<bfloat16> list{{rounded.data(), n}}, other{{nearest.data(), n}};
  for (int step = 0; step < 256; ++step) {
    hone::step(one, hone::unscale(1), plain_sgd{1}, gradients, hone::rounded_by({.seed = 1, .step = step}, list));
    hone::step(one, hone::unscale(1), plain_sgd{1}, gradients, other);
  }
  // A step moves by 2^-7 with the probability 2^-5.
  const double deviation = 0x1p-7 * std::sqrt(256 * 0x1p-5 * (1 - 0x1p-5) / double(n));
  CHECK(std::abs(mean_of(rounded) - (1 + 0x1p-4)) <= 5 * deviation);
  CHECK(mean_of(nearest) == 1);
}

TEST_CASE("neighbours, tensors, steps and seeds are rounded independently of each other") {
  constexpr index n = 1 << 16;
  const auto ups = [&](stochastic_rounding rounding, std::size_t tensor) {
    std::vector<std::vector<bfloat16>> rounded(3, std::vector<bfloat16>(n));
    tensor_list<bfloat16> list;
    for (auto& r : rounded) list.push_back({r.data(), n});
    const hone::master_weights<float> masters(list);
    for (const auto& t : masters.tensors())
      for (index i = 0; i < n; ++i) t.data[i] = 1 + 0x1p-8f;  // halfway
    hone::refresh(one, masters, list, rounding);
    std::vector<bool> up;
    for (const bfloat16 x : rounded[tensor]) up.push_back(static_cast<float>(x) > 1);
    return up;
  };
  const std::vector<bool> base = ups({.seed = 1, .step = 2}, 0);
  const auto unlike = [&](std::vector<bool> const& other, std::size_t shift = 0) {
    double equal = 0;
    for (std::size_t i = shift; i < base.size(); ++i) equal += base[i] == other[i - shift] ? 1 : 0;
    const double count = double(n) - double(shift);
    return std::abs(equal - count / 2) <= 5 * std::sqrt(count) / 2;
  };
  for (const std::size_t shift : {1u, 2u, 3u, 4u, 128u}) CHECK(unlike(base, shift));
  CHECK(unlike(ups({.seed = 1, .step = 2}, 1)));
  CHECK(unlike(ups({.seed = 1, .step = 3}, 0)));
  CHECK(unlike(ups({.seed = 1, .step = 2 + (std::int64_t(1) << 32)}, 0)));
  CHECK(unlike(ups({.seed = 2, .step = 2}, 0)));
  CHECK(unlike(ups({.seed = 1 + (std::int64_t(1) << 32), .step = 2}, 0)));
  CHECK(ups({.seed = 1, .step = 2}, 2) == ups({.seed = 1, .step = 2, .first_tensor = 1}, 1));
  CHECK(ups({.seed = 1, .step = 2, .first_tensor = 2}, 0) == ups({.seed = 1, .step = 2}, 2));
}

TEST_CASE_TEMPLATE("refresh gives each number the bits of its seed, step, tensor and place, on any number of threads",
                   T, bfloat16, half) {
  const std::vector<std::size_t> sizes{1, 3, 0, 127, 128, 129, 70001, 5};
  for (const int threads : {1, 2, 3}) {
    std::vector<std::vector<T>> rounded;
    tensor_list<T> list;
    rounded.reserve(sizes.size());
    for (const std::size_t n : sizes) rounded.emplace_back(n);
    for (auto& r : rounded) list.push_back({r.data(), r.size()});
    const hone::master_weights<float> masters(list);
    for (std::size_t t = 0; t < sizes.size(); ++t) {
      const std::vector<float> x = masters_of(sizes[t], index(t));
      std::copy(x.begin(), x.end(), masters.tensors()[t].data);
    }
    const stochastic_rounding rounding{.seed = -7, .step = 1000000007};
    hone::refresh(hone::cpu(threads), masters, list, rounding);
    std::size_t differ = 0;
    for (std::size_t t = 0; t < sizes.size(); ++t)
      for (std::size_t i = 0; i < sizes[t]; ++i)
        differ += std::bit_cast<std::uint16_t>(rounded[t][i]) ==
                          std::bit_cast<std::uint16_t>(expected<T>(rounding, t, index(i), masters.tensors()[t].data[i]))
                      ? 0
                      : 1;
    CHECK(differ == 0);
  }
}

TEST_CASE("refresh rounds masters of double to float, and keeps an average of updates that float loses") {
  constexpr index n = 4096;
  std::vector<float> weight(n, 1.0f);
  const tensor_list<float> list{{weight.data(), n}};
  const hone::master_weights<double> masters(list);
  for (index i = 0; i < n; ++i) masters.tensors()[0].data[i] = 1 + 0x1p-25;  // a quarter of the distance
  hone::refresh(one, masters, list, stochastic_rounding{.seed = 3});
  double up = 0;
  for (const float w : weight) up += w == 1 ? 0 : 1;
  for (const float w : weight) CHECK((w == 1 || w == 1 + 0x1p-23f));
  CHECK(std::abs(up / double(n) - 0.25) <= 5 * std::sqrt(0.25 * 0.75 / double(n)));
}

TEST_CASE_TEMPLATE("step computes in float and rounds once, in blocks and on any number of threads", T, bfloat16,
                   half) {
  const std::vector<std::size_t> sizes{5, 70001, 0, 1500};
  const stochastic_rounding rounding{.seed = 4, .step = 8, .first_tensor = 3};
  for (const int threads : {1, 3}) {
    std::vector<std::vector<T>> p, g;
    std::vector<std::vector<float>> m, wide;
    tensor_list<T> parameters, gradients;
    tensor_list<float> momenta, computed, wide_momenta;
    for (std::size_t t = 0; t < sizes.size(); ++t) {
      const std::vector<float> x = masters_of(sizes[t], index(t));
      p.emplace_back(), g.emplace_back();
      for (const float y : x) p.back().push_back(static_cast<T>(y)), g.back().push_back(static_cast<T>(y / 8));
      m.emplace_back(x), wide.emplace_back();
      for (const T y : p.back()) wide.back().push_back(static_cast<float>(y));
    }
    std::vector<std::vector<float>> wide_m = m;
    for (std::size_t t = 0; t < sizes.size(); ++t) {
      parameters.push_back({p[t].data(), sizes[t]}), gradients.push_back({g[t].data(), sizes[t]});
      momenta.push_back({m[t].data(), sizes[t]}), computed.push_back({wide[t].data(), sizes[t]});
      wide_momenta.push_back({wide_m[t].data(), sizes[t]});
    }
    hone::ema_state<float> shadow(parameters), stored(parameters);
    const auto chain = hone::chain(hone::unscale(2), hone::clip_by_global_norm(1));
    const hone::ema average{.decay = 0.5};
    const auto report = hone::step(hone::cpu(threads), chain, sgd{0.25, 0.5}, gradients,
                                   hone::rounded_by(rounding, parameters), momenta, hone::averaged_in(average, shadow));
    const auto same_report = hone::step(one, chain, sgd{0.25, 0.5}, gradients, computed, wide_momenta);
    CHECK(report.norm == same_report.norm);
    CHECK(report.coefficient < 1);
    std::size_t differ = 0;
    for (std::size_t t = 0; t < sizes.size(); ++t) {
      CHECK(same(m[t], wide_m[t]));
      for (std::size_t i = 0; i < sizes[t]; ++i)
        differ += std::bit_cast<std::uint16_t>(p[t][i]) ==
                          std::bit_cast<std::uint16_t>(expected<T>(rounding, t, index(i), wide[t][i]))
                      ? 0
                      : 1;
    }
    CHECK(differ == 0);
    hone::update(one, average, stored, parameters);  // the parameters as they are stored
    for (std::size_t t = 0; t < sizes.size(); ++t)
      CHECK(support::same_bytes(shadow.tensors()[t].data, stored.tensors()[t].data, sizes[t] * sizeof(float)));
  }
}

TEST_CASE("for_each_number rounds its first list as step does") {
  const std::size_t n = 3001;
  std::vector<bfloat16> p, q;
  for (const float x : masters_of(n)) p.push_back(static_cast<bfloat16>(x));
  q = p;
  const std::vector<float> g = masters_of(n, 1);
  const tensor_list<const float> gradients{{g.data(), n}};
  const tensor_list<bfloat16> first{{p.data(), n}}, second{{q.data(), n}};
  const stochastic_rounding rounding{.seed = 4, .step = 8};
  const auto update = []<hone::operand V>(V& w, V const& of) { w -= V(0.25) * of; };
  hone::for_each_number(hone::cpu(2), update, hone::rounded_by(rounding, first), gradients);
  hone::step(one, hone::unscale(1), plain_sgd{0.25}, gradients, hone::rounded_by(rounding, second));
  CHECK(same(p, q));
  const auto scalar = [](float& w, float const& of) { w += 0.25f * of; };
  hone::for_each_number(one, scalar, hone::rounded_by(rounding, first), gradients);
  CHECK(!same(p, q));
}

TEST_CASE("a resume that knows seed and step alone goes on with the same bits, and another step does not") {
  const std::size_t n = 2000;
  const auto train = [&](std::vector<bfloat16>& p, std::vector<float>& m, int from, int to, std::int64_t seed) {
    const tensor_list<bfloat16> parameters{{p.data(), n}};
    const tensor_list<float> momenta{{m.data(), n}};
    for (int step = from; step < to; ++step) {
      const std::vector<float> g = masters_of(n, step);
      hone::step(one, hone::clip_by_global_norm(1), sgd{0.125, 0.5}, tensor_list<const float>{{g.data(), n}},
                 hone::rounded_by({.seed = seed, .step = step}, parameters), momenta);
    }
  };
  std::vector<bfloat16> whole(n, bfloat16(1.0f));
  std::vector<float> momentum(n);
  train(whole, momentum, 0, 5, 1);
  std::vector<bfloat16> resumed = whole, late = whole;
  std::vector<float> its_momentum = momentum, late_momentum = momentum;
  train(whole, momentum, 5, 10, 1);
  train(resumed, its_momentum, 5, 10, 1);
  train(late, late_momentum, 5, 10, 2);
  CHECK(same(whole, resumed));
  CHECK(!same(whole, late));
}

TEST_CASE("a step whose gradients are not finite writes nothing") {
  std::vector<bfloat16> p(3, bfloat16(1.0f));
  const std::vector<float> g{1, std::numeric_limits<float>::infinity(), 1};
  const tensor_list<bfloat16> parameters{{p.data(), 3}};
  const auto report = hone::step(one, hone::unscale(1), plain_sgd{0.001}, tensor_list<const float>{{g.data(), 3}},
                                 hone::rounded_by({.seed = 1}, parameters));
  CHECK(!report.finite);
  for (const bfloat16 x : p) CHECK(static_cast<float>(x) == 1);
}

TEST_CASE(
    "refresh, step and for_each_number refuse a first tensor out of range and lists that do not fit, and write "
    "nothing") {
  std::vector<bfloat16> p(3, bfloat16(1.0f));
  std::vector<float> g(3, 1.0f);
  const tensor_list<bfloat16> parameters{{p.data(), 3}}, two{{p.data(), 2}};
  const tensor_list<float> gradients{{g.data(), 3}};
  const hone::master_weights<float> masters(parameters);
  masters.tensors()[0].data[0] = 2;
  const stochastic_rounding before{.first_tensor = -1}, past{.first_tensor = std::int64_t(1) << 32};
  CHECK(message([&] { hone::refresh(one, masters, parameters, before); }) ==
        "refresh: first_tensor is -1, must be in [0, 2^32)");
  CHECK(message([&] { hone::refresh(one, masters, parameters, past); }) ==
        "refresh: first_tensor is 4294967296, must be in [0, 2^32)");
  CHECK(message([&] { hone::refresh(one, masters, two, {}); }) ==
        "refresh: tensor 0 of parameters has 2 numbers, that of master_weights has 3");
  CHECK(message([&] {
          hone::step(one, hone::unscale(1), plain_sgd{1}, gradients, hone::rounded_by(before, parameters));
        }) == "step: first_tensor is -1, must be in [0, 2^32)");
  CHECK(message([&] { hone::step(one, hone::unscale(1), plain_sgd{1}, gradients, hone::rounded_by({}, two)); }) ==
        "step: tensor 0 of parameters has 2 numbers, that of gradients has 3");
  const auto update = [](float& w) { w += 1; };
  CHECK(message([&] { hone::for_each_number(one, update, hone::rounded_by(before, parameters)); }) ==
        "for_each_number: first_tensor is -1, must be in [0, 2^32)");
  for (const bfloat16 x : p) CHECK(static_cast<float>(x) == 1);
  const tensor_list<bfloat16> none;
  hone::refresh(one, hone::master_weights<float>(none), none, {});
}

}  // namespace
