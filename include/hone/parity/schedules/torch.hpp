// SPDX-License-Identifier: MIT
/// PyTorch's cosine that rises again, and its one-cycle with phases that end between steps.
#pragma once

#include <hone/schedule/cosine.hpp>

#include <cmath>
#include <cstdint>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::parity {

/// CosineAnnealingLR of PyTorch, with its names: after T_max it rises again, with period 2 T_max.
///   eta_min + ½ (base_lr - eta_min) (1 + cos(π t / T_max))
/// hone::cosine stays at the floor instead.
struct torch_cosine_annealing {
  real base_lr = 0;
  integer T_max = 0;  ///< required
  real eta_min = 0;

  HONE_HD double rate(integer step) const {
    detail::require_rate("torch_cosine_annealing", "base_lr", base_lr);
    detail::require_count("torch_cosine_annealing", "T_max", T_max);
    detail::require_rate("torch_cosine_annealing", "eta_min", eta_min);
    detail::require_step("torch_cosine_annealing", step);
    const cosine half{.peak = base_lr, .floor = eta_min, .total = T_max};
    const std::int64_t x = step % T_max;  // falling in even half periods, rising in odd ones
    return half.rate(step / T_max % 2 == 0 ? x : T_max - x);
  }
};
static_assert(schedule<torch_cosine_annealing>);

enum class torch_anneal : unsigned char { cos, linear };

}  // namespace hone::inline HONE_ABI::parity

namespace hone::inline HONE_ABI::detail {

struct torch_phases {
  const char* name;
  double total, pct_start;
  bool three_phase;
  parity::torch_anneal anneal;

  /// Interpolates first -> top -> back, which is reached at the last step, or first -> top -> back -> last. Phases end
  /// at pct_start total - 1, 2 pct_start total - 2 and total - 1, between steps. A step belongs to the first phase that
  /// does not end before it, and so does the last step: its rate is `top` if pct_start is 1, and with three phases and
  /// pct_start > 1/2 it lies between top and back.
  HONE_HD double at(double t, double first, double top, double back, double last) const {
    require(pct_start >= 0 && pct_start <= 1, name, "pct_start", pct_start, "in [0, 1]");
    const double end = total - 1, up = pct_start * total - 1, down = three_phase ? 2 * pct_start * total - 2 : end;
    if (t > end) t = end;
    if (t <= up) return between(first, top, t, 0, up);
    if (t <= down) return between(top, back, t, up, down);
    return between(back, last, t, down, end);
  }

 private:
  /// Returns the rate at t in [begin, end]; that of the end if the interval is empty.
  HONE_HD double between(double from, double to, double t, double begin, double end) const {
    const double progress = end > begin ? (t - begin) / (end - begin) : 1;
    return anneal == parity::torch_anneal::linear ? detail::lerp(from, to, progress)
                                                  : cosine_with(1 - progress, from, to);
  }
};

}  // namespace hone::inline HONE_ABI::detail

namespace hone::inline HONE_ABI::parity {

/// OneCycleLR of PyTorch, with its names. The highest rate is at pct_start · total_steps - 1, which may lie between two
/// steps; the rate of step total_steps - 1 stays (PyTorch throws two steps later). hone::one_cycle takes integer
/// lengths and ends at `total`.
///
///     const hone::parity::torch_one_cycle schedule{.max_lr = 0.1, .total_steps = 1000};
///
/// Throws hone::invalid_argument if max_lr is not finite, total_steps < 1, pct_start is outside [0, 1], a divisor is
/// not finite and above 0, or step < 0.
struct torch_one_cycle {
  real max_lr = 0;
  integer total_steps = 0;  ///< required
  real pct_start = 0.3;
  real div_factor = 25;         ///< max_lr / the first rate
  real final_div_factor = 1e4;  ///< the first rate / the last rate
  bool three_phase = false;
  torch_anneal anneal_strategy = torch_anneal::cos;

  HONE_HD double rate(integer step) const {
    detail::require_rate("torch_one_cycle", "max_lr", max_lr);
    detail::require_count("torch_one_cycle", "total_steps", total_steps);
    detail::require_factor("torch_one_cycle", "div_factor", div_factor);
    detail::require_factor("torch_one_cycle", "final_div_factor", final_div_factor);
    detail::require_step("torch_one_cycle", step);
    const double first = max_lr / div_factor, last = first / final_div_factor;
    return detail::torch_phases{"torch_one_cycle", static_cast<double>(total_steps), pct_start, three_phase,
                                anneal_strategy}
        .at(static_cast<double>(step), first, max_lr, three_phase ? first : last, last);
  }
};
static_assert(schedule<torch_one_cycle>);

/// The momentum (or β₁) that OneCycleLR of PyTorch sets together with the rate.
struct torch_one_cycle_momentum {
  real base_momentum = 0.85, max_momentum = 0.95;
  integer total_steps = 0;  ///< required
  real pct_start = 0.3;
  bool three_phase = false;
  torch_anneal anneal_strategy = torch_anneal::cos;

  HONE_HD double rate(integer step) const {
    detail::require_rate("torch_one_cycle_momentum", "base_momentum", base_momentum);
    detail::require_rate("torch_one_cycle_momentum", "max_momentum", max_momentum);
    detail::require_count("torch_one_cycle_momentum", "total_steps", total_steps);
    detail::require_step("torch_one_cycle_momentum", step);
    return detail::torch_phases{"torch_one_cycle_momentum", static_cast<double>(total_steps), pct_start, three_phase,
                                anneal_strategy}
        .at(static_cast<double>(step), max_momentum, base_momentum, max_momentum, max_momentum);
  }
};
static_assert(schedule<torch_one_cycle_momentum>);

}  // namespace hone::inline HONE_ABI::parity

#include <hone/core/macros_pop.hpp>
