// SPDX-License-Identifier: MIT
/// The sweeps over a run: n numbers of one plane, in packs. The last pack of a run ends with the run, and so overlaps
/// the pack before it: it is computed first, so that a run may be done in place, and stored last.
#pragma once

#include <hone/cpu/memory/convert.hpp>
#include <hone/cpu/simd/math.hpp>
#include <hone/structure/activation.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// Stores a pack, narrowed to T.
template <class T, class A>
void store_narrowed(pack<A> x, T* to) noexcept {
  if constexpr (std::same_as<T, A>) {
    x.store(to);
  } else if constexpr (has_packs_of<A, T>) {
    store_as(x, to);
  } else {
    A lanes[std::size_t(pack<A>::size)];
    x.store(lanes);
    convert(static_cast<A const*>(lanes), to, pack<A>::size);
  }
}

/// Fewer numbers than a pack has, followed by 0.
template <class A, class T>
struct padded_numbers {
  T at[std::size_t(pack<A>::size)] = {};

  padded_numbers(T const* from, index n) noexcept {
    if (from) std::copy_n(from, n, at);
  }
};

/// Returns the lanes of the last pack that no earlier pack has, for n numbers; the others are `other`.
template <class A>
pack<A> new_lanes(pack<A> last, index n, pack<A> other) noexcept {
  const index known = n < pack<A>::size ? 0 : pack<A>::size - n % pack<A>::size;
  const pack<A> lane = lane_numbers<A>();
  return n < pack<A>::size ? select(lane < pack<A>(n), last, other) : select(lane < pack<A>(known), other, last);
}

/// Returns the numbers of a run joined by a reduction, in four packs that are joined at the end.
template <class A, class T, class Reduction>
HONE_INLINE pack<A> reduce_run(Reduction reduce, T const* x, index n) noexcept {
  using V = pack<A>;
  constexpr index W = V::size;
  const V start = reduce.template start<V>();
  if (n < W) {
    const padded_numbers<A, T> all(x, n);
    return new_lanes(load_as<A>(all.at), n, start);
  }
  V part[] = {start, start, start, start};
  index i = 0;
  for (; i + 4 * W <= n; i += 4 * W)
    for (int k = 0; k < 4; ++k) part[k] = reduce.join(part[k], load_as<A>(x + i + k * W));
  for (; i + W <= n; i += W) part[0] = reduce.join(part[0], load_as<A>(x + i));
  if (i < n) part[1] = reduce.join(part[1], new_lanes(load_as<A>(x + n - W), n, start));
  return reduce.join(reduce.join(part[0], part[1]), reduce.join(part[2], part[3]));
}
/// Returns the lanes of a pack joined by a reduction, in double: the first half with the second, and so on.
template <class A, class Reduction>
HONE_INLINE double join_lanes(Reduction reduce, pack<A> x) noexcept {
  A lanes[std::size_t(pack<A>::size)];
  double wide[std::size_t(pack<A>::size)];
  x.store(lanes);
  for (int k = 0; k < pack<A>::size; ++k) wide[k] = static_cast<double>(lanes[k]);
  for (int half = pack<A>::size / 2; half > 0; half /= 2)
    for (int k = 0; k < half; ++k) wide[k] = reduce.join(wide[k], wide[k + half]);
  return wide[0];
}

/// y = f(x s + residual), or f(x s + added) without a residual.
template <bool Residual, class A, class T, class F>
HONE_INLINE void scale_run(F f, T const* x, [[maybe_unused]] T const* residual, T* y, index n, A s, A added) noexcept {
  using V = pack<A>;
  constexpr index W = V::size;
  if (n < W) {
    const padded_numbers<A, T> all(x, n), rest(Residual ? residual : nullptr, n);
    T to[std::size_t(W)];
    scale_run<Residual>(f, all.at, rest.at, to, W, s, added);
    std::copy_n(to, n, y);
    return;
  }
  const V by(s), plus(added);
  const auto at = [&](index i) HONE_INLINE_LAMBDA {
    if constexpr (Residual)
      return f(fma(load_as<A>(x + i), by, load_as<A>(residual + i))).value;
    else
      return f(fma(load_as<A>(x + i), by, plus)).value;
  };
  const V last = at(n - W);
  index i = 0;
  for (; i + W < n; i += W) store_narrowed(at(i), y + i);
  store_narrowed(last, y + n - W);
}

/// The inputs and outputs of the backward sweep over a run.
template <class T>
struct backward_run {
  T const *x, *residual, *dy;
  T *dx, *dresidual;
};

/// With g = dy f'(x s + residual): writes dx = g s + added and dresidual = g, and returns the sum of x g. A derivative
/// of 0 makes g 0, whatever dy is.
template <bool Residual, class A, class T, class F>
pack<A> scale_run_backward(F f, backward_run<T> const& run, index n, A s, A added) noexcept {
  using V = pack<A>;
  constexpr index W = V::size;
  constexpr bool identity = std::same_as<decltype(f), identity_formula>;
  T const *const x = run.x, *const residual = run.residual, *const dy = run.dy;
  T *const dx = run.dx, *const dresidual = run.dresidual;
  if (n < W) {
    const padded_numbers<A, T> all(x, n), rest(Residual ? residual : nullptr, n), of_y(dy, n);
    T to_x[std::size_t(W)], to_residual[std::size_t(W)];
    const V products =
        scale_run_backward<Residual>(f, backward_run<T>{all.at, rest.at, of_y.at, to_x, to_residual}, W, s, added);
    std::copy_n(to_x, n, dx);
    std::copy_n(to_residual, n, dresidual);
    return new_lanes(products, n, V(0));
  }
  const V by(s), plus(added);
  struct result {
    V dx, g, product;
  };
  const auto at = [&](index i) HONE_INLINE_LAMBDA {
    const V of_x = load_as<A>(x + i);
    V g = load_as<A>(dy + i);
    if constexpr (!identity) {
      V u = of_x * by;
      if constexpr (Residual) u = fma(of_x, by, load_as<A>(residual + i));
      g = gradient_through(f, u, g);
    }
    return result{fma(g, by, plus), g, of_x * g};
  };
  const result last = at(n - W);
  V even(0), odd(0);
  index i = 0;
  const auto step = [&](index j) HONE_INLINE_LAMBDA {
    const result r = at(j);
    store_narrowed(r.dx, dx + j);
    store_narrowed(r.g, dresidual + j);
    return r.product;
  };
  for (; i + 2 * W < n; i += 2 * W) {
    even += step(i);
    odd += step(i + W);
  }
  for (; i + W < n; i += W) even += step(i);
  store_narrowed(last.dx, dx + n - W);
  store_narrowed(last.g, dresidual + n - W);
  return even + odd + (i + W == n ? last.product : new_lanes(last.product, n, V(0)));
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
