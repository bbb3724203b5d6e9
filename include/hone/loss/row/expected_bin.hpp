// SPDX-License-Identifier: MIT
/// What a distribution over bins says on average: decodes what distribution_focal_loss trains, and carries gradients
/// back through it.
#pragma once

#include <hone/core/outputs.hpp>
#include <hone/core/reduction.hpp>
#include <hone/core/view_check.hpp>
#include <hone/loss/row/term.hpp>

#include <span>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// With p = softmax(z) and i the column:
///   value  Σ i p        gradient  p (i - Σ i p)
struct expected_bin_term : row_term_base {
  static constexpr bool needs_softmax = false, needs_column = true;
  static constexpr int sums = 2, kept = 1;

  template <operand V>
  struct row {
    V loss, rate;
  };

  template <operand V>
  HONE_HD void first(row_element<V>& e, V (&sums_)[3]) const {
    e.kept[0] = exp_of_nonpositive(e.z);
    sums_[0] = sums_[0] + e.kept[0];
    sums_[1] = sums_[1] + e.kept[0] * e.column;
  }
  template <operand V>
  HONE_HD void rebase(V (&sums_)[3], V rise, V) const {
    const V less = exp_of_nonpositive(-rise);
    sums_[0] = sums_[0] * less;
    sums_[1] = sums_[1] * less;
  }
  template <operand V>
  HONE_HD row<V> finish(row_statistics<V> const& s) const {
    return {s.sums[1] / s.sums[0], V(1) / s.sums[0]};
  }
  template <operand V>
  HONE_HD V gradient(row<V> const& r, row_element<V> const& e) const {
    return r.rate * e.kept[0] * (e.column - r.loss);
  }
};

/// The integral of a row's distribution (Li et al. 2020, arXiv 2006.04388) as a term: weigh_rows(expected_bin(), g)
/// under hone::sum has the gradient that arrives at the logits where g arrives at the decoded numbers.
inline expected_bin_term expected_bin() { return {}; }

namespace detail {

template <class Backend, class View, class A>
void decode_bins(Backend& backend, View logits, std::span<A> out) {
  require_valid(logits, "logits", "expected_bin");
  const index rows = rows_of(logits);
  if (static_cast<index>(out.size()) != rows)
    fail("expected_bin: room for %jd numbers, %jd rows", std::intmax_t(out.size()), std::intmax_t(rows));
  typename outputs_of<View>::type to;
  to.unreduced = out.data();
  evaluate(backend, expected_bin_term(), logits, to, sum);
}

template <class T>
using decoded = std::type_identity_t<std::span<accumulator_t<T>>>;

}  // namespace detail

/// Writes Σ i softmax(z)_i of every row of logits to out, on any backend.
template <class Backend, class T>
void expected_bin(Backend&& backend, matrix_view<T> logits, detail::decoded<T> out) {
  detail::decode_bins(backend, logits, out);
}
/// The same per pixel of images, as evaluate counts them.
template <class Backend, class T>
void expected_bin(Backend&& backend, image_view<T> logits, detail::decoded<T> out) {
  detail::decode_bins(backend, logits, out);
}

static_assert(row_term<expected_bin_term>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
