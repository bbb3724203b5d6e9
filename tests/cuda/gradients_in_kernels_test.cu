// SPDX-License-Identifier: MIT
// A step of training in a kernel of the caller's, sums of norms that the caller adds over ranks, and a factor of all
// gradients: against hone::step, hone::measure and hone::transform, bit by bit.
#include <hone/hone.cuh>

#include <doctest/doctest.h>
#include <cuda/device.cuh>
#include <support/numbers.hpp>

#include <cmath>
#include <cstring>
#include <vector>

#if defined(CUDASIM)
#include <cudasim.h>
#endif

namespace {

const std::vector<hone::index> sizes{9001, 5, 0, 700};

/// The tensors of a model in one buffer, two numbers apart: most are not aligned to 16 bytes.
template <class T>
struct tensors {
  device::buffer<T> memory;
  hone::tensor_list<T> list;

  explicit tensors(hone::index seed, double scale = 1) : memory(numbers(seed, scale)) {
    hone::index at = 0;
    for (const hone::index n : sizes) list.push_back({memory.data() + at, n}), at += n + 2;
  }
  static std::vector<T> numbers(hone::index seed, double scale) {
    hone::index all = 0;
    for (const hone::index n : sizes) all += n + 2;
    std::vector<T> v;
    for (hone::index i = 0; i < all; ++i)
      v.push_back(static_cast<T>(static_cast<float>(scale * support::noise(seed + i))));
    return v;
  }
  T* at(int tensor) const { return list[std::size_t(tensor)].data; }
  void set(hone::index seed, double scale) const {
    const auto v = numbers(seed, scale);
    device::bring(memory.data(), v.data(), v.size());
  }
};

template <class T>
bool same(std::vector<T> const& a, std::vector<T> const& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}
template <class T>
std::vector<T> host(hone::tensor_list<T> const& list) {
  std::vector<T> all;
  for (auto const& t : list) {
    std::vector<T> v(std::size_t(t.size));
    REQUIRE(cudaMemcpy(v.data(), t.data, v.size() * sizeof(T), cudaMemcpyDeviceToHost) == cudaSuccess);
    all.insert(all.end(), v.begin(), v.end());
  }
  return all;
}
bool same(hone::gradient_report const& a, hone::gradient_report const& b) {
  return std::memcmp(&a.norm, &b.norm, 8) == 0 && a.coefficient == b.coefficient && a.factor == b.factor &&
         a.finite == b.finite;
}

/// The caller's rule for one number. The products of sums are named, so that every compilation fuses the same ones.
template <class A>
__device__ void adamw(A g, A& p, A& m, A& v, double rate) {
  m = fma(A(0.9), m, A(0.1) * g);
  v = fma(A(0.99), v, A(0.01) * (g * g));
  p = fma(A(-rate), m / (sqrt(v) + A(1e-8)) + A(0.01) * p, p);
}
template <class A>
struct adamw_rule {
  double const* rate;
  __device__ void operator()(A const& g, A& p, A& m, A& v) const { adamw(g, p, m, v, *rate); }
};

// [kernel]
/// The caller's kernel: one tensor of float parameters, with gradients and a copy for the network in bfloat16.
__global__ void adamw_kernel(hone::kernel_report report, hone::kernel_averages<float> averages,
                             hone::kernel_copies<__nv_bfloat16> copies, int tensor, hone::index n, double const* rate,
                             __nv_bfloat16 const* g, float* p, float* m, float* v) {
  const auto step = report.read();
  if (step.skipped()) return;
  const auto average = averages.of(tensor);
  const auto copy = copies.of(tensor);
  const double now = *rate;
  for (hone::index i = blockIdx.x * hone::index(blockDim.x) + threadIdx.x; i < n;
       i += hone::index(gridDim.x) * blockDim.x) {
    float x = p[i], first = m[i], second = v[i];
    adamw(step.gradient(g[i]), x, first, second, now);
    p[i] = x, m[i] = first, v[i] = second;
    average.update(i, x);
    copy.refresh(i, x);
  }
}
// [/kernel]

/// The same for parameters and gradients of any type, and any copies; a thread takes one number.
template <class G, class P, class T, class Copies>
__global__ void own_kernel(hone::kernel_report report, hone::kernel_averages<T> averages, Copies copies, int tensor,
                           hone::index n, double const* rate, G const* g, P* p, P* m, P* v) {
  const auto step = report.read();
  if (step.skipped()) return;
  for (hone::index i = blockIdx.x * hone::index(blockDim.x) + threadIdx.x; i < n;
       i += hone::index(gridDim.x) * blockDim.x) {
    using A = hone::accumulator_t<P>;
    A x = static_cast<A>(p[i]), first = static_cast<A>(m[i]), second = static_cast<A>(v[i]);
    adamw(static_cast<A>(step.gradient(g[i])), x, first, second, *rate);
    m[i] = static_cast<P>(first), v[i] = static_cast<P>(second);
    if constexpr (sizeof(P) == 2) {
      averages.of(tensor).update(i, copies.of(tensor).refresh(i, x));  // the copies are the parameters
    } else {
      p[i] = x;
      averages.of(tensor).update(i, p[i]);
      copies.of(tensor).refresh(i, p[i]);
    }
  }
}

/// A training step by step, once by hone and once by the caller's kernel; gradients of step 2 are not finite.
template <class G, class P>
struct twins {
  static constexpr int steps = 6;
  using T = hone::accumulator_t<P>;

