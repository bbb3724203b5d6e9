// SPDX-License-Identifier: MIT
/// Temperature scaling (Guo et al. 2017, arXiv 1706.04599): finds the divisor of the logits that minimises the negative
/// log-likelihood, by Newton's method.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/number.hpp>

#include <cmath>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct temperature_options {
  real least = 1e-3;  ///< lower bound of the temperature; positive, its inverse finite
  real most = 1e3;    ///< upper bound of the temperature; finite, at least .least
};

struct temperature_fit {
  double temperature = 1;  ///< in [least, most]
  double before = 0;       ///< the mean negative log-likelihood at temperature 1
  double after = 0;        ///< the same at .temperature
  int iterations = 0;      ///< steps of Newton's method and bisections
  bool converged = false;  ///< false if the likelihood is NaN or infinite
  bool at_bound = false;   ///< the optimum is at or beyond a bound
};

namespace detail {

/// A mean negative log-likelihood as a function of β = 1/T, with its derivatives by β. It is convex.
struct likelihood {
  double value = 0, first = 0, second = 0;

  void add(likelihood const& row) noexcept { value += row.value, first += row.first, second += row.second; }
  likelihood over(double rows) const noexcept { return {value / rows, first / rows, second / rows}; }
};

inline void require_bounds(const char* function, temperature_options const& options) {
  require(options.least > 0 && finite(1 / options.least), function, "least", options.least.value,
          "positive, and its inverse finite");
  require(options.most >= options.least && finite(options.most), function, "most", options.most.value,
          "finite and at least .least");
}

/// Returns the temperature at which at(β), a likelihood, is least, by Newton's method on the first derivative, inside
/// an interval that contains its zero. A step that would leave the interval, or is not half of the step before the
/// last, is replaced by a bisection in log β. Ends with a Newton step below 1e-10 of β: the error is about its square.
template <class At>
temperature_fit minimize_loss(At const& at, temperature_options const& options) {
  constexpr double tolerance = 1e-10;
  likelihood now = at(1.0);
  temperature_fit fit{.before = now.value};
  if (options.least > 1) fit.temperature = options.least;
  if (options.most < 1) fit.temperature = options.most;
  double beta = 1 / fit.temperature;
  if (fit.temperature != 1) now = at(beta);
  fit.after = now.value;
  if (!finite(fit.before)) return fit;

  double low = 1 / options.most, high = 1 / options.least;
  const likelihood lowest = now.first >= 0 ? at(low) : now, highest = now.first <= 0 ? at(high) : now;
  const bool falls_to_low = now.first >= 0 && lowest.first >= 0;    // T = most
  const bool falls_to_high = now.first <= 0 && highest.first <= 0;  // T = least
  fit.converged = true;                                             // in every case, because bisection ends
  if (falls_to_low && falls_to_high) return fit;                    // the likelihood does not depend on the temperature
  if (falls_to_low || falls_to_high) {
    fit.temperature = falls_to_low ? options.most : options.least;
    fit.after = falls_to_low ? lowest.value : highest.value;
    fit.at_bound = true;
    return fit;
  }

  double before_last = high - low, last = before_last;
  bool done = false;
  while (!done && now.first != 0) {
    (now.first < 0 ? low : high) = beta;
    const double step = -now.first / now.second;  // towards the other end
    done = std::abs(step) <= tolerance * beta;
    double next = beta + step;
    if (!done && !(next > low && next < high && std::abs(2 * step) <= before_last))
      next = std::sqrt(low) * std::sqrt(high);
    if (next < low) next = low;
    if (next > high) next = high;
    done = done || next == beta;  // no number is left between low and high
    before_last = last;
    last = std::abs(next - beta);
    beta = next;
    now = at(beta);
    ++fit.iterations;
  }
  fit.temperature = 1 / beta;
  fit.after = now.value;
  return fit;
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
