// SPDX-License-Identifier: MIT
/// The backward sweep of a batch normalisation over a run: n numbers of one channel, or of one row with a channel each.
#pragma once

#include <hone/cpu/structure/plane_runs.hpp>
#include <hone/structure/channel_scale.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// The numbers of a channel, or of the pack of channels that begins at a place: dx = by ((dy - mean_dy) - (x - centre)
/// slope), with slope the mean of dy (x - centre) by variance + epsilon.
template <class V>
struct norm_slope {
  V centre, by, mean_dy, slope;
};

/// One channel for a whole run.
template <class A>
struct same_slope {
  norm_slope<pack<A>> all;

  explicit same_slope(norm_slope<double> const& of) noexcept
      : all{pack<A>(detail::narrowed<A>(of.centre)), pack<A>(detail::narrowed<A>(of.by)),
            pack<A>(detail::narrowed<A>(of.mean_dy)), pack<A>(detail::narrowed<A>(of.slope))} {}
  norm_slope<pack<A>> operator()(index) const noexcept { return all; }
};
/// A channel per number, in strips of whole packs.
template <class A>
struct slope_each {
  A const *centre, *by, *mean_dy, *slope;

  norm_slope<pack<A>> operator()(index i) const noexcept {
    using V = pack<A>;
    return {V::load(centre + i), V::load(by + i), V::load(mean_dy + i), V::load(slope + i)};
  }
};

/// Writes dx, which may be x or dy. The last pack ends with the run, is computed first and stored last.
template <class A, class T, class Numbers>
void normalise_run_backward(Numbers const& numbers, T const* x, T const* dy, T* dx, index n) noexcept {
  using V = pack<A>;
  constexpr index W = V::size;
  if (n < W) {
    const padded_numbers<A, T> of_x(x, n), of_y(dy, n);
    T to[std::size_t(W)];
    normalise_run_backward<A>(numbers, of_x.at, of_y.at, to, W);
    std::copy_n(to, n, dx);
    return;
  }
  const auto at = [&](index i) HONE_INLINE_LAMBDA {
    const norm_slope<V> of = numbers(i);
    return of.by * ((load_as<A>(dy + i) - of.mean_dy) - (load_as<A>(x + i) - of.centre) * of.slope);
  };
  const V last = at(n - W);
  for (index i = 0; i + W < n; i += W) store_narrowed(at(i), dx + i);
  store_narrowed(last, dx + n - W);
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