  device::stream stream;
  hone::cuda gpu{stream};
  tensors<G> of_g{0};
  tensors<P> p[2] = {tensors<P>(5), tensors<P>(5)}, m[2] = {tensors<P>(5, 0), tensors<P>(5, 0)},
             v[2] = {tensors<P>(5, 0), tensors<P>(5, 0)};
  hone::device_list<G> gradients{gpu, of_g.list};
  hone::device_list<P> parameters[2] = {{gpu, p[0].list}, {gpu, p[1].list}};
  hone::device_list<P> first{gpu, m[0].list}, second{gpu, v[0].list};
  hone::device_report report[2] = {hone::device_report(gpu), hone::device_report(gpu)};
  hone::device_ema_state<T> shadow[2];
  hone::device_loss_scaler scaler{gpu, {.initial = 16}};
  hone::device_schedule<hone::cosine> rate{gpu, {.peak = 0.125, .total = 10}};

  explicit twins(hone::ema_start start = {}) : shadow{{gpu, p[0].list, start}, {gpu, p[1].list, start}} {
    for (auto& s : shadow) s.copy_only(3);
  }
  auto chain() const { return hone::chain(hone::unscale(scaler.scale()), hone::clip_by_global_norm(2)); }

  /// hones(chain, rule, k) and own(k) enqueue step k of the one and the other.
  template <class Hones, class Own>
  void train(Hones const& hones, Own const& own) {
    for (int k = 0; k < steps; ++k) {
      of_g.set(1000 * k, k == 2 ? 1e39 : 3);  // 1e39: infinity
      hones(chain(), adamw_rule<hone::accumulator_t<P>>{rate.data()}, k);
      hone::measure(gpu, chain(), gradients, report[1]);
      own(k);
      stream.wait();
      CHECK(same(report[0].host(), report[1].host()));
      CHECK(report[1].host().finite == (k != 2));
      hone::advance(gpu, report[1], rate, scaler);
    }
    stream.wait();
    CHECK(shadow[1].steps() == steps - 1);
    CHECK(shadow[1].counted() == shadow[0].counted());
    CHECK(same(p[1].memory.host(), p[0].memory.host()));
    CHECK(same(m[1].memory.host(), m[0].memory.host()));
    CHECK(same(host(shadow[1].tensors()), host(shadow[0].tensors())));
    CHECK(!same(p[1].memory.host(), tensors<P>::numbers(5, 1)));
    CHECK(!same(host(shadow[1].tensors()), host(tensors<T>(5).list)));
  }
};

/// All averages of the caller's kernel against those of hone::step; copies in bfloat16 or, of double, in float.
template <class G, class P>
void keeps_the_bits_of_step(auto const& average, hone::ema_start start = {}) {
  using narrow = std::conditional_t<sizeof(P) == 8, float, __nv_bfloat16>;
  twins<G, P> t(start);
  const tensors<narrow> expected(9), copies(9);
  const hone::device_list<narrow> to(t.gpu, expected.list), own(t.gpu, copies.list);
  t.train(
      [&](auto const& chain, auto const& rule, int) {
        hone::step(t.gpu, chain, rule, t.report[0], t.gradients, t.parameters[0], t.first, t.second,
                   hone::averaged_in(average, t.shadow[0]));
        hone::copy(t.gpu, t.parameters[0], to);
      },
      [&](int) {
        const auto averages = hone::update_in_kernel(t.gpu, average, t.shadow[1], t.report[1].finite());
        for (int i = 0; i < int(sizes.size()); ++i)
          own_kernel<<<3, 64, 0, t.stream>>>(hone::step_in_kernel(t.report[1]), averages, hone::refresh_in_kernel(own),
                                             i, sizes[std::size_t(i)], t.rate.data(), t.of_g.at(i), t.p[1].at(i),
                                             t.m[1].at(i), t.v[1].at(i));
      });
  CHECK(same(host(copies.list), host(expected.list)));
}

}  // namespace

