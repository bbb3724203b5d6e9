// SPDX-License-Identifier: MIT
/// What every backend must answer for planes, against loops in double written from the definitions.
#pragma once

#include <hone/structure.hpp>

#include <conformance/batch.hpp>
#include <support/numbers.hpp>
#include <support/same_bytes.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace conformance {

struct planes_shape {
  index images, channels, height, width;

  index planes() const { return images * channels; }
  index pixels() const { return height * width; }
  std::size_t numbers() const { return std::size_t(planes() * pixels()); }
};

/// Odd sizes, one pixel, fewer pixels than lanes, many small planes, a plane of several runs, nothing.
inline const std::vector<planes_shape> plane_shapes{{1, 1, 1, 1},   {2, 3, 1, 1}, {3, 5, 7, 7},  {2, 3, 3, 5},
                                                    {1, 2, 3, 11},  {2, 2, 8, 8}, {5, 67, 1, 3}, {1, 2, 41, 61},
                                                    {2, 1, 64, 64}, {0, 3, 2, 2}, {2, 0, 2, 2}};

struct slope_of {
  double value, slope;
};
inline double logistic_of(double x) { return 1 / (1 + std::exp(-x)); }
inline slope_of gate_of(hone::identity_gate_formula, double e) { return {e, 1}; }
inline slope_of gate_of(hone::sigmoid_gate_formula, double e) {
  const double p = logistic_of(e);
  return {p, p * (1 - p)};
}
inline slope_of gate_of(hone::hard_sigmoid_gate_formula, double e) {
  return {std::clamp((e + 3) / 6, 0.0, 1.0), e > -3 && e < 3 ? 1.0 / 6 : 0};
}
inline slope_of activation_of(hone::activation_function f, double u) {
  const double p = logistic_of(u);
  switch (f) {
    case hone::relu:
      return {u > 0 ? u : 0, u > 0 ? 1.0 : 0};
    case hone::silu:
      return {u * p, p + u * p * (1 - p)};
    case hone::hard_swish:
      return {u * std::clamp((u + 3) / 6, 0.0, 1.0), u <= -3 ? 0 : u >= 3 ? 1 : u / 3 + 0.5};
    default:
      return {u, 1};
  }
}

template <class T>
std::vector<T> plane_noise(index from, std::size_t count) {
  std::vector<T> x;
  for (const double n : support::noise(from, index(count))) x.push_back(static_cast<T>(static_cast<float>(n)));
  return x;
}

/// The largest distance, relative to `scale` of each number.
template <class T, class Expected>
double plane_distance(std::vector<T> const& seen, Expected const& expected) {
  double worst = 0;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const auto [value, scale] = expected(index(i));
    const double d = std::abs(static_cast<double>(seen[i]) - value) / (scale + 1e-3);
    worst = d <= worst ? worst : std::isnan(d) ? 1e300 : d;
  }
  return worst;
}
/// Numbers of T are exact to half a unit; sums in float lose a few units of Σ |x dy|.
template <class T>
inline constexpr double plane_tolerance = sizeof(T) == 8   ? 1e-13
                                          : sizeof(T) == 4 ? 4e-6
                                                           : 8e-3;

template <class Device, class T>
void reduces_planes(planes_shape s) {
  using A = hone::accumulator_t<T>;
  const auto x = plane_noise<T>(3, s.numbers());
  const auto dout = plane_noise<A>(5, std::size_t(s.planes()));
  const typename Device::template buffer<T> device_x(x), dx(std::vector<T>(s.numbers(), T(99.0f)));
  const typename Device::template buffer<A> out(std::vector<A>(std::size_t(s.planes()), A(99))), device_dout(dout);
  const hone::image_view<const T> from{device_x.data(), s.images, s.channels, s.height, s.width};
  const hone::image_view<T> to{dx.data(), s.images, s.channels, s.height, s.width};
  const hone::matrix_view<A> numbers{out.data(), s.images, s.channels};
  const hone::matrix_view<const A> gradient{device_dout.data(), s.images, s.channels};
  const auto at = [&](index p, index i) { return static_cast<double>(x[std::size_t(p * s.pixels() + i)]); };
  const auto first_maximum = [&](index p) {
    index best = 0;
    for (index i = 1; i < s.pixels(); ++i)
      if (at(p, i) > at(p, best)) best = i;
    return best;
  };
  Device::call([&](auto&& backend) { hone::reduce_planes(backend, hone::plane_mean, from, numbers); });
  CHECK(plane_distance(out.host(), [&](index p) {
          double sum = 0, size = 0;
          for (index i = 0; i < s.pixels(); ++i) sum += at(p, i), size += std::abs(at(p, i));
          return std::pair(sum / double(s.pixels()), size / double(s.pixels()));
        }) <= plane_tolerance<A>);
  Device::call([&](auto&& backend) { hone::reduce_planes_backward(backend, hone::plane_mean, {}, gradient, to); });
  CHECK(plane_distance(dx.host(), [&](index i) {
          const double each = double(dout[std::size_t(i / s.pixels())]) / double(s.pixels());
          return std::pair(each, std::abs(each));
        }) <= plane_tolerance<T>);
  Device::call([&](auto&& backend) { hone::reduce_planes(backend, hone::plane_max, from, numbers); });
  CHECK(plane_distance(out.host(), [&](index p) { return std::pair(at(p, first_maximum(p)), 0.0); }) == 0);
  Device::call([&](auto&& backend) { hone::reduce_planes_backward(backend, hone::plane_max, from, gradient, to); });
  CHECK(plane_distance(dx.host(), [&](index i) {
          const index p = i / s.pixels();
          const double g = i % s.pixels() == first_maximum(p) ? double(dout[std::size_t(p)]) : 0;
          return std::pair(g, std::abs(g));
        }) <= plane_tolerance<T>);
}

