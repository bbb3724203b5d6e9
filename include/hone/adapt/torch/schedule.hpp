// SPDX-License-Identifier: MIT
/// A schedule of hone that sets the learning rates of an optimiser.
#pragma once

#include <hone/adapt/torch/tensor.hpp>
#include <hone/schedule/schedule.hpp>

#include <torch/optim/optimizer.h>

#include <cstddef>
#include <utility>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::adapt {

/// Sets the learning rate of every parameter group from a policy, a hone::schedule. The policy's rate is that of the
/// first group; each other group keeps its ratio to it, as it is now or as given by `factors`, one per group. So an
/// optimiser with one group, or with equal rates, has the policy's rate exactly. The optimiser is viewed.
///
///     hone::adapt::schedule rate(optimizer, hone::warmup_cosine{.peak = 0.1, .warmup = 500, .total = 5000});
///     …
///     optimizer.step(), rate.step();
///
/// Sets the rate of step 0 at once. A resumed training calls set(step). The rates of an optimiser that was loaded are
/// those of its last step: make the schedule before, or give factors. Throws hone::invalid_argument if the policy does,
/// if factors are not one finite number per group, or if a ratio is 0 / 0 or x / 0. Groups that were added later get
/// the rate of the first.
template <hone::schedule Policy>
class schedule {
 public:
  schedule(torch::optim::Optimizer& optimizer, Policy const& policy, std::vector<double> factors = {})
      : optimizer_(&optimizer), policy_(policy), factors_(std::move(factors)) {
    auto const& groups = optimizer.param_groups();
    if (factors_.empty()) {
      const double first = groups.empty() ? 1 : groups[0].options().get_lr();
      for (auto const& group : groups) factors_.push_back(ratio(group.options().get_lr(), first, groups.size()));
    }
    if (factors_.size() != groups.size())
      hone::detail::fail("schedule: %zu factors for %zu parameter groups", factors_.size(), groups.size());
    for (const double factor : factors_)
      hone::detail::require(hone::detail::finite(factor), "schedule", "a factor", factor, "finite");
    set(0);
  }

  /// Sets the rates of the next step.
  void step() { set(step_ + 1); }
  /// Sets the rates of this step, counted from 0.
  void set(integer step) {
    const double rate = policy_.rate(step);
    auto& groups = optimizer_->param_groups();
    for (std::size_t i = 0; i < groups.size(); ++i)
      groups[i].options().set_lr(i < factors_.size() ? rate * factors_[i] : rate);
    step_ = step, rate_ = rate;
  }

  /// The step whose rates are set: the number of steps so far.
  index steps() const noexcept { return step_; }
  /// The policy's rate at this step.
  double rate() const noexcept { return rate_; }

 private:
  static double ratio(double rate, double first, std::size_t groups) {
    if (rate == first && (rate != 0 || groups == 1)) return 1;
    if (first == 0)
      hone::detail::fail(
          "schedule: the first of %zu groups has a rate of 0, so that the others have no ratio to it: give factors",
          groups);
    return rate / first;
  }

  torch::optim::Optimizer* optimizer_;
  Policy policy_;
  std::vector<double> factors_;
  index step_ = 0;
  double rate_ = 0;
};

}  // namespace hone::inline HONE_ABI::adapt

#include <hone/core/macros_pop.hpp>