TEST_CASE("a kernel of the caller's gives the bits of hone::step: parameters, averages, narrow copies") {
  const hone::ema ramped{.decay = 0.9, .ramp = hone::exponential_ramp(3)};
  keeps_the_bits_of_step<float, float>(ramped);
  keeps_the_bits_of_step<__nv_bfloat16, float>(hone::ema{.decay = 0.75, .cycle = 2});
  keeps_the_bits_of_step<float, float>(hone::ema{.decay = 0.75, .cycle = 2}, {.from_zero = true});
  keeps_the_bits_of_step<__half, float>(hone::swa{});
  keeps_the_bits_of_step<double, double>(ramped, {.from_zero = true});
}

TEST_CASE(
    "stochastic rounding in a kernel of the caller's gives the bits of hone::step, with averages of what is stored") {
  const auto check = [&]<class P>(P) {
    twins<P, P> t;
    const hone::ema average{.decay = 0.75};
    const device::buffer<hone::index> count(std::vector<hone::index>{0});
    const auto rounding = [&](auto step) {
      return hone::device_stochastic_rounding{.seed = 7, .step = step, .first_tensor = 3};
    };
    t.train(
        [&](auto const& chain, auto const& rule, int k) {
          hone::step(t.gpu, chain, rule, t.report[0], t.gradients, hone::rounded_by(rounding(k), t.parameters[0]),
                     t.first, t.second, hone::averaged_in(average, t.shadow[0]));
        },
        [&](int k) {
          const hone::index now = k;
          device::bring(count.data(), &now, 1);
          const auto averages = hone::update_in_kernel(t.gpu, average, t.shadow[1], t.report[1].finite());
          const auto copies =
              hone::refresh_in_kernel(hone::rounded_by(rounding(hone::device_step{count.data()}), t.parameters[1]));
          for (int i = 0; i < int(sizes.size()); ++i)
            own_kernel<<<3, 64, 0, t.stream>>>(hone::step_in_kernel(t.report[1]), averages, copies, i,
                                               sizes[std::size_t(i)], t.rate.data(), t.of_g.at(i), t.p[1].at(i),
                                               t.m[1].at(i), t.v[1].at(i));
        });
  };
  check(__nv_bfloat16());
  check(__half());
}

TEST_CASE("a captured step with a kernel of the caller's follows hone::step") {
  twins<__nv_bfloat16, float> t;
  const tensors<__nv_bfloat16> narrow(9);
  const hone::device_list<__nv_bfloat16> network(t.gpu, narrow.list);
  const hone::ema average{.decay = 0.9, .ramp = hone::exponential_ramp(3)};
  t.gpu.reserve(hone::workspace_bytes(t.gradients));
  hone::cuda& gpu = t.gpu;
  auto const& gradients = t.gradients;
  auto& report = t.report[1];
  auto& shadow = t.shadow[1];
  auto const& scaler = t.scaler;
  auto const& rate = t.rate;
  auto const& g = t.of_g;
  auto const &p = t.p[1], &m = t.m[1], &v = t.v[1];
  const cudaStream_t stream = t.stream;
  const int tensor_count = int(sizes.size()), blocks = 1, threads = 64;
  const device::graph graph(t.stream, [&] {
    // [launch]
    hone::measure(gpu, hone::chain(hone::unscale(scaler.scale()), hone::clip_by_global_norm(2)), gradients, report);
    const auto averages = hone::update_in_kernel(gpu, average, shadow, report.finite());  // one thread: its weight
    const auto copies = hone::refresh_in_kernel(network);
    for (int i = 0; i < tensor_count; ++i)
      adamw_kernel<<<blocks, threads, 0, stream>>>(hone::step_in_kernel(report), averages, copies, i, sizes[i],
                                                   rate.data(), g.at(i), p.at(i), m.at(i), v.at(i));
    // [/launch]
  });
  t.train(
      [&](auto const& chain, auto const& rule, int) {
        hone::step(t.gpu, chain, rule, t.report[0], t.gradients, t.parameters[0], t.first, t.second,
                   hone::averaged_in(average, t.shadow[0]));
      },
      [&](int) {
#if defined(CUDASIM)
        t.stream.wait();
        cudasim_counters_reset();
#endif
        graph.launch();
#if defined(CUDASIM)
        t.stream.wait();
        cudasim_counters all{}, own{};
        cudasim_counters_get("", &all);
        cudasim_counters_get("adamw_kernel", &own);
        const double numbers = 9706;  // of 18 bytes to read, and 18 to write
        MESSAGE("launches ", all.launches, ", own kernel: bytes read ", double(own.global_load_bytes) / numbers,
                ", written ", double(own.global_store_bytes) / numbers);
        CHECK(all.launches == 2 + sizes.size());  // measure, the weight of the average, and the caller's
        CHECK(double(own.global_load_bytes) <= 1.1 * 18 * numbers);
        CHECK(double(own.global_store_bytes) <= 18 * numbers);
#endif
      });
  std::vector<__nv_bfloat16> expected;
  for (const float x : host(t.p[0].list)) expected.push_back(static_cast<__nv_bfloat16>(x));
  CHECK(same(host(narrow.list), expected));
}

