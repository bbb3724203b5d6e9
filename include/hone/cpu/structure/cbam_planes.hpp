// SPDX-License-Identifier: MIT
/// The parts of CBAM on the CPU that work on planes: its channel branch, and the backward sweeps over planes.
#pragma once

#include <hone/cpu/structure/branches.hpp>
#include <hone/cpu/structure/mean_and_max.hpp>
#include <hone/cpu/structure/scale_planes.hpp>
#include <hone/structure/cbam.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// `excited` of `squeezed`, for images [begin, end). The second product is linear, so there is one for both halves.
template <class W, class Gate, class A>
void excite(cbam<W, Gate> const& b, cbam_numbers<A> const& n, index begin, index end) {
  for (const int half : {0, 1})
    product(detail::half_of(n.squeezed, half), b.reduce, b.reduce_bias, detail::half_of(n.hidden, half), begin, end);
  const index width = n.activated.columns;
  detail::with_formula(b.activation, [&](auto f) {
    for (index i = begin; i < end; ++i)
      for (index c = 0; c < width; ++c)
        n.activated.row(i)[c] = f(n.hidden.row(i)[c]).value + f(n.hidden.row(i)[width + c]).value;
  });
  product(n.activated, b.expand, b.expand_bias, n.excited, begin, end);
  if (!b.expand_bias.empty()) rows_as_eigen(n.excited, begin, end).rowwise() += row_as_eigen(b.expand_bias);
}
/// The gradients by `squeezed`, per plane and per pixel: the means' are divided by the number of pixels.
template <class W, class Gate, class A>
void excite_backward(cbam<W, Gate> const& b, cbam_numbers<A> const& n, cbam_numbers<A> const& d, index pixels,
                     index begin, index end) {
  product_backward(d.excited, b.expand, d.activated, begin, end);
  const index width = n.activated.columns;
  detail::with_formula(b.activation, [&](auto f) {
    for (index i = begin; i < end; ++i)
      for (index c = 0; c < 2 * width; ++c)
        d.hidden.row(i)[c] = gradient_through(f, n.hidden.row(i)[c], d.activated.row(i)[c % width]);
  });
  for (const int half : {0, 1})
    product_backward(detail::half_of(d.hidden, half), b.reduce, detail::half_of(d.squeezed, half), begin, end);
  rows_as_eigen(detail::half_of(d.squeezed, 0), begin, end) /= static_cast<A>(pixels);
}
template <class A, class Gate>
void channel_gradients(cbam<A, Gate> const& to, cbam_numbers<A> const& n, cbam_numbers<A> const& d) {
  product_gradients(n.activated, d.excited, to.expand, to.expand_bias);
  for (A& g : to.expand_bias) g += g;
  auto reduce = all_as_eigen(to.reduce);
  reduce.setZero();
  std::ranges::fill(to.reduce_bias, A(0));
  if (n.hidden.rows == 0) return;
  for (const int half : {0, 1})
    reduce.noalias() +=
        all_as_eigen(detail::half_of(d.hidden, half)).transpose() * all_as_eigen(detail::half_of(n.squeezed, half));
  if (!to.reduce_bias.empty())
    row_as_eigen(to.reduce_bias) = all_as_eigen(detail::half_of(d.hidden, 0)).colwise().sum() +
                                   all_as_eigen(detail::half_of(d.hidden, 1)).colwise().sum();
}

/// Numbers of the pixels of a run: the factors, the gradients by mean and maximum of the channels, and the first
/// channel with the maximum.
template <class A>
struct run_maps {
  A const *t, *dmean, *dlargest, *first;
};
/// Numbers of a plane: its factor, its channel, what is added to dx, and at pixel `marked` of the run.
template <class A>
struct plane_numbers {
  A s, channel, added, added_at_marked;
  index marked;
};

