// SPDX-License-Identifier: MIT
// Narrowing keeps finite numbers finite: the conformance cases of every backend, copies, averages and master
// weights.
#include <hone/hone.hpp>

#include <conformance/narrowing.hpp>
#include <cpu/this_machine.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
const std::vector<double> wide{1, -1e6, 7e4, -3e38, 1e39, -1e300, infinity, -infinity, std::nan(""), 65504, -65519};

template <class T>
double largest() {
  return static_cast<double>(static_cast<float>(std::numeric_limits<T>::max()));
}
/// Of the numbers, in T's range.
template <class T, class From>
void expect_bounded(std::vector<T> const& seen, std::vector<From> const& from) {
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const double x = static_cast<double>(from[i]), y = static_cast<double>(static_cast<float>(seen[i])),
                 most = largest<T>();
    CAPTURE(x);
    CAPTURE(y);
    CHECK((std::isnan(x)        ? std::isnan(y)
           : std::isinf(x)      ? y == x
           : std::abs(x) > most ? y == std::copysign(most, x)
                                : std::abs(y - x) <= 0.01 * std::abs(x)));
  }
}

}  // namespace

TEST_CASE("the CPU keeps finite numbers finite when narrowing") { conformance::narrowing<on_this_machine>(); }

TEST_CASE_TEMPLATE("copy, master_weights and averages keep finite numbers finite", T, Eigen::half, Eigen::bfloat16,
                   float) {
  const hone::cpu cpu(2);
  for (const int times : {1, 5}) {
    std::vector<double> from;
    for (int k = 0; k < times; ++k) from.insert(from.end(), wide.begin(), wide.end());
    std::vector<T> to(from.size());
    const hone::tensor_list<T> list{{to.data(), to.size()}};
    hone::copy(cpu, hone::tensor_list<const double>{{from.data(), from.size()}}, list);
    expect_bounded(to, from);

    const hone::master_weights<double> masters(list);
    std::copy(from.begin(), from.end(), masters.tensors()[0].data);
    hone::refresh(cpu, masters, list);
    expect_bounded(to, from);

    std::vector<double> parameters(from.size());
    hone::ema_state<double> shadow(hone::tensor_list<const double>{{from.data(), from.size()}});
    hone::copy(cpu, shadow, list);
    expect_bounded(to, from);
  }
}

TEST_CASE("transform reports a result beyond the range of the type as non-finite") {
  std::vector<Eigen::half> g{Eigen::half(100.0f), Eigen::half(1.0f)};
  const hone::tensor_list<Eigen::half> list{{g.data(), 2}};
  const auto over = hone::transform(hone::cpu(1), hone::unscale(1e-3), list);
  CHECK(!over.finite);
  CHECK(static_cast<float>(g[0]) == 100);
  const auto within = hone::transform(hone::cpu(1), hone::unscale(1e-2), list);
  CHECK(within.finite);
  CHECK(static_cast<float>(g[0]) == doctest::Approx(1e4));
}
