// SPDX-License-Identifier: MIT
/// What every backend must answer for pixels with all their channels, against loops in double written from the
/// definitions.
#pragma once

#include <conformance/planes.hpp>

namespace conformance {

/// As plane_shapes, with planes of several tiles, and many channels.
inline const std::vector<planes_shape> pixel_shapes{{1, 1, 1, 1}, {2, 3, 1, 1}, {3, 5, 7, 7},   {2, 4, 3, 5},
                                                    {1, 2, 3, 1}, {2, 6, 8, 8}, {2, 67, 1, 11}, {1, 9, 41, 61},
                                                    {0, 3, 2, 2}, {2, 3, 0, 2}, {1, 130, 5, 5}};

template <class Device, class T>
void reduces_pixels(planes_shape s) {
  using A = hone::accumulator_t<T>;
  const index pixels = s.pixels(), all = s.images * pixels;
  const auto x = plane_noise<T>(3, s.numbers());
  const auto dout = plane_noise<A>(5, std::size_t(2 * all));
  const typename Device::template buffer<T> bx(x), bdx(std::vector<T>(s.numbers(), T(99.0f)));
  const typename Device::template buffer<A> out(std::vector<A>(std::size_t(2 * all), A(99))), bdout(dout),
      first(std::vector<A>(std::size_t(all), A(99)));
  const hone::image_view<const T> from{bx.data(), s.images, s.channels, pixels};
  const hone::matrix_view<A> which{first.data(), s.images, pixels};
  const auto at = [&](index image, index c, index i) {
    return static_cast<double>(x[std::size_t((image * s.channels + c) * pixels + i)]);
  };
  const auto first_maximum = [&](index image, index i) {
    index best = 0;
    for (index c = 1; c < s.channels; ++c)
      if (at(image, c, i) > at(image, best, i)) best = c;
    return best;
  };
  Device::call([&](auto&& b) { hone::reduce_pixels(b, from, {out.data(), s.images, 2, pixels}, which); });
  CHECK(plane_distance(out.host(), [&](index k) {
          const index image = k / (2 * pixels), i = k % pixels;
          if (k / pixels % 2 == 1) return std::pair(at(image, first_maximum(image, i), i), 0.0);
          double sum = 0, size = 0;
          for (index c = 0; c < s.channels; ++c) sum += at(image, c, i), size += std::abs(at(image, c, i));
          return std::pair(sum / double(s.channels), size / double(s.channels));
        }) <= plane_tolerance<A>);
  CHECK(plane_distance(first.host(),
                       [&](index k) { return std::pair(double(first_maximum(k / pixels, k % pixels)), 0.0); }) == 0);
  Device::call([&](auto&& b) {
    hone::reduce_pixels_backward(b, {bdout.data(), s.images, 2, pixels}, which,
                                 hone::image_view<T>{bdx.data(), s.images, s.channels, pixels});
  });
  CHECK(plane_distance(bdx.host(), [&](index k) {
          const index image = k / (s.channels * pixels), c = k / pixels % s.channels, i = k % pixels;
          const auto mean = std::size_t(2 * image * pixels + i);
          const double each = double(dout[mean]) / double(s.channels);
          const double more = c == first_maximum(image, i) ? double(dout[mean + std::size_t(pixels)]) : 0;
          return std::pair(each + more, std::abs(each) + std::abs(more));
        }) <= plane_tolerance<T>);
}

/// Forward and backward, every activation, with and without a residual, in place, and with the gradient of a reduction.
template <class Device, class T, class Gate>
void scales_pixels(planes_shape s, Gate gate) {
  using A = hone::accumulator_t<T>;
  const index pixels = s.pixels();
  const auto all = std::size_t(s.images * pixels);
  const auto x = plane_noise<T>(1, s.numbers()), r = plane_noise<T>(400, s.numbers()),
             dy = plane_noise<T>(77, s.numbers());
  const auto e = plane_noise<A>(9, all), dreduced = plane_noise<A>(13, 2 * all);
  std::vector<A> first(all);
  for (std::size_t i = 0; i < all; ++i) first[i] = A(index(i * 7 % 5) % s.channels);
  const auto image = [&](auto const& b) { return hone::image_view<T>{b.data(), s.images, s.channels, pixels}; };
  const auto matrix = [&](auto const& b) { return hone::matrix_view<A>{b.data(), s.images, pixels}; };
  const auto pixel = [&](index k) { return std::size_t(k / (s.channels * pixels) * pixels + k % pixels); };
  for (const bool residual : {false, true})
    for (const auto f : {hone::no_activation, hone::relu, hone::silu, hone::hard_swish}) {
      CAPTURE(residual);
      CAPTURE(int(f));
      const std::vector<T> poison(s.numbers(), T(99.0f));
      const typename Device::template buffer<T> bx(x), br(r), bdy(dy), by(poison), bdx(poison), bdr(poison), place(x);
      const typename Device::template buffer<A> be(e), bfirst(first), bdreduced(dreduced),
          bde(std::vector<A>(all, A(99)));
      const auto rest = residual ? hone::image_view<const T>(image(br)) : hone::image_view<const T>();
      const auto u = [&](index k) {
        return double(x[std::size_t(k)]) * gate_of(gate, double(e[pixel(k)])).value +
               (residual ? double(r[std::size_t(k)]) : 0);
      };
      const auto g = [&](index k) { return double(dy[std::size_t(k)]) * activation_of(f, u(k)).slope; };
      Device::call([&](auto&& b) {
        hone::scale_pixels(b, gate, image(bx), matrix(be), image(by), {.residual = rest, .activation = f});
        hone::scale_pixels(b, gate, image(place), matrix(be), image(place), {.residual = rest, .activation = f});
      });
      CHECK(plane_distance(by.host(), [&](index k) {
              return std::pair(activation_of(f, u(k)).value, std::abs(u(k)) + 4);
            }) <= plane_tolerance<T>);
      CHECK(support::same_bytes(place.host().data(), by.host().data(), s.numbers() * sizeof(T)));

      const auto backward = [&](auto dx, auto de, auto dresidual, bool reduced) {
        Device::call([&](auto&& b) {
          hone::pixel_scale_backward_options<T> options{rest, f, dresidual, {}, {}};
          if (reduced) {
            options.dreduced = {bdreduced.data(), s.images, 2, pixels};
            options.first = matrix(bfirst);
          }
          hone::scale_pixels_backward(b, gate, image(bx), matrix(be), image(bdy), dx, de, options);
        });
      };
      const hone::image_view<T> no_image;
      const hone::matrix_view<A> no_numbers;
      backward(image(bdx), matrix(bde), image(bdr), true);
      CHECK(plane_distance(bdx.host(), [&](index k) {
              const std::size_t p = pixel(k), i = std::size_t(k % pixels),
                                mean = std::size_t(2 * pixels) * (p / std::size_t(pixels)) + i;
              const double by_x = g(k) * gate_of(gate, double(e[p])).value;
              const bool largest = double(first[p]) == double(k / pixels % s.channels);
              return std::pair(by_x + double(dreduced[mean]) / double(s.channels) +
                                   (largest ? double(dreduced[mean + std::size_t(pixels)]) : 0),
                               std::abs(by_x) + 8);
            }) <= plane_tolerance<T>);
      CHECK(plane_distance(bdr.host(), [&](index k) { return std::pair(g(k), std::abs(g(k)) + 4); }) <=
            plane_tolerance<T>);
      CHECK(plane_distance(bde.host(), [&](index p) {
              double sum = 0, size = 0;
              for (index c = 0; c < s.channels; ++c) {
                const index k = (p / pixels * s.channels + c) * pixels + p % pixels;
                sum += double(x[std::size_t(k)]) * g(k), size += std::abs(double(x[std::size_t(k)]) * g(k)) + 1e-2;
              }
              const double slope = gate_of(gate, double(e[std::size_t(p)])).slope;
              return std::pair(sum * slope, size * slope);
            }) <= plane_tolerance<A>);
      const auto all_dx = bdx.host(), all_dr = bdr.host();
      const auto all_de = bde.host();
      backward(image(bdx), no_numbers, no_image, true);
      CHECK(support::same_bytes(bdx.host().data(), all_dx.data(), s.numbers() * sizeof(T)));
      backward(no_image, matrix(bde), image(bdr), false);
      CHECK(bde.host() == all_de);
      CHECK(support::same_bytes(bdr.host().data(), all_dr.data(), s.numbers() * sizeof(T)));
      backward(image(bdy), matrix(be), image(bx), true);  // in place: dx on dy, de on e, dresidual on x
      CHECK(support::same_bytes(bdy.host().data(), all_dx.data(), s.numbers() * sizeof(T)));
      CHECK(support::same_bytes(bx.host().data(), all_dr.data(), s.numbers() * sizeof(T)));
      CHECK(be.host() == all_de);
    }
}

/// NaN and infinities of a pixel stay in it, and a derivative of 0 removes any dy.
template <class Device>
void pixels_at_the_edges() {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  const index n = 19, channels = 3;
  std::vector<float> x(std::size_t(channels * n), 1), dy(x.size(), 1), e(std::size_t(n), 0);
  const auto at = [&](index c, index i) -> float& { return x[std::size_t(c * n + i)]; };
  at(1, 3) = nan, at(0, 3) = inf, at(2, 3) = inf;         // NaN after an infinity, and before one
  at(2, 5) = inf, at(0, 6) = at(1, 6) = at(2, 6) = -inf;  // infinities
  at(1, 18) = at(2, 18) = 2, e[7] = -inf, dy[7] = inf;    // the first of equal numbers; a gate without a slope
  const typename Device::template buffer<float> bx(x), bdy(dy), by(x), bdx(x), be(e), bde(e), first(e),
      out(std::vector<float>(std::size_t(2 * n)));
  const auto image = [&](auto const& b) { return hone::image_view<float>{b.data(), 1, channels, n}; };
  const auto matrix = [&](auto const& b) { return hone::matrix_view<float>{b.data(), 1, n}; };
  Device::call([&](auto&& b) {
    hone::reduce_pixels(b, image(bx), {out.data(), 1, 2, n}, matrix(first));
    hone::scale_pixels(b, hone::sigmoid_gate, image(bx), matrix(be), image(by), {.activation = hone::relu});
    hone::scale_pixels_backward(b, hone::sigmoid_gate, image(bx), matrix(be), image(bdy), image(bdx), matrix(bde),
                                {.activation = hone::relu});
  });
  const auto reduced = out.host(), which = first.host(), y = by.host(), dx = bdx.host(), de = bde.host();
  CHECK((std::isnan(reduced[3]) && std::isnan(reduced[std::size_t(n) + 3]) && which[3] == 1));
  CHECK((reduced[5] == inf && reduced[std::size_t(n) + 5] == inf && which[5] == 2));
  CHECK((reduced[6] == -inf && reduced[std::size_t(n) + 6] == -inf && which[6] == 0));
  CHECK((reduced[4] == 1 && reduced[std::size_t(n) + 18] == 2 && which[18] == 1 && which[4] == 0));
  CHECK((std::isnan(y[std::size_t(n) + 3]) && !std::isnan(y[std::size_t(n) + 2]) && y[std::size_t(2 * n) + 5] == inf));
  CHECK((y[6] == 0 && dx[6] == 0 && y[7] == 0 && dx[7] == 0 && de[7] == 0));
}

template <class Device, class T>
void pixels_of(std::vector<planes_shape> const& shapes) {
  for (const planes_shape s : shapes) {
    CAPTURE(s.images);
    CAPTURE(s.channels);
    CAPTURE(s.height);
    CAPTURE(s.width);
    reduces_pixels<Device, T>(s);
    scales_pixels<Device, T>(s, hone::sigmoid_gate);
    scales_pixels<Device, T>(s, hone::identity_gate);
  }
}

template <class Device>
void pixels() {
  pixels_of<Device, float>(pixel_shapes);
  pixels_of<Device, double>({{3, 5, 7, 7}, {1, 9, 41, 61}, {2, 3, 1, 1}});
  pixels_of<Device, typename Device::half>({{3, 5, 7, 7}, {1, 9, 41, 61}, {2, 3, 1, 1}});
  pixels_of<Device, typename Device::bfloat16>({{3, 5, 7, 7}, {1, 9, 41, 61}});
  pixels_at_the_edges<Device>();
}

}  // namespace conformance
