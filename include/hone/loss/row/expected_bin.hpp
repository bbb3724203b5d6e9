// SPDX-License-Identifier: MIT
/// The mean of a distribution over bins: decodes the logits that distribution_focal_loss trains, and propagates
/// gradients back to them.
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
  using statistics = row::list<row::softmax<>, row::total<0, row::column>>;
  static constexpr bool reads_column = true;

  template <operand V>
  struct result {
    V loss, rate;
  };

  template <operand V>
  HONE_HD result<V> finish(row::normaliser<V> const& p, V total) const {
    return {total * p.inverse, p.inverse};
  }
  template <operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const& e) const {
    return r.rate * row::weight(e) * (row::column_of(e) - r.loss);
  }
};

/// The mean of a row's distribution (Li et al. 2020, arXiv 2006.04388) as a term. If g is the gradient by the decoded
/// numbers, weigh_rows(expected_bin(), g) under hone::sum has the gradient by the logits.
inline expected_bin_term expected_bin() { return {}; }

namespace detail {

/// Calls the backend's evaluate, which ADL finds (cpu/evaluate.hpp, cuda/evaluate.cuh).
template <class Backend, class View, class A>
void decode_bins(Backend& backend, View logits, std::span<A> out) {
  require_valid(logits, "logits", "expected_bin");
  const index rows = rows_of(logits);
  if (static_cast<index>(out.size()) != rows)
    fail("expected_bin: room for %jd numbers, %jd rows", std::intmax_t(out.size()), std::intmax_t(rows));
  typename outputs_of<View>::type to;
  to.unreduced = out.data();
  constexpr bool has_backend = requires { evaluate(backend, expected_bin_term(), logits, to, sum); };
  static_assert(has_backend,
                "expected_bin: the backend must be hone::cpu or hone::cuda: include hone/cpu.hpp or hone/cuda.cuh");
  if constexpr (has_backend) evaluate(backend, expected_bin_term(), logits, to, sum);
}

template <class T>
using decoded = std::type_identity_t<std::span<accumulator_t<T>>>;

}  // namespace detail

/// Writes Σ i softmax(z)_i of each row of logits to out, one number per row, on any backend. Throws if they do not fit.
template <class Backend, class T>
void expected_bin(Backend&& backend, matrix_view<T> logits, detail::decoded<T> out) {
  detail::decode_bins(backend, logits, out);
}
/// The same per pixel of images, in the order of evaluate's rows.
template <class Backend, class T>
void expected_bin(Backend&& backend, image_view<T> logits, detail::decoded<T> out) {
  detail::decode_bins(backend, logits, out);
}

static_assert(row_term<expected_bin_term>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