/// Forward and backward, every activation, with and without a residual, and in place.
template <class Device, class T, class Gate>
void scales_planes(planes_shape s, Gate gate) {
  using A = hone::accumulator_t<T>;
  const auto x = plane_noise<T>(1, s.numbers()), r = plane_noise<T>(400, s.numbers()),
             dy = plane_noise<T>(77, s.numbers());
  const auto e = plane_noise<A>(9, std::size_t(s.planes())), more = plane_noise<A>(13, std::size_t(s.planes()));
  const auto image = [&](auto const& b) {
    return hone::image_view<T>{b.data(), s.images, s.channels, s.height, s.width};
  };
  const auto matrix = [&](auto const& b) { return hone::matrix_view<A>{b.data(), s.images, s.channels}; };
  for (const bool residual : {false, true})
    for (const auto f : {hone::no_activation, hone::relu, hone::silu, hone::hard_swish}) {
      CAPTURE(residual);
      CAPTURE(int(f));
      const std::vector<T> poison(s.numbers(), T(99.0f));
      const typename Device::template buffer<T> bx(x), br(r), bdy(dy), by(poison), bdx(poison), bdr(poison), place(x);
      const typename Device::template buffer<A> be(e), bmore(more), bde(std::vector<A>(std::size_t(s.planes()), A(99)));
      const auto rest = residual ? hone::image_view<const T>(image(br)) : hone::image_view<const T>();
      const auto u = [&](index i) {
        const auto k = std::size_t(i);
        return double(x[k]) * gate_of(gate, double(e[std::size_t(i / s.pixels())])).value +
               (residual ? double(r[k]) : 0);
      };
      const auto g = [&](index i) { return double(dy[std::size_t(i)]) * activation_of(f, u(i)).slope; };

      Device::call([&](auto&& b) {
        hone::scale_planes(b, gate, image(bx), matrix(be), image(by), {.residual = rest, .activation = f});
      });
      CHECK(plane_distance(by.host(), [&](index i) {
              return std::pair(activation_of(f, u(i)).value, std::abs(u(i)) + 4);
            }) <= plane_tolerance<T>);
      Device::call([&](auto&& b) {
        hone::scale_planes(b, gate, image(place), matrix(be), image(place), {.residual = rest, .activation = f});
      });
      CHECK(support::same_bytes(place.host().data(), by.host().data(), s.numbers() * sizeof(T)));

      const auto backward = [&](auto dx, auto de, auto dresidual) {
        Device::call([&](auto&& b) {
          hone::scale_planes_backward(
              b, gate, image(bx), matrix(be), image(bdy), dx, de,
              {.residual = rest, .activation = f, .dresidual = dresidual, .added = matrix(bmore)});
        });
      };
      const hone::image_view<T> no_image;
      const hone::matrix_view<A> no_numbers;
      const auto right_dx = [&] {
        return plane_distance(bdx.host(), [&](index i) {
                 const auto p = std::size_t(i / s.pixels());
                 const double by_x = g(i) * gate_of(gate, double(e[p])).value;
                 return std::pair(by_x + double(more[p]), std::abs(by_x) + 4);
               }) <= plane_tolerance<T>;
      };
      const auto right_de = [&] {
        return plane_distance(bde.host(), [&](index p) {
                 double sum = 0, size = 0;
                 for (index i = p * s.pixels(); i < (p + 1) * s.pixels(); ++i) {
                   const auto k = std::size_t(i);
                   sum += double(x[k]) * g(i), size += std::abs(double(x[k]) * double(dy[k]));
                 }
                 const double slope = gate_of(gate, double(e[std::size_t(p)])).slope;
                 return std::pair(sum * slope, size * slope);
               }) <= plane_tolerance<A>;
      };
      const auto right_dr = [&] {
        return plane_distance(bdr.host(), [&](index i) { return std::pair(g(i), std::abs(g(i)) + 4); }) <=
               plane_tolerance<T>;
      };
      backward(image(bdx), matrix(bde), image(bdr));
      CHECK((right_dx() && right_de() && right_dr()));
      const auto all_dx = bdx.host(), all_dr = bdr.host();
      const auto all_de = bde.host();
      backward(image(bdx), no_numbers, no_image);
      CHECK(support::same_bytes(bdx.host().data(), all_dx.data(), s.numbers() * sizeof(T)));
      backward(no_image, matrix(bde), image(bdr));
      CHECK(bde.host() == all_de);
      CHECK(support::same_bytes(bdr.host().data(), all_dr.data(), s.numbers() * sizeof(T)));
      backward(image(bdy), matrix(be), image(bx));  // in place: dx on dy, de on e, dresidual on x
      CHECK(support::same_bytes(bdy.host().data(), all_dx.data(), s.numbers() * sizeof(T)));
      CHECK(support::same_bytes(bx.host().data(), all_dr.data(), s.numbers() * sizeof(T)));
      CHECK(be.host() == all_de);
    }
}

