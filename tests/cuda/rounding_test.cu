// SPDX-License-Identifier: MIT
// Stochastic rounding on CUDA. What is expected are the bits that tests/precision/stochastic_rounding_test.cpp expects
// of the CPU: each number rounded alone on the host, by the words of its seed, step, tensor and place.
#include <hone/cuda/tensors/refresh.cuh>
#include <hone/cuda/tensors/step.cuh>
#include <hone/gradient/clip_by_norm.hpp>
#include <hone/gradient/unscale.hpp>

#include <doctest/doctest.h>
#include <cuda/device.cuh>
#include <support/message.hpp>
#include <support/numbers.hpp>

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace {

using hone::index, hone::stochastic_rounding;

template <class P>
struct format_of {
  using type = hone::detail::float_format;
};
template <>
struct format_of<__half> {
  using type = hone::detail::half_format;
};
template <>
struct format_of<__nv_bfloat16> {
  using type = hone::detail::bfloat16_format;
};
template <class P>
using bits_of = typename format_of<P>::type::bits;

const std::vector<index> sizes{5, 0, 32769, 1, 700};

/// Numbers of a model, one tensor after the other, `gap` numbers apart: the tensors are not aligned.
struct places {
  index gap, total = 0;
  std::vector<index> first;

  explicit places(index gap_) : gap(gap_) {
    for (const index n : sizes) first.push_back(total + gap), total += n + gap;
  }
  template <class T>
  hone::tensor_list<T> list(T* at) const {
    hone::tensor_list<T> list;
    for (std::size_t i = 0; i < sizes.size(); ++i) list.push_back({at + first[i], sizes[i]});
    return list;
  }
  template <class T>
  std::vector<T> numbers(index seed) const {
    std::vector<T> v;
    for (index i = 0; i < total; ++i) v.push_back(static_cast<T>(static_cast<float>(support::noise(seed + i))));
    return v;
  }
};

/// The tensors of a model rounded on the host; what lies between stays.
template <class P, class A>
std::vector<bits_of<P>> rounded(places const& at, stochastic_rounding rounding, std::vector<A> const& wide,
                                std::vector<P> const& before) {
  std::vector<bits_of<P>> bits(before.size());
  std::memcpy(bits.data(), before.data(), bits.size() * sizeof bits[0]);
  for (std::size_t t = 0; t < sizes.size(); ++t)
    for (index k = 0; k < sizes[t]; ++k) {
      const hone::detail::philox_block words = hone::detail::bits_of(rounding, t)(std::uint64_t(k) / 4);
      const auto i = static_cast<std::size_t>(at.first[t] + k);
      bits[i] = hone::detail::rounded_stochastically<typename format_of<P>::type>(wide[i], words.at[k % 4]);
    }
  return bits;
}
template <class A, class B>
bool same(std::vector<A> const& a, std::vector<B> const& b) {
  static_assert(sizeof(A) == sizeof(B));
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(A)) == 0;
}

struct sgd {  // products by powers of two are exact: no fused multiply-add changes a bit
  float rate, momentum;
  HONE_HD void operator()(float const& g, float& p, float& m) const {
    m = momentum * m;
    p = p - rate * g;
  }
};

struct sgd_of_parameters {  // by gradients that are not unscaled yet
  sgd rule;
  HONE_HD void operator()(float& p, float& m, float& g) const { rule(0.25f * g, p, m); }
};

template <class P, class T>
void refreshes(index gap) {
  const places at(gap);
  std::vector<T> wide = at.numbers<T>(3);
  const T edges[] = {T(1e39),
                     -T(1e39),
                     T(7e4),
                     -T(3.4e38),
                     std::numeric_limits<T>::infinity(),
                     std::numeric_limits<T>::quiet_NaN(),
                     T(0),
                     -T(0),
                     T(1e-6),
                     T(-1e-40),
                     T(6e-8),
                     T(1e-45)};
  for (std::size_t i = 0; i < sizeof edges / sizeof *edges; ++i) wide[std::size_t(at.first[4]) + i] = edges[i];
  const stochastic_rounding rounding{.seed = -3, .step = 12345678901, .first_tensor = 2};
  const device::stream stream;
  hone::cuda gpu(stream);
  const device::buffer<P> narrow(at.numbers<P>(4)), again(at.numbers<P>(4));
  const device::buffer<T> values(wide);
  const hone::device_list<P> list(gpu, at.list(narrow.data()));
  const hone::device_master_weights<T> masters(gpu, list.tensors());
  hone::copy(gpu, at.list(values.data()), masters.tensors());
  hone::refresh(gpu, masters, list, rounding);
  hone::refresh(gpu, masters, at.list(again.data()), rounding);
  stream.wait();
  const auto expected = rounded(at, rounding, wide, at.numbers<P>(4));
  CHECK(same(narrow.host(), expected));
  CHECK(same(again.host(), expected));
}

