// SPDX-License-Identifier: MIT
/// The z-loss keeps logsumexp of the logits near 0, so that logits do not drift.
#pragma once

#include <hone/loss/row/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

///   value     c · logsumexp(z)²        gradient  2 c · logsumexp(z) · p
struct z_loss_term : row_term_base {
  using statistics = row::list<row::softmax<>>;

  double coefficient;

  explicit z_loss_term(double coefficient_) : coefficient(coefficient_) {}

  template <operand V>
  struct result {
    V loss, rate;
  };

  template <operand V>
  HONE_HD result<V> finish(row::normaliser<V> const& p) const {
    const V lse = p.max + p.log_sum, scaled = V(coefficient) * lse;
    return {scaled * lse, (scaled + scaled) * p.inverse};
  }
  template <operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const& e) const {
    return r.rate * row::weight(e);
  }
};

/// Loss c · logsumexp(z)² (Chowdhery et al. 2022, PaLM, arXiv 2204.02311: c = 1e-4). Skips the rows that the targets of
/// the same objective ignore. Throws hone::invalid_argument if c is not finite.
inline z_loss_term z_loss(real coefficient) {
  detail::require(detail::finite(coefficient.value), "z_loss", "coefficient", coefficient.value, "finite");
  return z_loss_term(coefficient.value);
}

static_assert(row_term<z_loss_term>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