template <class Device, class T>
void planes_of(std::vector<planes_shape> const& shapes) {
  for (const planes_shape s : shapes) {
    CAPTURE(s.images);
    CAPTURE(s.channels);
    CAPTURE(s.height);
    CAPTURE(s.width);
    reduces_planes<Device, T>(s);
    scales_planes<Device, T>(s, hone::sigmoid_gate);
    scales_planes<Device, T>(s, hone::hard_sigmoid_gate);
    scales_planes<Device, T>(s, hone::identity_gate);
  }
}

/// NaN and infinities of a plane stay in it, and a derivative of 0 removes any dy.
template <class Device>
void planes_at_the_edges() {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  const index n = 19;
  std::vector<float> x(std::size_t(4 * n), 1), dy(x.size(), 1);
  x[3] = nan, x[std::size_t(n) + 18] = inf, x[std::size_t(2 * n)] = -inf, dy[std::size_t(2 * n)] = inf;
  const std::vector<float> e{0, 0, 0, -inf}, ones(4, 1);
  const typename Device::template buffer<float> bx(x), bdy(dy), by(x), bdx(x), be(e), bde(e), out(e), dout(ones);
  const auto image = [&](auto const& b) { return hone::image_view<float>{b.data(), 1, 4, n}; };
  const auto matrix = [&](auto const& b) { return hone::matrix_view<float>{b.data(), 1, 4}; };
  Device::call([&](auto&& b) { hone::reduce_planes(b, hone::plane_mean, image(bx), matrix(out)); });
  const auto mean = out.host();
  CHECK((std::isnan(mean[0]) && mean[1] == inf && mean[2] == -inf && mean[3] == 1));
  Device::call([&](auto&& b) { hone::reduce_planes(b, hone::plane_max, image(bx), matrix(out)); });
  const auto largest = out.host();
  CHECK((std::isnan(largest[0]) && largest[1] == inf && largest[2] == 1 && largest[3] == 1));
  Device::call(
      [&](auto&& b) { hone::reduce_planes_backward(b, hone::plane_max, image(bx), matrix(dout), image(bdx)); });
  const auto marked = bdx.host();
  for (index i = 0; i < 4 * n; ++i)  // the first NaN, the infinity, the first of equal numbers
    CHECK(marked[std::size_t(i)] == (i == 3 || i == n + 18 || i == 2 * n + 1 || i == 3 * n ? 1.0f : 0.0f));
  for (const auto f : {hone::relu, hone::silu, hone::hard_swish}) {
    CAPTURE(int(f));
    Device::call([&](auto&& b) {
      hone::scale_planes(b, hone::sigmoid_gate, image(bx), matrix(be), image(by), {.activation = f});
      hone::scale_planes_backward(b, hone::sigmoid_gate, image(bx), matrix(be), image(bdy), image(bdx), matrix(bde),
                                  {.activation = f});
    });
    const auto y = by.host(), dx = bdx.host();
    CHECK((std::isnan(y[3]) && !std::isnan(y[2]) && !std::isnan(y[4])));
    CHECK((y[std::size_t(n) + 18] == inf && dx[std::size_t(n) + 18] == 0.5f));
    CHECK((y[std::size_t(2 * n)] == 0 && dx[std::size_t(2 * n)] == 0));  // -inf, with an infinite dy
    CHECK((y[std::size_t(3 * n)] == 0 && dx[std::size_t(3 * n)] == 0 && bde.host()[3] == 0));
  }
}

template <class Device>
void planes() {
  planes_of<Device, float>(plane_shapes);
  planes_of<Device, double>({{3, 5, 7, 7}, {1, 2, 41, 61}, {2, 3, 1, 1}});
  planes_of<Device, typename Device::half>({{3, 5, 7, 7}, {1, 2, 41, 61}, {2, 3, 1, 1}, {5, 67, 1, 3}});
  planes_of<Device, typename Device::bfloat16>({{3, 5, 7, 7}, {1, 2, 41, 61}});
  planes_at_the_edges<Device>();
}

}  // namespace conformance
