// SPDX-License-Identifier: MIT
/// A schedule with noise that depends only on a seed and the step.
#pragma once

#include <hone/schedule/constant.hpp>

#include <cmath>
#include <cstdint>
#include <limits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

enum class noise_kind : unsigned char {
  normal,   ///< a standard normal, redrawn while it is outside [-limit, limit]
  uniform,  ///< uniform in (-limit, limit)
};

struct noise_options {
  real limit = 0.67;                                      ///< largest relative noise, in [0, 1]; 0: none
  integer from = 0;                                       ///< first step with noise, at least 0
  integer to = std::numeric_limits<std::int64_t>::max();  ///< first step after the noise, at least `from`
  integer seed = 42;                                      ///< any
  noise_kind kind = noise_kind::normal;
};

namespace detail {

/// Returns number i of a seed and a step, uniform in (0, 1): SplitMix64 of Steele, Lea and Flood, 2014, over both.
HONE_HD inline double uniform_number(std::uint64_t seed, std::uint64_t step, std::uint64_t i) noexcept {
  const auto mixed = [](std::uint64_t x) {
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
  };
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;
  const std::uint64_t bits = mixed(mixed(mixed(seed + odd) + (step + 1) * odd) + (i + 1) * odd);
  return (static_cast<double>(bits >> 12) + 0.5) * 0x1p-52;
}

/// Returns the relative noise of a step, in [-limit, limit].
HONE_HD inline double relative_noise(noise_options const& o, std::uint64_t step) noexcept {
  const auto seed = static_cast<std::uint64_t>(o.seed.value);
  for (std::uint64_t i = 0;; i += 2) {  // accepts at least 5 of 6 candidates if limit <= 1
    const double x = o.limit * (2 * uniform_number(seed, step, i) - 1);
    if (o.kind == noise_kind::uniform || uniform_number(seed, step, i + 1) <= std::exp(-x * x / 2)) return x;
  }
}

}  // namespace detail

template <schedule S>
struct noisy {
  S base = {};
  noise_options options = {};

  HONE_HD double rate(integer step) const {
    detail::require(options.limit >= 0 && options.limit <= 1, "with_noise", "limit", options.limit, "in [0, 1]");
    detail::require(options.from >= 0, "with_noise", "from", options.from.value, "at least 0");
    detail::require(options.to >= options.from, "with_noise", "to", options.to.value, "at least from");
    detail::require(options.kind == noise_kind::normal || options.kind == noise_kind::uniform, "with_noise", "kind",
                    static_cast<std::int64_t>(options.kind), "normal or uniform");
    const double quiet = base.rate(step);
    if (step < options.from || step >= options.to) return quiet;
    return quiet + quiet * detail::relative_noise(options, static_cast<std::uint64_t>(step.value));
  }
};

/// Adds seeded relative noise to any schedule.
///   rate(t) = (1 + n(seed, t)) schedule.rate(t) for from <= t < to, n in [-limit, limit]; schedule.rate(t) elsewhere
/// The noise of a step does not depend on other steps, so it is the same in any order and after a resume. The
/// distributions are those of timm; the numbers are not.
///
///     const auto schedule = hone::with_noise(hone::cosine{.peak = 0.1, .total = 1000}, {.limit = 0.1, .seed = 7});
///     optimiser.rate = schedule.rate(step);
///
/// `rate` throws hone::invalid_argument if limit is outside [0, 1], from < 0, to < from, kind is neither normal nor
/// uniform, or the schedule throws.
template <class S>
constexpr auto with_noise(S base, noise_options options = {}) {
  static_assert(schedule<S>,
                "with_noise: the first argument must be a schedule, with a double rate(hone::integer) const");
  return noisy<S>{base, options};
}
static_assert(schedule<noisy<constant>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