namespace {

/// Stands for the caller's all-reduce.
__global__ void add_kernel(double* to, double const* from, int n) {
  for (int i = 0; i < n; ++i) to[i] += from[i];
}

}  // namespace

TEST_CASE("sums of norms that the caller adds up: one rank has the bits of measure, two have one report") {
  const device::stream stream;
  hone::cuda gpu(stream);
  const tensors<float> all(3), halves(3);
  const hone::device_list<float> whole(gpu, all.list), empty(gpu, hone::tensor_list<float>{});
  const hone::device_list<float> first(gpu, hone::tensor_list<float>{halves.list[0]}),
      rest(gpu, hone::tensor_list<float>{halves.list[1], halves.list[2], halves.list[3]});
  hone::device_report expected(gpu), report(gpu), second(gpu);
  hone::device_norm_sums sums(gpu), others(gpu);
  const auto check = [&](auto const& chain, bool finite) {
    hone::measure(gpu, chain, whole, expected);
    hone::measure(gpu, chain, whole, sums);
    hone::settle(gpu, chain, sums, report);
    CHECK(same(report.host(), expected.host()));
    CHECK(report.host().finite == finite);

    hone::measure(gpu, chain, rest, others);
    const auto all_reduce = [&](double* data, std::size_t count, cudaStream_t on) {
      add_kernel<<<1, 1, 0, on>>>(data, others.data(), int(count));
    };
    auto const& clip = chain;
    auto const& gradients = first;
    // [sums]
    hone::measure(gpu, clip, gradients, sums);     // of this rank's gradients
    all_reduce(sums.data(), sums.size(), stream);  // the caller's: sums of doubles
    hone::settle(gpu, clip, sums, report);         // the same report on every rank
    // [/sums]
    hone::settle(gpu, chain, sums, second);
    CHECK(same(report.host(), second.host()));
    CHECK(report.host().finite == finite);
    if (!finite) return;
    CHECK(report.host().norm == doctest::Approx(expected.host().norm).epsilon(1e-14));
    CHECK(report.host().factor == doctest::Approx(expected.host().factor).epsilon(1e-14));
  };
  const device::buffer<float> scale(std::vector<float>{0.3f});
  const auto each = [&](bool finite) {
    check(hone::clip_by_global_norm(1), finite);
    check(hone::chain(hone::unscale(1024), hone::clip_by_global_norm(1e-4)), finite);
    check(hone::chain(hone::unscale(0.3), hone::clip_by_global_norm(1)), finite);
    check(hone::chain(hone::unscale(hone::device_scalar(scale.data())), hone::clip_by_global_norm(4, {.p = 1})),
          finite);
    check(hone::unscale(3), finite);
  };
  each(true);
  hone::measure(gpu, hone::clip_by_global_norm(1), empty, sums);
  const double none[4] = {};
  CHECK(std::memcmp(sums.host().data(), none, sizeof none) == 0);

  const float wrong[2] = {NAN, -INFINITY};
  for (const float x : wrong) {
    for (tensors<float> const* of : {&all, &halves}) device::bring(of->at(3) + 600, &x, 1);
    each(false);
  }
}

TEST_CASE("sums of norms have no infinity norm, and say so") {
  const device::stream stream;
  hone::cuda gpu(stream);
  const tensors<float> of(3);
  const hone::device_list<float> list(gpu, of.list);
  hone::device_norm_sums sums(gpu);
  hone::device_report report(gpu);
  const auto step = hone::clip_by_global_norm(1, {.p = INFINITY});
  CHECK_THROWS_WITH(hone::measure(gpu, step, list, sums),
                    "measure: p of clip_by_global_norm is inf, must be 1 or 2, whose sums add up over ranks");
  CHECK_THROWS_WITH(hone::settle(gpu, step, sums, report),
                    "settle: p of clip_by_global_norm is inf, must be 1 or 2, whose sums add up over ranks");
}

