// The functions of packs against the C library in the next wider type: ULP budgets, and the edges. Built
// with several optimisation flags (tests/CMakeLists.txt); every build must keep the same budgets.
#include <hone/cpu/simd/atan.hpp>
#include <hone/cpu/simd/exp.hpp>
#include <hone/cpu/simd/exp_of_minus.hpp>
#include <hone/cpu/simd/log.hpp>
#include <hone/cpu/simd/share.hpp>

#include <support/long_double.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

namespace {

using hone::on_cpu::pack;

// What the compiler may assume under -ffast-math is wrong for these tests: look at the bits.
template <class T>
bool is_nan(T x) {
  if constexpr (sizeof(T) == 4) {
    return (__builtin_bit_cast(std::uint32_t, x) & 0x7fffffffu) > 0x7f800000u;
  } else {
    return (__builtin_bit_cast(std::uint64_t, x) & 0x7fffffffffffffffu) > 0x7ff0000000000000u;
  }
}
template <class T>
bool same_bits(T a, T b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

template <class T, class F>
T one(F f, T x) {
  T out[pack<T>::size];
  f(pack<T>(x)).store(out);
  return out[pack<T>::size - 1];
}

constexpr bool flushes_denormals() {
#if defined(__FAST_MATH__)
  return true;  // GCC and Clang link code that sets the processor to flush
#else
  return false;
#endif
}

// The distance in units of the last place of the exact answer.
template <class T>
double ulps(T actual, long double exact) {
  const T rounded = static_cast<T>(exact);
  if (same_bits(actual, rounded)) return 0;
  int exponent = 0;
  std::frexp(static_cast<double>(rounded), &exponent);
  const int lowest = std::numeric_limits<T>::min_exponent - std::numeric_limits<T>::digits;
  const int last = std::max(exponent - std::numeric_limits<T>::digits, lowest);
  return std::abs(static_cast<double>((static_cast<long double>(actual) - exact) * std::ldexp(1.0L, -last)));
}

// The distance in units of the last place of 1.
template <class T>
double units_of_one(T actual, long double exact) {
  return std::abs(static_cast<double>(static_cast<long double>(actual) - exact)) /
         static_cast<double>(std::numeric_limits<T>::epsilon() / 2);
}

template <class T, class F, class R, class Distance = double (*)(T, long double)>
void examine(const char* name, F f, R reference, T from, T to, double budget, Distance distance_of = ulps<T>) {
  std::mt19937_64 random(7);
  std::vector<T> inputs;
  std::uniform_real_distribution<double> uniform(static_cast<double>(from), static_cast<double>(to));
  for (int i = 0; i < 400000; ++i) inputs.push_back(static_cast<T>(uniform(random)));
  // Every exponent as well, both signs.
  std::uniform_real_distribution<double> exponent(std::numeric_limits<T>::min_exponent + 1.0,
                                                  std::numeric_limits<T>::max_exponent - 1.0);
  for (int i = 0; i < 400000; ++i) {
    const T x = static_cast<T>(std::ldexp(1.0 + double(random() >> 12) * 0x1p-52, int(exponent(random))));
    for (const T y : {x, T(-x)})
      if (y >= from && y <= to) inputs.push_back(y);
  }
  while (inputs.size() % pack<T>::size != 0) inputs.push_back(from);
  double worst = 0;
  T where = 0;
  for (std::size_t i = 0; i < inputs.size(); i += pack<T>::size) {
    T out[pack<T>::size];
    f(pack<T>::load(&inputs[i])).store(out);
    for (std::size_t j = 0; j < pack<T>::size; ++j) {
      const long double exact = reference(static_cast<long double>(inputs[i + j]));
      if (flushes_denormals() && std::abs(exact) < 2 * static_cast<long double>(std::numeric_limits<T>::min()))
        continue;
      const double distance = distance_of(out[j], exact);
      if (!(distance <= worst)) worst = distance, where = inputs[i + j];
    }
  }
  std::printf("%-22s %-6s lanes %2d  largest error %.3f ULP at %.9g (budget %.1f)\n", name,
              sizeof(T) == 4 ? "float" : "double", int(pack<T>::size), worst, double(where), budget);
  CHECK_MESSAGE(worst <= budget, name << " at " << where);
}

const auto exp_ = [](auto x) { return exp(x); };
const auto expm1_ = [](auto x) { return expm1(x); };
const auto log_ = [](auto x) { return log(x); };
const auto log_of_normal_ = [](auto x) { return hone::on_cpu::log_of_normal(x); };
const auto log1p_ = [](auto x) { return log1p(x); };
const auto atan_ = [](auto x) { return atan(x); };
const auto softmax_exp = [](auto x) { return hone::on_cpu::exp_of_nonpositive(x); };
const auto logistic_exp = [](auto x) { return hone::on_cpu::exp_of_minus(x); };
const auto angle = [](auto x) { return hone::on_cpu::angle_of(x, decltype(x)(1)); };
const auto softplus_tail = [](auto x) { return hone::on_cpu::log1p_of_unit(x); };

}  // namespace

TEST_CASE_TEMPLATE("pack functions stay within their ULP budgets", T, float, double) {
  const bool single = sizeof(T) == 4;
  if (!single && !support::long_double_is_wider()) return;
  const T largest = std::numeric_limits<T>::max(), smallest = std::numeric_limits<T>::min();
  const T normal = single ? T(-87.3) : T(-708.3), over = single ? T(88.7) : T(709.7);
  examine<T>("exp", exp_, [](long double x) { return std::exp(x); }, normal, over, 1.5);
  if (!flushes_denormals())
    examine<T>(
        "exp, denormal results", exp_, [](long double x) { return std::exp(x); }, single ? T(-103.9) : T(-745.1),
        normal, 1.5);
  const auto exact_exp = [](long double x) { return std::exp(x); };
  examine<T>("exp_of_nonpositive, near", softmax_exp, exact_exp, T(-1), T(0), single ? 2.6 : 1.5);
  examine<T>("exp_of_nonpositive, far", softmax_exp, exact_exp, normal, T(0), single ? 90 : 1.5);
  examine<T>("exp_of_nonpositive, absolute", softmax_exp, exact_exp, normal, T(0), single ? 2.5 : 1.5, units_of_one<T>);
  examine<T>(
      "exp_of_minus", logistic_exp, [](long double x) { return std::exp(-x); }, T(0), T(-normal), single ? 3.5 : 1.5);
  examine<T>("expm1", expm1_, [](long double x) { return std::expm1(x); }, single ? T(-20) : T(-40), over, 2.5);
  examine<T>("log", log_, [](long double x) { return std::log(x); }, smallest, largest, 1.5);
  examine<T>("log_of_normal", log_of_normal_, [](long double x) { return std::log(x); }, smallest, largest, 1.5);
  examine<T>("log near 1", log_, [](long double x) { return std::log(x); }, T(0.5), T(2), 1.5);
  examine<T>("log1p", log1p_, [](long double x) { return std::log1p(x); }, T(-0.999), largest, 2.0);
  examine<T>("log1p near 0", log1p_, [](long double x) { return std::log1p(x); }, T(-0.5), T(1), 2.0);
  examine<T>(
      "log1p_of_unit", softplus_tail, [](long double x) { return std::log1p(x); }, T(0), T(1), single ? 2.5 : 1.5);
  examine<T>("atan", atan_, [](long double x) { return std::atan(x); }, -largest, largest, 4.0);
  examine<T>("atan, moderate", atan_, [](long double x) { return std::atan(x); }, T(-8), T(8), 4.0);
  examine<T>("angle_of", angle, [](long double x) { return std::atan(x); }, -largest, largest, 4.0);
  examine<T>("angle_of, moderate", angle, [](long double x) { return std::atan(x); }, T(-8), T(8), 4.0);
}

TEST_CASE_TEMPLATE("pack functions at infinity, NaN, zero and denormal numbers", T, float, double) {
  const T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const T denormal = std::numeric_limits<T>::denorm_min() * 8;

  CHECK(same_bits(one(exp_, infinity), infinity));
  CHECK(same_bits(one(exp_, T(-infinity)), T(0)));
  CHECK(same_bits(one(exp_, T(1e4)), infinity));
  CHECK(same_bits(one(exp_, T(-1e4)), T(0)));
  CHECK(same_bits(one(exp_, T(0)), T(1)));
  CHECK(same_bits(one(softmax_exp, T(-infinity)), T(0)));
  CHECK(same_bits(one(softmax_exp, T(-3e38f)), T(0)));
  CHECK(same_bits(one(softmax_exp, T(0)), T(1)));
  CHECK(same_bits(one(logistic_exp, infinity), T(0)));
  CHECK(same_bits(one(logistic_exp, T(3e38f)), T(0)));
  CHECK(same_bits(one(logistic_exp, T(0)), T(1)));
  CHECK(same_bits(one(angle, T(0)), T(0)));
  CHECK(same_bits(one(angle, T(-0.0)), T(-0.0)));
  CHECK(same_bits(one(expm1_, infinity), infinity));
  CHECK(same_bits(one(expm1_, T(-infinity)), T(-1)));
  CHECK(same_bits(one(expm1_, T(0)), T(0)));
  CHECK(same_bits(one(log_, infinity), infinity));
  CHECK(same_bits(one(log_, T(0)), T(-infinity)));
  CHECK(same_bits(one(log_, T(1)), T(0)));
  CHECK(is_nan(one(log_, T(-1))));
  CHECK(is_nan(one(log_, T(-infinity))));
  CHECK(same_bits(one(log1p_, infinity), infinity));
  CHECK(same_bits(one(log1p_, T(-1)), T(-infinity)));
  CHECK(same_bits(one(log1p_, T(0)), T(0)));
  CHECK(is_nan(one(log1p_, T(-2))));
  CHECK(same_bits(one(softplus_tail, T(0)), T(0)));
  CHECK(std::abs(one(atan_, infinity) - T(1.5707963267948966)) <= T(2e-7));
  CHECK(std::abs(one(atan_, T(-infinity)) + T(1.5707963267948966)) <= T(2e-7));
  CHECK(same_bits(one(atan_, T(-0.0)), T(-0.0)));
  for (const T x : {nan, T(-nan)}) {
    CHECK(is_nan(one(exp_, x)));
    CHECK(is_nan(one(softmax_exp, x)));
    CHECK(is_nan(one(logistic_exp, x)));
    CHECK(is_nan(one(angle, x)));
    CHECK(is_nan(one(expm1_, x)));
    CHECK(is_nan(one(log_, x)));
    CHECK(is_nan(one(log_of_normal_, x)));
    CHECK(is_nan(one(log1p_, x)));
    CHECK(is_nan(one(softplus_tail, x)));
    CHECK(is_nan(one(atan_, x)));
  }
  if (!flushes_denormals()) {
    CHECK(ulps(one(log_, denormal), std::log(static_cast<long double>(denormal))) <= 1.5);
    CHECK(same_bits(one(log1p_, denormal), denormal));
    CHECK(same_bits(one(expm1_, denormal), denormal));
    CHECK(same_bits(one(atan_, denormal), denormal));
    CHECK(same_bits(one(exp_, denormal), T(1)));
  }
}

TEST_CASE_TEMPLATE("share_of returns 1 for the smaller, 0 for the larger and 1/2 for equal numbers", T, float, double) {
  using V = pack<T>;
  const auto share = [](T a, T b) {
    T out[V::size];
    share_of(V(a), V(b)).store(out);
    return out[V::size - 1];
  };
  const T large = std::numeric_limits<T>::max() / 4, near = std::numeric_limits<T>::epsilon();
  for (const T x : {T(0), T(1), T(-1), large, -large, T(1) + near, T(1e-30f)}) {
    CHECK(same_bits(share(x, x), T(0.5)));
    for (const T y : {T(2), T(-2), T(1) - near, large / 2}) {
      CHECK(same_bits(share(x, y), x < y ? T(1) : T(0)));
      CHECK(same_bits(share(y, x), y < x ? T(1) : T(0)));
    }
  }
  CHECK(same_bits(share(T(1), T(2)), T(1)));  // a difference of exactly 1
  CHECK(same_bits(share(T(0), T(-0.0)), T(0.5)));
}
