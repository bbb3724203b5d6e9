// SPDX-License-Identifier: MIT
/// Dual numbers: a value with its derivative by one variable. A formula evaluated on them proves its gradient.
#pragma once

#include <hone/core/operand.hpp>

#include <cmath>

namespace support {

struct dual {
  double v = 0, d = 0;

  dual() = default;
  explicit dual(int x) : v(x) {}
  explicit dual(double x, double slope = 0) : v(x), d(slope) {}

  friend dual operator+(dual a, dual b) { return dual(a.v + b.v, a.d + b.d); }
  friend dual operator-(dual a, dual b) { return dual(a.v - b.v, a.d - b.d); }
  friend dual operator*(dual a, dual b) { return dual(a.v * b.v, a.d * b.v + a.v * b.d); }
  friend dual operator/(dual a, dual b) { return dual(a.v / b.v, (a.d * b.v - a.v * b.d) / (b.v * b.v)); }
  friend dual operator-(dual a) { return dual(-a.v, -a.d); }
  friend bool operator<(dual a, dual b) { return a.v < b.v; }
  friend bool operator>(dual a, dual b) { return a.v > b.v; }
  friend bool operator==(dual a, dual b) { return a.v == b.v; }
};

inline dual exp(dual x) { return dual(std::exp(x.v), x.d * std::exp(x.v)); }
inline dual exp_of_nonpositive(dual x) { return exp(x); }
inline dual expm1(dual x) { return dual(std::expm1(x.v), x.d * std::exp(x.v)); }
inline dual log(dual x) { return dual(std::log(x.v), x.d / x.v); }
inline dual log1p(dual x) { return dual(std::log1p(x.v), x.d / (1 + x.v)); }
inline dual log1p_of_unit(dual x) { return log1p(x); }
inline dual sqrt(dual x) { return dual(std::sqrt(x.v), x.d / (2 * std::sqrt(x.v))); }
inline dual atan(dual x) { return dual(std::atan(x.v), x.d / (1 + x.v * x.v)); }
inline dual abs(dual x) { return x.v < 0 ? -x : x; }
inline dual min(dual a, dual b) { return b.v < a.v ? b : a; }
inline dual max(dual a, dual b) { return a.v < b.v ? b : a; }
inline dual select(bool condition, dual yes, dual no) { return condition ? yes : no; }

static_assert(hone::operand<dual>);

}  // namespace support