TEST_CASE("multiply by a report's factor has the bits of transform, in one launch") {
  const auto check = [&]<class T>(T, auto const& chain, double scale, bool finite = true) {
    const device::stream stream;
    hone::cuda gpu(stream);
    const tensors<T> a(3, scale), b(3, scale);
    const hone::device_list<T> transformed(gpu, a.list), multiplied(gpu, b.list);
    hone::device_report report(gpu);
    hone::transform(gpu, chain, transformed);
    hone::measure(gpu, chain, multiplied, report);
#if defined(CUDASIM)
    stream.wait();
    cudasim_counters_reset();
#endif
    auto const& gradients = multiplied;
    // [multiply]
    hone::multiply(gpu, hone::device_scalar(report.factor()), gradients, report.finite());
    // [/multiply]
    stream.wait();
#if defined(CUDASIM)
    cudasim_counters all{};
    cudasim_counters_get("", &all);
    CHECK(all.launches == 1);
    CHECK(all.global_store_bytes <= sizeof(T) * (finite ? 9706u : 0u));
#endif
    CHECK(same(a.memory.host(), b.memory.host()));
    CHECK(report.host().finite == finite);
    if (!finite) CHECK(same(b.memory.host(), tensors<T>::numbers(3, scale)));
  };
  check(0.0f, hone::clip_by_global_norm(1), 1);
  check(0.0f, hone::clip_by_global_norm(1e30), 1);
  check(0.0f, hone::chain(hone::unscale(1e38), hone::clip_by_global_norm(1)), 5e37);  // a factor below 2^-126
  check(0.0f, hone::clip_by_global_norm(1), 1e39, false);
  check(0.0, hone::chain(hone::unscale(3), hone::clip_by_global_norm(1)), 1);
  check(__half(), hone::chain(hone::unscale(1024), hone::clip_by_global_norm(1)), 100);
  check(__nv_bfloat16(), hone::clip_by_global_norm(1), 1);
}

TEST_CASE("multiply by a factor of the caller's always multiplies, float or double, a prepared list or a plain one") {
  const device::stream stream;
  hone::cuda gpu(stream);
  const tensors<float> of(3);
  const std::vector<float> before = of.memory.host();
  const float infinite = INFINITY;
  device::bring(of.at(0), &infinite, 1);
  const device::buffer<float> single(std::vector<float>{0.5f});
  const device::buffer<double> wide(std::vector<double>{4});
  hone::multiply(gpu, hone::device_scalar(single.data()), hone::device_list<float>(gpu, of.list));
  hone::multiply(gpu, hone::device_scalar(wide.data()), of.list);
  stream.wait();
  const std::vector<float> after = of.memory.host();
  CHECK(after[0] == infinite);
  CHECK(after[1] == 2 * before[1]);
  CHECK(after[9002] == before[9002]);  // between tensors
  CHECK(after[9000] == 2 * before[9000]);
  CHECK_THROWS_WITH(
      hone::multiply(gpu, hone::device_scalar(wide.data()), hone::tensor_list<float>{of.list[0], of.list[0]}),
      "multiply: tensors 0 and 1 of gradients share memory: list tied weights once");
}

TEST_CASE("doors to a kernel of the caller's: what cannot be is refused by name") {
  twins<__nv_bfloat16, __nv_bfloat16> t;
  CHECK_THROWS_WITH(static_cast<void>(hone::refresh_in_kernel(
                        hone::rounded_by(hone::stochastic_rounding{.first_tensor = -1}, t.parameters[0]))),
                    "refresh_in_kernel: first_tensor is -1, must be in [0, 2^32)");
  const hone::device_list<__nv_bfloat16> twice(t.gpu, hone::tensor_list<__nv_bfloat16>{t.p[0].list[0], t.p[0].list[0]});
  CHECK_THROWS_WITH(static_cast<void>(hone::refresh_in_kernel(twice)),
                    "refresh_in_kernel: tensors 0 and 1 of the copies share memory: list tied weights once");
  const tensors<float> masters(5);
  hone::device_ema_state<float> shadow(t.gpu, masters.list);
  hone::swap(t.gpu, shadow, masters.list);
  CHECK_THROWS_WITH(static_cast<void>(hone::update_in_kernel(t.gpu, hone::swa{}, shadow)),
                    "update_in_kernel: the state holds the parameters, swap them back first");
  t.stream.wait();
}
