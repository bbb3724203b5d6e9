// SPDX-License-Identifier: MIT
/// The sweeps of a scale and shift per channel over a run: n numbers of one channel, or of one row with a channel each.
/// As in plane_runs.hpp, the last pack ends with the run, is computed first and stored last.
#pragma once

#include <hone/cpu/structure/plane_runs.hpp>

#include <algorithm>
#include <concepts>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// The numbers of every channel, in strips of whole packs: u = x s + t, and what is subtracted from x for its gradient.
template <class A>
struct channel_strips {
  A *s, *t, *centre;
};

/// The numbers of the pack that begins at place i of a run.
template <class A>
struct affine_pack {
  pack<A> s, t, centre;
};
/// The run has one channel.
template <class A>
struct same_channel {
  affine_pack<A> all;

  same_channel(channel_strips<A> const& of, index c) noexcept
      : all{pack<A>(of.s[c]), pack<A>(of.t[c]), pack<A>(of.centre[c])} {}
  affine_pack<A> operator()(index) const noexcept { return all; }
};
/// The run has a channel per number.
template <class A>
struct channel_each {
  channel_strips<A> of;

  affine_pack<A> operator()(index i) const noexcept {
    return {pack<A>::load(of.s + i), pack<A>::load(of.t + i), pack<A>::load(of.centre + i)};
  }
};

/// Σ (x - centre) g and Σ g: of one channel, in packs, or of a channel per number, in strips of whole packs.
template <class A>
struct sums_of_channel {
  pack<A> products{0}, total{0};

  void add(index, pack<A> product, pack<A> g) noexcept { products += product, total += g; }
};
template <class A>
struct sums_of_each {
  A *products, *total;

  void add(index i, pack<A> product, pack<A> g) noexcept {
    (pack<A>::load(products + i) + product).store(products + i);
    (pack<A>::load(total + i) + g).store(total + i);
  }
};

/// y = f(x s + t + residual).
template <bool Residual, class A, class T, class F, class Numbers>
void scale_channel_run(F f, Numbers const& numbers, T const* x, [[maybe_unused]] T const* residual, T* y,
                       index n) noexcept {
  using V = pack<A>;
  constexpr index W = V::size;
  if (n < W) {
    const padded_numbers<A, T> all(x, n), rest(Residual ? residual : nullptr, n);
    T to[std::size_t(W)];
    scale_channel_run<Residual, A>(f, numbers, all.at, rest.at, to, W);
    std::copy_n(to, n, y);
    return;
  }
  const auto at = [&](index i) HONE_INLINE_LAMBDA {
    const affine_pack<A> of = numbers(i);
    V u = fma(load_as<A>(x + i), of.s, of.t);
    if constexpr (Residual) u += load_as<A>(residual + i);
    return f(u).value;
  };
  const V last = at(n - W);
  for (index i = 0; i + W < n; i += W) store_narrowed(at(i), y + i);
  store_narrowed(last, y + n - W);
}

/// With g = dy f'(x s + t + residual): writes dx = g s and dresidual = g, and adds to the sums. A derivative of 0 makes
/// g 0, whatever dy is.
template <bool Residual, class A, class T, class F, class Numbers, class Sums>
void scale_channel_run_backward(F f, Numbers const& numbers, Sums& sums, backward_run<T> const& run, index n) noexcept {
  using V = pack<A>;
  constexpr index W = V::size;
  struct result {
    V dx, g, product;
  };
  const auto at = [&](backward_run<T> const& from, index i) HONE_INLINE_LAMBDA {
    const affine_pack<A> of = numbers(i);
    const V x = load_as<A>(from.x + i);
    V g = load_as<A>(from.dy + i);
    if constexpr (!std::same_as<F, identity_formula>) {
      V u = fma(x, of.s, of.t);
      if constexpr (Residual) u += load_as<A>(from.residual + i);
      g = gradient_through(f, u, g);
    }
    return result{g * of.s, g, (x - of.centre) * g};
  };
  if (n < W) {
    const padded_numbers<A, T> x(run.x, n), rest(Residual ? run.residual : nullptr, n), dy(run.dy, n);
    const result all = at({x.at, rest.at, dy.at, nullptr, nullptr}, 0);
    T to[std::size_t(W)];
    store_narrowed(all.dx, to);
    std::copy_n(to, n, run.dx);
    store_narrowed(all.g, to);
    std::copy_n(to, n, run.dresidual);
    sums.add(0, new_lanes(all.product, n, V(0)), new_lanes(all.g, n, V(0)));
    return;
  }
  const result last = at(run, n - W);
  for (index i = 0; i + W < n; i += W) {
    const result r = at(run, i);
    store_narrowed(r.dx, run.dx + i);
    store_narrowed(r.g, run.dresidual + i);
    sums.add(i, r.product, r.g);
  }
  store_narrowed(last.dx, run.dx + n - W);
  store_narrowed(last.g, run.dresidual + n - W);
  const bool whole = n % W == 0;  // then no earlier pack has lanes of the last one
  sums.add(n - W, whole ? last.product : new_lanes(last.product, n, V(0)), whole ? last.g : new_lanes(last.g, n, V(0)));
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
