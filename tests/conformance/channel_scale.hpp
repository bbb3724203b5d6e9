// SPDX-License-Identifier: MIT
/// What every backend must answer for layer scale and frozen batch normalisation, of planes and of rows, against loops
/// in double written from the definitions.
#pragma once

#include <hone/structure.hpp>

#include <conformance/planes.hpp>

#include <span>
#include <utility>
#include <vector>

namespace conformance {

/// How the numbers of a view are addressed: planes are contiguous, rows have a padding of two numbers.
template <class T>
struct channel_planes {
  planes_shape s;

  std::size_t size() const { return s.numbers(); }
  auto view(auto const& b) const { return hone::image_view<T>{b.data(), s.images, s.channels, s.height, s.width}; }
  static hone::image_view<T> none() { return {}; }
  bool used(std::size_t) const { return true; }
  index channel(std::size_t i) const { return index(i) / s.pixels() % s.channels; }
};
template <class T>
struct channel_rows {
  planes_shape s;  // images x pixels rows

  index stride() const { return s.channels + 2; }
  std::size_t size() const { return std::size_t(s.images * s.pixels() * stride()); }
  auto view(auto const& b) const { return hone::matrix_view<T>{b.data(), s.images * s.pixels(), s.channels, stride()}; }
  static hone::matrix_view<T> none() { return {}; }
  bool used(std::size_t i) const { return index(i) % stride() < s.channels; }
  index channel(std::size_t i) const { return index(i) % stride(); }
};

template <class Device, class T, class Layout>
void scales_channels(Layout const layout, bool norm) {
  using A = hone::accumulator_t<T>;
  using numbers = typename Device::template buffer<A>;
  const auto channels = std::size_t(layout.s.channels);
  const double epsilon = 1e-3;
  const auto x = plane_noise<T>(1, layout.size()), r = plane_noise<T>(400, layout.size()),
             dy = plane_noise<T>(77, layout.size());
  const auto scale = plane_noise<A>(9, channels), shift = plane_noise<A>(19, channels),
             mean = plane_noise<A>(29, channels);
  auto variance = plane_noise<A>(39, channels);
  for (A& v : variance) v = v * v;
  const auto inverse = [&](std::size_t c) { return norm ? 1 / std::sqrt(double(variance[c]) + epsilon) : 1; };
  const auto centre = [&](std::size_t c) { return norm ? double(mean[c]) : 0; };
  for (const bool residual : {false, true})
    for (const auto f : {hone::no_activation, hone::relu, hone::silu, hone::hard_swish}) {
      CAPTURE(residual);
      CAPTURE(int(f));
      const std::vector<T> poison(layout.size(), T(99.0f));
      const std::vector<A> poisoned(channels, A(99));
      const typename Device::template buffer<T> bx(x), br(r), bdy(dy), by(poison), bdx(poison), bdr(poison), place(x);
      const numbers bscale(scale), bshift(shift), bmean(mean), bvariance(variance), bdscale(poisoned),
          bdshift(poisoned);
      const auto span = [](auto const& b) { return std::span<const A>(b.data(), std::size_t(b.end() - b.begin())); };
      const auto out = [](auto const& b) { return std::span<A>(b.data(), std::size_t(b.end() - b.begin())); };
      const hone::batch_norm_view<A> parameters{span(bmean), span(bvariance), span(bscale), span(bshift), epsilon};
      const auto rest = residual ? layout.view(br) : layout.none();
      const auto forward = [&](auto from, auto to) {
        Device::call([&](auto&& b) {
          if (norm)
            hone::frozen_batch_norm(b, from, parameters, to, {.residual = rest, .activation = f});
          else
            hone::layer_scale(b, from, span(bscale), to, {.residual = rest, .activation = f});
        });
      };
      const auto backward = [&](auto d, auto to, auto dscale, auto dshift, auto dresidual) {
        Device::call([&](auto&& b) {
          if (norm)
            hone::frozen_batch_norm_backward(b, layout.view(bx), parameters, d, to, {dscale, dshift},
                                             {.residual = rest, .activation = f, .dresidual = dresidual});
          else
            hone::layer_scale_backward(b, layout.view(bx), span(bscale), d, to, dscale,
                                       {.residual = rest, .activation = f, .dresidual = dresidual});
        });
      };
      const auto u = [&](std::size_t i) {
        const auto c = std::size_t(layout.channel(i));
        return (double(x[i]) - centre(c)) * inverse(c) * double(scale[c]) + (norm ? double(shift[c]) : 0) +
               (residual ? double(r[i]) : 0);
      };
      const auto g = [&](std::size_t i) { return double(dy[i]) * activation_of(f, u(i)).slope; };
      // The sizes of the parts of a sum, because a variance near epsilon makes large ones that cancel.
      const auto part = [&](std::size_t i) {
        const auto c = std::size_t(layout.channel(i));
        return (std::abs(double(x[i])) + std::abs(centre(c))) * inverse(c) * std::abs(double(scale[c])) + 8;
      };
      const auto unused = std::pair(99.0, 0.0);

      forward(layout.view(bx), layout.view(by));
      CHECK(plane_distance(by.host(), [&](index k) {
              const auto i = std::size_t(k);
              return layout.used(i) ? std::pair(activation_of(f, u(i)).value, part(i)) : unused;
            }) <= plane_tolerance<T>);
      forward(layout.view(place), layout.view(place));
      const auto in_place = place.host(), apart = by.host();
      for (std::size_t i = 0; i < apart.size(); ++i)
        if (layout.used(i)) CHECK(support::same_bytes(&in_place[i], &apart[i], sizeof(T)));

      backward(layout.view(bdy), layout.view(bdx), out(bdscale), out(bdshift), layout.view(bdr));
      const auto all_dx = bdx.host(), all_dr = bdr.host();
      const auto all_dscale = bdscale.host(), all_dshift = bdshift.host();
      // In 16 bits u is rounded near a kink of the activation only by the arithmetic, which is that of float.
      CHECK(plane_distance(all_dx, [&](index k) {
              const auto i = std::size_t(k);
              const auto c = std::size_t(layout.channel(i));
              if (!layout.used(i)) return unused;
              const double s = inverse(c) * double(scale[c]);
              return std::pair(g(i) * s, (std::abs(g(i)) + part(i)) * std::abs(s));
            }) <= plane_tolerance<T>);
      CHECK(plane_distance(all_dr, [&](index k) {
              const auto i = std::size_t(k);
              return layout.used(i) ? std::pair(g(i), std::abs(g(i)) + part(i)) : unused;
            }) <= plane_tolerance<T>);
      std::vector<std::pair<double, double>> products(channels), totals(channels);
      for (std::size_t i = 0; i < layout.size(); ++i) {
        if (!layout.used(i)) continue;
        const auto c = std::size_t(layout.channel(i));
        const double product = (double(x[i]) - centre(c)) * g(i) * inverse(c);
        products[c].first += product, products[c].second += std::abs(product) + part(i) * inverse(c);
        totals[c].first += g(i), totals[c].second += std::abs(g(i)) + part(i);
      }
      CHECK(plane_distance(all_dscale, [&](index c) { return products[std::size_t(c)]; }) <= plane_tolerance<A>);
      if (norm)
        CHECK(plane_distance(all_dshift, [&](index c) { return totals[std::size_t(c)]; }) <= plane_tolerance<A>);

      const std::span<A> no_numbers;
      backward(layout.view(bdy), layout.none(), out(bdscale), no_numbers, layout.none());
      CHECK(bdscale.host() == all_dscale);
      backward(layout.view(bdy), layout.view(bdx), no_numbers, no_numbers, layout.none());
      CHECK(support::same_bytes(bdx.host().data(), all_dx.data(), layout.size() * sizeof(T)));
      backward(layout.view(bdy), layout.view(bdy), out(bdscale), out(bdshift), layout.view(bx));  // in place
      const auto by_x = bdy.host(), by_residual = bx.host();
      for (std::size_t i = 0; i < by_x.size(); ++i)
        if (layout.used(i))
          CHECK((support::same_bytes(&by_x[i], &all_dx[i], sizeof(T)) &&
                 support::same_bytes(&by_residual[i], &all_dr[i], sizeof(T))));
      CHECK(bdscale.host() == all_dscale);
    }
}

template <class Device, class T>
void channel_scales_of(std::vector<planes_shape> const& shapes) {
  for (const planes_shape s : shapes) {
    CAPTURE(s.images);
    CAPTURE(s.channels);
    CAPTURE(s.pixels());
    for (const bool norm : {false, true}) {
      CAPTURE(norm);
      scales_channels<Device, T>(channel_planes<T>{s}, norm);
      scales_channels<Device, T>(channel_rows<T>{s}, norm);
    }
  }
}

/// One number, few channels, many, more rows than are summed at once, planes of several runs, nothing.
template <class Device>
void channel_scales() {
  channel_scales_of<Device, float>(
      {{1, 1, 1, 1}, {2, 3, 3, 5}, {3, 41, 1, 2}, {1, 2, 41, 61}, {2, 16, 4, 4}, {0, 3, 2, 2}, {2, 0, 2, 2}});
  channel_scales_of<Device, double>({{2, 5, 3, 5}, {3, 37, 1, 2}});
  channel_scales_of<Device, typename Device::half>({{2, 5, 3, 7}, {3, 37, 1, 2}});
  channel_scales_of<Device, typename Device::bfloat16>({{2, 5, 3, 7}});
}

}  // namespace conformance
