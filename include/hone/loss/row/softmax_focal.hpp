// SPDX-License-Identifier: MIT
/// Focal loss on softmax probabilities: easy rows count for less.
#pragma once

#include <hone/loss/modulation.hpp>
#include <hone/loss/row/term.hpp>
#include <hone/target/classes.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct softmax_focal_options {
  real gamma = 2;  ///< how much easy examples are damped; 0 is cross entropy
};

/// With f(p) = (1-p)^γ (-log p) and h(p) = p f'(p) = (1-p)^γ (γ p log p / (1-p) - 1):
///   value     Σ q f(p)        gradient  q h(p) - p Σ q h(p)
/// 1 - p is -expm1(log p), which stays exact where p rounds to 1.
template <row_target Target>
struct softmax_focal_term : row_term_base {
  static constexpr bool has_target = true, needs_logits = true;
  static constexpr int late = 2;

  Target target;
  double gamma;

  softmax_focal_term(Target target_, double gamma_) : target(target_), gamma(gamma_) {}

  template <operand V>
  struct row {
    V loss, total, log_sum;  // total: Σ q h
  };
  template <operand V>
  struct weighed {
    V value, slope;  // q f, q h
  };

  template <operand V>
  HONE_HD weighed<V> at(row_element<V> const& e, V log_sum) const {
    const V log_p = e.z - log_sum, rest = -expm1(log_p);
    const V p_log_p = e.p * select(e.p == V(0), V(0), log_p);
    const modulation<V> m(rest, p_log_p, gamma);
    const V none(0);
    return {-e.q * m.weight * select(e.q == none, none, log_p),
            select(e.q == none, none, e.q * (V(gamma) * m.slope - m.weight))};
  }
  template <operand V>
  HONE_HD void second(row_element<V> const& e, row_statistics<V> const& s, V (&late_)[2]) const {
    const auto [value, slope] = at(e, s.log_sum);
    late_[0] = late_[0] + value;
    late_[1] = late_[1] + slope;
  }
  template <operand V>
  HONE_HD row<V> finish(row_statistics<V> const& s) const {
    return {s.late[0], s.late[1], s.log_sum};
  }
  template <operand V>
  HONE_HD V gradient(row<V> const& r, row_element<V> const& e) const {
    return at(e, r.log_sum).slope - e.p * r.total;
  }
};

/// Σ q (1-p)^γ (-log p) with p = softmax(z) (Lin et al. 2017, arXiv 1708.02002, on softmax). γ >= 0.
template <class Target>
auto softmax_focal_loss(Target target, softmax_focal_options options = {}) {
  static_assert(row_target<Target>,
                "softmax_focal_loss: the argument must be a target: wrap labels in hone::classes, "
                "a matrix in hone::probabilities");
  const double gamma = options.gamma;
  detail::require(gamma >= 0 && detail::finite(gamma), "softmax_focal_loss", "gamma", gamma, "finite and not negative");
  return softmax_focal_term<Target>(target, gamma);
}

static_assert(row_term<softmax_focal_term<classes_target<int>>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
