// SPDX-License-Identifier: MIT
/// What every backend must answer for a softmax over branches, against loops in double written from the definitions.
#pragma once

#include <conformance/planes.hpp>

#include <span>

namespace conformance {

struct branches_shape {
  planes_shape of_y;
  int branches;
  index groups;
};
inline const std::vector<branches_shape> branch_shapes{
    {{1, 1, 1, 1}, 2, 1},   {{2, 3, 1, 1}, 3, 1}, {{3, 6, 7, 7}, 2, 3},   {{2, 4, 3, 5}, 4, 2},
    {{1, 2, 3, 11}, 8, 1},  {{2, 2, 8, 8}, 1, 1}, {{5, 67, 1, 3}, 2, 67}, {{1, 2, 41, 61}, 2, 1},
    {{2, 1, 64, 64}, 3, 1}, {{0, 3, 2, 2}, 2, 1}, {{2, 3, 0, 2}, 2, 1}};

/// The softmax of a plane, by column.
inline std::vector<double> branch_weights_of(branches_shape const& s, auto const& e) {
  std::vector<double> w(e.begin(), e.end());
  const index c = s.of_y.channels, per_group = c / s.groups;
  for (index row = 0; row < s.of_y.images; ++row)
    for (index k = 0; k < c; ++k) {
      const auto at = [&](int b) -> double& {
        return w[std::size_t(row * s.branches * c + k / per_group * s.branches * per_group + b * per_group +
                             k % per_group)];
      };
      double total = 0;
      for (int b = 0; b < s.branches; ++b) total += at(b) = std::exp(at(b));
      for (int b = 0; b < s.branches; ++b) at(b) /= total;
    }
  return w;
}

template <class Device, class T>
void selects_branches(branches_shape s) {
  using A = hone::accumulator_t<T>;
  const index n = s.of_y.images, c = s.of_y.channels, pixels = s.of_y.pixels(), all = s.branches * c,
              per_group = c / s.groups;
  const auto numbers = std::size_t(n * all * pixels);
  const auto x = plane_noise<T>(1, numbers), dy = plane_noise<T>(77, s.of_y.numbers());
  const auto e = plane_noise<A>(9, std::size_t(n * all));
  const auto w = branch_weights_of(s, e);
  const auto column = [&](index image, int b, index k) {
    return std::size_t(image * all + k / per_group * s.branches * per_group + b * per_group + k % per_group);
  };
  const auto at = [&](index image, int b, index k, index i) {
    return std::size_t(((image * s.branches + b) * c + k) * pixels + i);
  };
  const typename Device::template buffer<T> bx(x), bdy(dy), by(std::vector<T>(dy.size(), T(99.0f))),
      bdx(std::vector<T>(numbers, T(99.0f)));
  const typename Device::template buffer<A> be(e), bde(std::vector<A>(e.size(), A(99)));
  const hone::image_view<T> packed{bx.data(), n, all, pixels}, dpacked{bdx.data(), n, all, pixels},
      y{by.data(), n, c, pixels}, gradient{bdy.data(), n, c, pixels};
  const hone::matrix_view<A> of_e{be.data(), n, all}, of_de{bde.data(), n, all};
  const hone::branch_selection_options options{.groups = s.groups};
  Device::call([&](auto&& b) { hone::select_branches(b, packed, of_e, y, options); });
  CHECK(plane_distance(by.host(), [&](index i) {
          const index image = i / (c * pixels), k = i / pixels % c;
          double sum = 0, size = 0;
          for (int b = 0; b < s.branches; ++b) {
            const double part = w[column(image, b, k)] * double(x[at(image, b, k, i % pixels)]);
            sum += part, size += std::abs(part);
          }
          return std::pair(sum, size);
        }) <= plane_tolerance<T>);
  Device::call([&](auto&& b) { hone::select_branches_backward(b, packed, of_e, gradient, dpacked, of_de, options); });
  CHECK(plane_distance(bdx.host(), [&](index i) {
          const index image = i / (all * pixels), k = i / pixels % c;
          const int b = int(i / (c * pixels) % s.branches);
          const double by_x = w[column(image, b, k)] * double(dy[std::size_t((image * c + k) * pixels + i % pixels)]);
          return std::pair(by_x, std::abs(by_x));
        }) <= plane_tolerance<T>);
  std::vector<std::pair<double, double>> expected(e.size());
  for (index image = 0; image < n; ++image)
    for (index k = 0; k < c; ++k) {
      double mean = 0, size = 0, sums[8] = {};
      for (int b = 0; b < s.branches; ++b) {
        for (index i = 0; i < pixels; ++i) {
          const double part = double(x[at(image, b, k, i)]) * double(dy[std::size_t((image * c + k) * pixels + i)]);
          sums[b] += part, size += std::abs(part);
        }
        mean += w[column(image, b, k)] * sums[b];
      }
      for (int b = 0; b < s.branches; ++b)
        expected[column(image, b, k)] = {w[column(image, b, k)] * (sums[b] - mean), size};
    }
  CHECK(plane_distance(bde.host(), [&](index i) { return expected[std::size_t(i)]; }) <= plane_tolerance<A>);

  // branches as images of their own have the same bits, and so have outputs in place and alone
  std::vector<std::vector<T>> parts(std::size_t(s.branches), std::vector<T>(s.of_y.numbers()));
  for (index i = 0; i < index(numbers); ++i) {
    const index image = i / (all * pixels), b = i / (c * pixels) % s.branches;
    parts[std::size_t(b)][std::size_t(image * c * pixels + i % (c * pixels))] = x[std::size_t(i)];
  }
  std::vector<typename Device::template buffer<T>> apart;
  std::vector<hone::image_view<const T>> of_x;
  std::vector<hone::image_view<T>> of_dx;
  for (auto const& part : parts) apart.emplace_back(part);
  for (auto const& buffer : apart) {
    of_x.emplace_back(buffer.data(), n, c, pixels);
    of_dx.emplace_back(buffer.data(), n, c, pixels);
  }
  const auto first_y = by.host(), first_dx = bdx.host();
  const auto first_de = bde.host();
  const hone::matrix_view<A> none;
  const hone::image_view<T> no_image;
  Device::call([&](auto&& b) { hone::select_branches(b, std::span(std::as_const(of_x)), of_e, y, options); });
  CHECK(support::same_bytes(by.host().data(), first_y.data(), first_y.size() * sizeof(T)));
  Device::call([&](auto&& b) {
    hone::select_branches_backward(b, packed, of_e, gradient, dpacked, none, options);
    hone::select_branches_backward(b, packed, of_e, gradient, no_image, of_de, options);
  });
  CHECK(bde.host() == first_de);
  CHECK(support::same_bytes(bdx.host().data(), first_dx.data(), numbers * sizeof(T)));
  Device::call([&](auto&& b) {
    hone::select_branches_backward(b, std::span(std::as_const(of_x)), of_e, gradient, std::span(std::as_const(of_dx)),
                                   of_de, options);
    hone::select_branches_backward(b, packed, of_e, gradient, packed, of_e, options);  // in place
  });
  CHECK((bde.host() == first_de && be.host() == first_de));
  CHECK(support::same_bytes(bx.host().data(), first_dx.data(), numbers * sizeof(T)));
  for (index i = 0; i < index(numbers); ++i) {
    const index image = i / (all * pixels), b = i / (c * pixels) % s.branches;
    parts[std::size_t(b)][std::size_t(image * c * pixels + i % (c * pixels))] = first_dx[std::size_t(i)];
  }
  for (std::size_t b = 0; b < parts.size(); ++b)
    CHECK(support::same_bytes(apart[b].host().data(), parts[b].data(), parts[b].size() * sizeof(T)));
}

/// Numbers of ±∞ and NaN stay in their plane.
template <class Device>
void branches_at_the_edges() {
  const float inf = std::numeric_limits<float>::infinity();
  const index n = 5, c = 6;
  const std::vector<float> x(std::size_t(2 * c * n), 3), dy(std::size_t(c * n), 1), e {
    0,
    -inf,
    inf,
    -inf,
    std::nanf(""),
    1000,
    0,
    2,
    0,
    -inf,
    0,
    -1000
  };
  const typename Device::template buffer<float> bx(x), bdy(dy), by(dy), bdx(x), be(e), bde(e);
  const hone::image_view<float> packed{bx.data(), 1, 2 * c, n}, y{by.data(), 1, c, n}, dx{bdx.data(), 1, 2 * c, n},
      gradient{bdy.data(), 1, c, n};
  Device::call([&](auto&& b) {
    hone::select_branches(b, packed, {be.data(), 1, 2 * c}, y);
    hone::select_branches_backward(b, packed, {be.data(), 1, 2 * c}, gradient, dx, {bde.data(), 1, 2 * c});
  });
  const auto sum = by.host(), weight = bdx.host(), de = bde.host();
  for (index k = 0; k < c; ++k) {
    CAPTURE(k);
    const bool defined = k != 2 && k != 3 && k != 4;
    const auto first = std::size_t(k * n), second = std::size_t((c + k) * n);
    CHECK(std::isnan(sum[first]) == !defined);
    CHECK(std::isnan(weight[first]) == !defined);
    if (!defined) continue;
    CHECK((sum[first] == 3 && weight[first] + weight[second] == 1));
    CHECK(std::abs(de[std::size_t(k)]) < 1e-5f);
  }
  CHECK((weight[std::size_t(n)] == 0 && weight[std::size_t((c + 1) * n)] == 1));
  CHECK((weight[std::size_t(5 * n)] == 1 && weight[std::size_t((c + 5) * n)] == 0));
}

template <class Device, class T>
void branches_of(std::vector<branches_shape> const& shapes) {
  for (branches_shape const& s : shapes) {
    CAPTURE(s.of_y.images);
    CAPTURE(s.of_y.channels);
    CAPTURE(s.of_y.height);
    CAPTURE(s.branches);
    selects_branches<Device, T>(s);
  }
}

template <class Device>
void branches() {
  branches_of<Device, float>(branch_shapes);
  branches_of<Device, double>({{{3, 6, 7, 7}, 2, 3}, {{1, 2, 41, 61}, 3, 1}, {{2, 3, 1, 1}, 2, 1}});
  branches_of<Device, typename Device::half>({{{3, 6, 7, 7}, 2, 3}, {{1, 2, 41, 61}, 3, 1}, {{2, 3, 1, 1}, 2, 1}});
  branches_of<Device, typename Device::bfloat16>({{{3, 6, 7, 7}, 2, 3}, {{1, 2, 41, 61}, 3, 1}});
  branches_at_the_edges<Device>();
}

}  // namespace conformance
