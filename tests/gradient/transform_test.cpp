// SPDX-License-Identifier: MIT
// What tests/conformance/gradients.hpp does not cover: non-finite gradients, what is not written, and errors.
#include <hone/hone.hpp>

#include <support/message.hpp>
#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <sys/mman.h>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

namespace {

using hone::detail::infinity;

template <class T>
bool same_bits(std::vector<T> const& a, std::vector<T> const& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

std::vector<float> some(hone::index n, double magnitude = 1) {
  std::vector<float> v;
  for (const double x : support::noise(0, n)) v.push_back(static_cast<float>(magnitude * x));
  return v;
}

/// Memory that a write into would end the program.
struct read_only {
  std::size_t bytes;
  float* data;

  explicit read_only(std::vector<float> const& from)
      : bytes(from.size() * sizeof(float)),
        data(static_cast<float*>(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    std::memcpy(data, from.data(), bytes);
    mprotect(data, bytes, PROT_READ);
  }
  ~read_only() { munmap(data, bytes); }
  read_only(read_only const&) = delete;
  read_only& operator=(read_only const&) = delete;
};

}  // namespace

TEST_CASE_TEMPLATE("a non-finite gradient anywhere leaves all gradients unchanged and is reported", T, float, double,
                   Eigen::half, Eigen::bfloat16) {
  const hone::cpu cpu(2);
  for (const double bad : {infinity, -infinity, std::numeric_limits<double>::quiet_NaN()})
    for (const std::size_t at : {0u, 1u, 2u, 7u, 15u, 16u, 1023u, 1024u, 32767u, 32768u, 33000u}) {
      std::vector<T> a(3, T(1)), b(33001, T(-2));
      b[at] = static_cast<T>(bad);
      const std::vector<T> before = b;
      const hone::tensor_list<T> g{{a.data(), a.size()}, {a.data(), 0}, {b.data(), b.size()}};
      const auto unchanged = [&](auto const& step) {
        const auto report = hone::transform(cpu, step, g);
        CHECK(!report.finite);
        CHECK(!std::isfinite(report.norm));
        CHECK(same_bits(b, before));
        CHECK(a[0] == T(1));
      };
      unchanged(hone::unscale(8));
      unchanged(hone::clip_by_value(1));
      unchanged(hone::clip_by_norm(1, {.p = 1}));
      unchanged(hone::clip_by_global_norm(1));
      unchanged(hone::adaptive_clip(g));
    }
}

TEST_CASE("a double whose square overflows is reported as non-finite, a float never is") {
  const hone::cpu cpu(1);
  double wide = 1e200;
  CHECK(!hone::transform(cpu, hone::clip_by_global_norm(1), hone::tensor_list<double>{{&wide, 1}}).finite);
  CHECK(wide == 1e200);
  std::vector<float> most(5000, std::numeric_limits<float>::max());
  const auto report = hone::transform(cpu, hone::clip_by_global_norm(1), hone::tensor_list<float>{{most.data(), 5000}});
  CHECK(report.finite);
  CHECK(report.norm == doctest::Approx(double(std::numeric_limits<float>::max()) * std::sqrt(5000.0)));
  CHECK(double(most[77]) == doctest::Approx(1 / std::sqrt(5000.0)));
}

TEST_CASE("measure, and a copy in float, keep half gradients that unscale in place would round to 0") {
  const hone::cpu cpu(1);
  const auto step = hone::unscale(65536);
  std::vector<Eigen::half> g(5, Eigen::half(0x1p-10f));
  std::vector<float> wide(5);
  const hone::tensor_list<Eigen::half> list{{g.data(), 5}};
  const auto measured = hone::measure(cpu, step, list);
  CHECK(measured.norm == doctest::Approx(std::sqrt(5) * 0x1p-26));
  CHECK(static_cast<float>(g[4]) * measured.factor == 0x1p-26);
  hone::copy(cpu, list, hone::tensor_list<float>{{wide.data(), 5}});
  hone::transform(cpu, step, hone::tensor_list<float>{{wide.data(), 5}});
  CHECK(wide == std::vector<float>(5, 0x1p-26f));
  CHECK(hone::transform(cpu, step, list).norm == measured.norm);
  CHECK(g[4] == Eigen::half(0.0f));
}

TEST_CASE("measure reports a result beyond the gradient's type as finite") {
  const float large = 3e38f;
  const auto report = hone::measure(hone::cpu(1), hone::unscale(0.5), hone::tensor_list<const float>{{&large, 1}});
  CHECK(report.finite);
  CHECK(report.norm == 2 * double(large));
}

TEST_CASE("adaptive_clip treats a unit with a NaN parameter as a unit of norm epsilon") {
  std::vector<float> g{3, 4, 3, 4}, w{0, std::nanf(""), 300, 400};
  const hone::tensor_list<float> gradients{{g.data(), 4}}, parameters{{w.data(), 2, 2}};
  CHECK(hone::transform(hone::cpu(1), hone::adaptive_clip(parameters, {.clipping = 0.5, .epsilon = 1}), gradients)
            .finite);
  CHECK(g[0] == doctest::Approx(0.3));
  CHECK(g[1] == doctest::Approx(0.4));
  CHECK(g[2] == 3);
  CHECK(g[3] == 4);
}

TEST_CASE("the norms of zeros and of denormal numbers are exact") {
  const hone::cpu cpu(1);
  std::vector<float> zeros(3000), tiny(4, std::numeric_limits<float>::denorm_min());
  CHECK(hone::measure(cpu, hone::clip_by_global_norm(1), hone::tensor_list<float>{{zeros.data(), 3000}}).norm == 0);
  const auto report =
      hone::transform(cpu, hone::clip_by_global_norm(0), hone::tensor_list<float>{{zeros.data(), 3000}});
  CHECK(report.coefficient == 1);
  CHECK(zeros[5] == 0);
  CHECK(hone::measure(cpu, hone::clip_by_global_norm(1), hone::tensor_list<float>{{tiny.data(), 4}}).norm ==
        2 * double(std::numeric_limits<float>::denorm_min()));
}

TEST_CASE("transform does not write gradients that no step changes") {
  const hone::cpu cpu(2);
  const read_only memory(some(50000));
  const hone::tensor_list<float> g{{memory.data, 40000}, {memory.data + 40000, 10000}};
  CHECK(hone::transform(cpu, hone::clip_by_global_norm(1e6), g).coefficient == 1);
  hone::transform(cpu, hone::clip_by_norm(1e6), g);
  hone::transform(cpu, hone::clip_by_value(5), g);
  hone::transform(cpu, hone::unscale(1), g);
  hone::transform(cpu, hone::adaptive_clip(g, {.clipping = 2}), g);
  hone::transform(cpu, hone::chain(hone::unscale(1), hone::clip_by_value(5), hone::clip_by_global_norm(infinity)), g);
  hone::measure(cpu, hone::chain(hone::unscale(4), hone::clip_by_global_norm(1)), g);
}

TEST_CASE("measure reports the factor that transform would apply") {
  const hone::cpu cpu(2);
  std::vector<float> x = some(5000), y = x;
  const hone::tensor_list<float> a{{x.data(), 5000}}, b{{y.data(), 5000}};
  const auto step = hone::chain(hone::unscale(4), hone::clip_by_global_norm(0.5));
  const auto measured = hone::measure(cpu, step, a), done = hone::transform(cpu, step, b);
  CHECK(measured.norm == done.norm);
  CHECK(measured.factor == done.factor);
  CHECK(measured.factor == measured.coefficient / 4);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] *= static_cast<float>(measured.factor);
  CHECK(same_bits(x, y));
}

TEST_CASE("transform is bit-identical for every number of threads") {
  for (const auto units : {hone::agc_units::rows, hone::agc_units::columns}) {
    std::vector<std::vector<float>> results;
    std::vector<double> norms;
    for (const int threads : {1, 2, 5}) {
      std::vector<float> x = some(200000), w = some(200000, 0.1);
      const hone::tensor_list<float> g{{x.data(), 3, 40000}, {x.data() + 120000, 500, 160}},
          parameters{{w.data(), 3, 40000}, {w.data() + 120000, 500, 160}};
      const auto step = hone::chain(hone::unscale(3), hone::clip_by_value(0.9), hone::clip_by_norm(20),
                                    hone::adaptive_clip(parameters, {.units = units}), hone::clip_by_global_norm(7));
      norms.push_back(hone::transform(hone::cpu(threads), step, g).norm);
      results.push_back(x);
    }
    for (std::size_t i = 1; i < results.size(); ++i) {
      CHECK(same_bits(results[0], results[i]));
      CHECK(norms[0] == norms[i]);
    }
  }
}

TEST_CASE("gradient steps: invalid arguments throw, and nothing is written") {
  using support::message;
  const hone::cpu cpu(1);
  std::vector<float> x(6, 7.0f), w(6, 1.0f);
  const hone::tensor_list<float> g{{x.data(), 6}}, fewer{{w.data(), 5}}, two{{w.data(), 3}, {w.data() + 3, 3}};
  CHECK(message([] { hone::unscale(0); }) == "unscale: scale is 0, must be above 0 and finite");
  CHECK(message([] { hone::unscale(infinity); }) == "unscale: scale is inf, must be above 0 and finite");
  CHECK(message([] { hone::clip_by_value(-1); }) == "clip_by_value: limit is -1, must be at least 0");
  CHECK(message([] { hone::clip_by_norm(std::nan("")); }) == "clip_by_norm: max is nan, must be at least 0");
  CHECK(message([] { hone::clip_by_global_norm(1, {.p = 3}); }) ==
        "clip_by_global_norm: p is 3, must be 1, 2 or infinity");
  CHECK(message([&] { hone::adaptive_clip(g, {.clipping = -1}); }) ==
        "adaptive_clip: clipping is -1, must be at least 0");
  CHECK(message([&] { hone::adaptive_clip(g, {.epsilon = std::nan("")}); }) ==
        "adaptive_clip: epsilon is nan, must be at least 0");
  CHECK(message([&] { hone::adaptive_clip(g, {.excluded = {1}}); }) == "adaptive_clip: excluded names tensor 1 of 1");
  CHECK(message([&] { hone::transform(cpu, hone::adaptive_clip(fewer), g); }) ==
        "transform: tensor 0 of gradients has 6 numbers, that of the list of adaptive_clip has 5");
  CHECK(message([&] { hone::transform(cpu, hone::chain(hone::unscale(2), hone::adaptive_clip(two)), g); }) ==
        "transform: gradients has 1 tensors, the list of adaptive_clip has 2");
  CHECK(message([&] {
          hone::measure(cpu, hone::unscale(2), hone::tensor_list<float>{{static_cast<float*>(nullptr), 3}});
        }) == "measure: tensor 0 of gradients has 3 numbers but no data");
  CHECK(x == std::vector<float>(6, 7.0f));
}

TEST_CASE("a chain built before the loop follows the current scale of its loss_scaler") {
  const hone::cpu cpu(1);
  hone::loss_scaler scaler{.initial = 4, .growth = 2, .interval = 1};
  const auto chain = hone::chain(hone::unscale(scaler), hone::clip_by_global_norm(8));
  for (int step = 0; step < 5; ++step) {
    float g = static_cast<float>(scaler.scale());  // a true gradient of 1
    const hone::tensor_list<float> list{{&g, 1}};
    const auto measured = hone::measure(cpu, hone::unscale(scaler), list), report = hone::transform(cpu, chain, list);
    CHECK(g == 1);
    CHECK(report.norm == 1);
    CHECK(measured.factor == 1 / scaler.scale());
    scaler.update(report.finite);
  }
  scaler.update(false);
  CHECK(scaler.scale() == 64);
  float g = 64;
  hone::transform(cpu, chain, hone::tensor_list<float>{{&g, 1}});
  CHECK(g == 1);
  scaler.state.scale = 0.25;  // below 1 numbers grow, and may leave the type
  Eigen::half narrow(40000.0f);
  CHECK(!hone::transform(cpu, hone::unscale(scaler), hone::tensor_list<Eigen::half>{{&narrow, 1}}).finite);
  CHECK(narrow == Eigen::half(40000.0f));
}

namespace {

// Several lists, whose numbers and norms in double are those of one list that has them all.
template <class T, class U, class Step>
void transforms_together(Step const& step, double magnitude) {
  const hone::cpu cpu(2);
  std::vector<float> x = some(70'001, magnitude);
  std::vector<double> wide;
  std::vector<T> a;
  std::vector<U> b, c;
  const auto put = [&]<class V>(std::vector<V>& to, float value) {
    to.push_back(static_cast<V>(value));
    wide.push_back(static_cast<double>(static_cast<hone::accumulator_t<V>>(to.back())));
  };
  for (std::size_t i = 0; i < x.size(); ++i) i < 40'000 ? put(a, x[i]) : i < 40'007 ? put(b, x[i]) : put(c, x[i]);
  const auto whole = hone::transform(cpu, step, hone::tensor_list<double>{{wide.data(), wide.size()}});
  const hone::tensor_list<T> first{{a.data(), 7}, {a.data() + 7, a.size() - 7}};
  const hone::tensor_list<U> second{{b.data(), b.size()}}, third{{c.data(), c.size()}, {c.data(), 0}};
  const auto report = hone::transform(cpu, step, first, second, third);
  CHECK(report.finite);
  CHECK(report.norm == doctest::Approx(whole.norm).epsilon(1e-6));
  CHECK(report.coefficient == doctest::Approx(whole.coefficient).epsilon(1e-6));
  CHECK(report.factor == doctest::Approx(whole.factor).epsilon(1e-6));
  constexpr double in_float = 4e-6;  // clamped numbers are equal, and their sums in float round alike every time
  std::size_t at = 0, wrong = 0;
  const auto look = [&]<class V>(std::vector<V> const& of) {
    const double rounding = sizeof(V) == 2 ? (std::is_same_v<V, Eigen::half> ? 0x1p-10 : 0x1p-7) : in_float;
    for (V const& v : of) {
      const double is = static_cast<double>(static_cast<hone::accumulator_t<V>>(v)), should = wide[at++];
      wrong += !(std::abs(is - should) <= rounding * std::abs(should) + (sizeof(V) == 2 ? 1e-7 : 0));
    }
  };
  look(a), look(b), look(c);
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE_TEMPLATE("transform of lists of several types uses one norm over all", U, float, double, Eigen::half,
                   Eigen::bfloat16) {
  for (const double m : {1.0, 1e-3}) {
    transforms_together<float, U>(hone::unscale(8), m);
    transforms_together<float, U>(hone::unscale(0.5), m);
    transforms_together<double, U>(hone::clip_by_value(0.5 * m), m);
    for (const double p : {1.0, 2.0, infinity}) {
      transforms_together<float, U>(hone::clip_by_global_norm(0.5 * m, {.p = p}), m);
      transforms_together<Eigen::half, U>(hone::chain(hone::unscale(4), hone::clip_by_global_norm(30 * m, {.p = p})),
                                          m);
      transforms_together<float, U>(
          hone::chain(hone::unscale(0.25), hone::clip_by_value(m), hone::clip_by_global_norm(9 * m, {.p = p}),
                      hone::clip_by_global_norm(7 * m), hone::clip_by_value(0.01 * m)),
          m);
    }
    transforms_together<float, U>(hone::clip_by_global_norm(1e9), m);
  }
}

TEST_CASE("transform of several lists changes all or none, and throws if they overlap") {
  const hone::cpu cpu(2);
  std::vector<float> a(5, 3.0f);
  std::vector<Eigen::half> b(4, Eigen::half(1.0f));
  const hone::tensor_list<float> first{{a.data(), 5}};
  const hone::tensor_list<Eigen::half> second{{b.data(), 4}};
  for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    b[2] = Eigen::half(bad);
    CHECK(!hone::transform(cpu, hone::clip_by_global_norm(1), first, second).finite);
    CHECK(!hone::transform(cpu, hone::clip_by_global_norm(1), second, first).finite);
    CHECK(a == std::vector<float>(5, 3.0f));
  }
  b[2] = Eigen::half(40000.0f);
  CHECK(!hone::transform(cpu, hone::unscale(0.5), first, second).finite);  // 80000 is no half
  CHECK(a == std::vector<float>(5, 3.0f));
  CHECK(hone::transform(cpu, hone::chain(hone::unscale(0.5), hone::clip_by_value(9)), first, second).finite);
  CHECK(b[2] == Eigen::half(9.0f));
  using support::message;
  const hone::tensor_list<float> overlapping{{a.data() + 4, 1}};
  CHECK(message([&] { hone::transform(cpu, hone::unscale(2), first, second, overlapping); }) ==
        "transform: tensor 0 of gradients shares memory with tensor 0 of a later list");
  const hone::tensor_list<float> nothing;
  CHECK(hone::transform(cpu, hone::clip_by_global_norm(1), nothing, nothing).norm == 0);
}

TEST_CASE("transform of an empty list reports a norm of 0") {
  const auto report = hone::transform(hone::cpu(1), hone::clip_by_global_norm(1), hone::tensor_list<float>());
  CHECK(report.finite);
  CHECK(report.norm == 0);
  CHECK(report.coefficient == 1);
}