/// With z = x s and g = dy f'(z t + residual): dz = g t + dmean + dlargest where the channel is the first. Writes dx =
/// dz s + added, and returns the sum of x dz.
template <bool Residual, class A, class T, class F>
pack<A> attend_run_backward(F f, backward_run<T> const& run, run_maps<A> const& maps, index n,
                            plane_numbers<A> const& plane) noexcept {
  using V = pack<A>;
  constexpr index W = V::size;
  constexpr bool identity = std::same_as<F, identity_formula>;
  if (n < W) {
    const padded_numbers<A, T> of_x(run.x, n), rest(Residual ? run.residual : nullptr, n), of_y(run.dy, n);
    const padded_numbers<A, A> t(maps.t, n), dmean(maps.dmean, n), dlargest(maps.dlargest, n), first(maps.first, n);
    T to[std::size_t(W)];
    const V products = attend_run_backward<Residual>(f, backward_run<T>{of_x.at, rest.at, of_y.at, to, nullptr},
                                                     {t.at, dmean.at, dlargest.at, first.at}, W, plane);
    std::copy_n(to, n, run.dx);
    return new_lanes(products, n, V(0));
  }
  const V s(plane.s), channel(plane.channel), added(plane.added), more(plane.added_at_marked),
      marked(static_cast<A>(plane.marked)), lane = lane_numbers<A>();
  struct result {
    V dx, product;
  };
  const auto at = [&](index i) HONE_INLINE_LAMBDA {
    const V of_x = load_as<A>(run.x + i), t = V::load(maps.t + i);
    V g = load_as<A>(run.dy + i);
    if constexpr (!identity) {
      V u = of_x * s * t;
      if constexpr (Residual) u = fma(of_x * s, t, load_as<A>(run.residual + i));
      g = gradient_through(f, u, g);
    }
    const V dz =
        fma(g, t, V::load(maps.dmean + i)) + keep(V::load(maps.first + i) == channel, V::load(maps.dlargest + i));
    const V plus = added + keep(lane + V(static_cast<A>(i)) == marked, more);
    return result{fma(dz, s, plus), of_x * dz};
  };
  const result last = at(n - W);
  V sums(0);
  index i = 0;
  for (; i + W < n; i += W) {
    const result r = at(i);
    store_narrowed(r.dx, run.dx + i);
    sums += r.product;
  }
  store_narrowed(last.dx, run.dx + n - W);
  return sums + (i + W == n ? last.product : new_lanes(last.product, n, V(0)));
}

/// A backward sweep over planes: makes de of the channels (`de`), or dx.
template <class T>
struct attend_planes_backward {
  using A = accumulator_t<T>;

  image_view<const T> x, dy, residual;
  activation_function activation;
  cbam_numbers<A> numbers, scratch;  // scratch: first has the factors of the pixels, reduced the gradients
  image_view<T> dx;                  // if given, the sweep writes it, with the gradients by squeezed
  bool stream_dx;

  template <class Gate>
  void run(cpu const& backend, Gate gate, index begin, index end) const {
    detail::with_formula(activation, [&](auto f) {
      if constexpr (!std::same_as<decltype(f), identity_formula>)
        if (residual.data) return sweep<true>(backend, gate, f, begin, end);
      sweep<false>(backend, gate, f, begin, end);
    });
  }

 private:
  template <bool Residual, class Gate, class F>
  void sweep(cpu const& backend, Gate gate, F f, index begin, index end) const {
    const plane_cut cut(x, begin, end, stream_dx);
    const std::size_t bytes = plane_factors<A>::bytes(cut.per_chunk) + arena::room_for<T>(run_numbers);
    const matrix_view<A> means = detail::half_of(scratch.squeezed, 0), maxima = detail::half_of(scratch.squeezed, 1);
    for_planes(backend, cut, bytes, [&](index from, index to, std::byte* memory) {
      arena pieces(memory);
      plane_output<T> output(dx, stream_dx, pieces.take<T>(run_numbers));
      const plane_factors<A> factors(gate, matrix_view<const A>(numbers.excited), from, to, pieces);
      for (index p = from; p < to; ++p) {
        const index image = p / x.channels, c = p % x.channels;
        plane_numbers<A> plane{factors.s[p - from], static_cast<A>(c), A(0), A(0), -1};
        index marked = -1;
        if (dx.data) {
          plane.added = means.row(image)[c];
          plane.added_at_marked = maxima.row(image)[c];
          marked = p * x.pixels + first_pixel_by_packs(x.data + p * x.pixels, x.pixels,
                                                       detail::half_of(numbers.squeezed, 1).row(image)[c]);
        }
        double products = 0;
        for_runs(p, x.pixels, [&](index at, index n) {
          const index pixel = at - p * x.pixels;
          A const* const reduced = scratch.reduced.data + 2 * image * x.pixels + pixel;
          plane.marked = marked >= at && marked < at + n ? marked - at : -1;
          products += static_cast<double>(
              sum(attend_run_backward<Residual>(f,
                                                backward_run<T>{x.data + at, Residual ? residual.data + at : nullptr,
                                                                dy.data + at, output.room(at, n), nullptr},
                                                run_maps<A>{scratch.first.row(image) + pixel, reduced,
                                                            reduced + x.pixels, numbers.first.row(image) + pixel},
                                                n, plane)));
        });
        A& slope = factors.slope[p - from];
        slope = slope == A(0) ? A(0) : detail::narrowed<A>(products * static_cast<double>(slope));
      }
      output.flush();
      if (!dx.data) scatter_planes(static_cast<A const*>(factors.slope), scratch.excited, from, to);
    });
  }
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