template <class P, class G>
void steps(index gap) {
  const places at(gap);
  const std::vector<P> first = at.numbers<P>(1);
  const std::vector<G> g = at.numbers<G>(2);
  std::vector<float> wide, m = at.numbers<float>(3);
  const device::buffer<P> of_p(first);
  const device::buffer<G> of_g(g);
  const device::buffer<float> of_m(m);
  const sgd update{0.125f, 0.5f};
  for (std::size_t i = 0; i < first.size(); ++i) wide.push_back(static_cast<float>(first[i]));
  for (std::size_t t = 0; t < sizes.size(); ++t)
    for (index k = 0; k < sizes[t]; ++k) {
      const auto i = static_cast<std::size_t>(at.first[t] + k);
      update(0.25f * static_cast<float>(g[i]), wide[i], m[i]);
    }
  const stochastic_rounding rounding{.seed = 7, .step = 5};
  const device::stream stream;
  hone::cuda gpu(stream);
  const hone::device_list<P> parameters(gpu, at.list(of_p.data()));
  const hone::device_list<G> gradients(gpu, at.list(of_g.data()));
  const hone::device_list<float> momenta(gpu, at.list(of_m.data()));
  hone::device_ema_state<float> shadow(gpu, parameters.tensors()), stored(gpu, parameters.tensors());
  hone::device_report report(gpu);
  const hone::ema average{.decay = 0.5};
  hone::step(gpu, hone::unscale(4), update, report, gradients, hone::rounded_by(rounding, parameters), momenta,
             hone::averaged_in(average, shadow));
  hone::update(gpu, average, stored, parameters);  // the parameters as they are stored
  const device::buffer<P> of_q(first);
  const device::buffer<float> of_n(at.numbers<float>(3));
  const hone::device_list<P> others(gpu, at.list(of_q.data()));
  hone::for_each_number(gpu, sgd_of_parameters{update}, hone::rounded_by(rounding, others),
                        hone::device_list<float>(gpu, at.list(of_n.data())), gradients);
  const device::buffer<float> seen(at.numbers<float>(8)), expected(at.numbers<float>(8));
  hone::copy(gpu, shadow, at.list(seen.data()));
  hone::copy(gpu, stored, at.list(expected.data()));
  stream.wait();
  CHECK(report.host().finite);
  CHECK(same(of_p.host(), rounded(at, rounding, wide, first)));
  CHECK(same(of_m.host(), m));
  CHECK(same(of_q.host(), rounded(at, rounding, wide, first)));
  CHECK(same(seen.host(), expected.host()));
}

}  // namespace

TEST_CASE("refresh with stochastic rounding has the bits of the CPU, edges too") {
  for (const hone::index gap : {0, 3}) {
    refreshes<__nv_bfloat16, float>(gap);
    refreshes<__half, float>(gap);
    refreshes<__nv_bfloat16, double>(gap);
    refreshes<__half, double>(gap);
    refreshes<float, double>(gap);
  }
}

TEST_CASE("step with stochastic rounding has the bits of the CPU, and its average takes what is stored") {
  for (const hone::index gap : {0, 3}) {
    steps<__nv_bfloat16, float>(gap);
    steps<__half, __half>(gap);
    steps<__nv_bfloat16, __nv_bfloat16>(gap);
  }
}

TEST_CASE("a captured graph rounds by the step in device memory at each replay") {
  const places at(1);
  const device::stream stream;
  hone::cuda gpu(stream);
  const device::buffer<__nv_bfloat16> narrow(at.numbers<__nv_bfloat16>(4)), other(at.numbers<__nv_bfloat16>(4));
  const device::buffer<float> values(at.numbers<float>(6));
  const device::buffer<hone::index> step(std::vector<hone::index>{0});
  const hone::device_list<__nv_bfloat16> list(gpu, at.list(narrow.data())), expected(gpu, at.list(other.data()));
  const hone::device_master_weights<float> masters(gpu, list.tensors());
  hone::copy(gpu, at.list(values.data()), masters.tensors());
  const device::graph replayed(stream, [&] {
    hone::refresh(gpu, masters, list,
                  hone::device_stochastic_rounding{.seed = 1, .step = hone::device_step(step.data())});
  });
  for (const hone::index now : {3, 4}) {
    device::bring(step.data(), &now, 1);
    replayed.launch();
    hone::refresh(gpu, masters, expected, {.seed = 1, .step = now});
    stream.wait();
    CHECK(same(narrow.host(), other.host()));
    hone::refresh(gpu, masters, expected, {.seed = 1, .step = now + 1});
    stream.wait();
    CHECK(!same(narrow.host(), other.host()));
  }
}

TEST_CASE("a rounding that is out of range, and lists that do not fit, are refused") {
  using support::message;
  const device::stream stream;
  hone::cuda gpu(stream);
  const device::buffer<__half> narrow(std::vector<__half>(3, __half(1.0f)));
  const device::buffer<float> gradient(std::vector<float>(3, 1));
  const hone::device_list<__half> list(gpu, {{narrow.data(), 3}}), two(gpu, {{narrow.data(), 2}});
  const hone::device_list<float> gradients(gpu, {{gradient.data(), 3}});
  const hone::device_master_weights<float> masters(gpu, list.tensors());
  hone::device_report report(gpu);
  const stochastic_rounding before{.first_tensor = -1};
  const device::buffer<float> momentum(std::vector<float>(3, 1));
  const hone::device_list<float> momenta(gpu, {{momentum.data(), 3}});
  CHECK(message([&] { hone::refresh(gpu, masters, list, before); }) ==
        "refresh: first_tensor is -1, must be in [0, 2^32)");
  CHECK(message([&] { hone::refresh(gpu, masters, two, {}); }) ==
        "refresh: tensor 0 of parameters has 2 numbers, that of master_weights has 3");
  CHECK(message([&] {
          hone::step(gpu, hone::unscale(1), sgd{}, report, gradients, hone::rounded_by(before, list), momenta);
        }) == "step: first_tensor is -1, must be in [0, 2^32)");
  stream.wait();
  for (const __half x : narrow.host()) CHECK(static_cast<float>(x) == 1);
}
