// SPDX-License-Identifier: MIT
/// What every backend must answer for pools of planes, against loops in double: forward as a gather, backward as the
/// scatter of the same weights.
#pragma once

#include <hone/structure.hpp>

#include <conformance/planes.hpp>

#include <map>
#include <utility>
#include <vector>

namespace conformance {

/// The weights of one axis: weights[o][i] of place i in output o.
using pool_weights = std::vector<std::map<index, double>>;

inline pool_weights weights_of_axis(hone::average_pool_options o, index length, index count) {
  pool_weights all(static_cast<std::size_t>(count));
  for (index w = 0; w < count; ++w) {
    auto& of = all[std::size_t(w)];
    for (index i = w * o.stride; i < w * o.stride + o.size && i < length; ++i) of[i] = 1;
    for (auto& [place, weight] : of) weight /= static_cast<double>(of.size());
  }
  return all;
}
inline pool_weights weights_of_axis(hone::blur_pool_options o, index length, index count) {
  const double filters[7][7] = {
      {1}, {1, 1}, {1, 2, 1}, {1, 3, 3, 1}, {1, 4, 6, 4, 1}, {1, 5, 10, 10, 5, 1}, {1, 6, 15, 20, 15, 6, 1}};
  pool_weights all(static_cast<std::size_t>(count));
  const index padding = (o.stride - 1 + o.size - 1) / 2;
  for (index w = 0; w < count; ++w)
    for (index k = 0; k < o.size; ++k) {
      index i = w * o.stride - padding + k;
      while (length > 1 && (i < 0 || i >= length)) i = i < 0 ? -i : 2 * (length - 1) - i;
      all[std::size_t(w)][length > 1 ? i : 0] += filters[o.size - 1][k] / static_cast<double>(index(1) << (o.size - 1));
    }
  return all;
}

inline void pool(auto& backend, auto x, hone::plane_size size, auto y, hone::average_pool_options o, bool backward) {
  backward ? hone::average_pool_backward(backend, y, size, x, o) : hone::average_pool(backend, x, size, y, o);
}
inline void pool(auto& backend, auto x, hone::plane_size size, auto y, hone::blur_pool_options o, bool backward) {
  backward ? hone::blur_pool_backward(backend, y, size, x, o) : hone::blur_pool(backend, x, size, y, o);
}
inline hone::plane_size pool_size(hone::plane_size of, hone::average_pool_options o) {
  return hone::average_pool_size(of, o);
}
inline hone::plane_size pool_size(hone::plane_size of, hone::blur_pool_options o) {
  return hone::blur_pool_size(of, o);
}

template <class Device, class T, class Options>
void pools_planes(planes_shape s, Options options) {
  CAPTURE(s.height);
  CAPTURE(s.width);
  CAPTURE(options.size.value);
  CAPTURE(options.stride.value);
  const hone::plane_size size{s.height, s.width}, to = pool_size(size, options);
  const auto small = std::size_t(s.planes() * to.height * to.width);
  const auto of_x = plane_noise<T>(3, s.numbers()), of_dy = plane_noise<T>(5, small);
  const typename Device::template buffer<T> x(of_x), dy(of_dy), y(std::vector<T>(small, T(99.0f))),
      dx(std::vector<T>(s.numbers(), T(99.0f)));
  const auto large_view = [&](auto const& b) {
    return hone::image_view<T>{b.data(), s.images, s.channels, s.height, s.width};
  };
  const auto small_view = [&](auto const& b) {
    return hone::image_view<T>{b.data(), s.images, s.channels, to.height, to.width};
  };
  Device::call([&](auto&& b) { pool(b, large_view(x), size, small_view(y), options, false); });
  Device::call([&](auto&& b) { pool(b, large_view(dx), size, small_view(dy), options, true); });

  struct sum {
    double value = 0, size = 0;
  };
  std::vector<sum> right_y(small), right_dx(s.numbers());
  const pool_weights rows = weights_of_axis(options, s.height, to.height),
                     columns = weights_of_axis(options, s.width, to.width);
  for (index p = 0; p < s.planes(); ++p)
    for (index i = 0; i < to.height; ++i)
      for (index j = 0; j < to.width; ++j)
        for (auto const& [h, by_row] : rows[std::size_t(i)])
          for (auto const& [w, by_column] : columns[std::size_t(j)]) {
            const auto large = std::size_t(p * s.pixels() + h * s.width + w),
                       one = std::size_t((p * to.height + i) * to.width + j);
            const double by = by_row * by_column, share = by * double(of_x[large]), back = by * double(of_dy[one]);
            right_y[one].value += share, right_y[one].size += std::abs(share);
            right_dx[large].value += back, right_dx[large].size += std::abs(back);
          }
  const auto expected = [](std::vector<sum> const& of) {
    return [&of](index i) { return std::pair(of[std::size_t(i)].value, of[std::size_t(i)].size); };
  };
  CHECK(plane_distance(y.host(), expected(right_y)) <= plane_tolerance<T>);
  CHECK(plane_distance(dx.host(), expected(right_dx)) <= plane_tolerance<T>);
}

template <class Device, class T>
void pools_of(std::vector<planes_shape> const& shapes) {
  for (const planes_shape s : shapes) {
    for (const auto options : {hone::average_pool_options{}, {.size = 3, .stride = 1}, {.size = 2, .stride = 3}})
      pools_planes<Device, T>(s, options);
    for (const auto options : {hone::blur_pool_options{},
                               {.size = 5, .stride = 1},
                               {.size = 4},
                               {.size = 1, .stride = 3},
                               {.size = 6, .stride = 1},
                               {.size = 7, .stride = 5},
                               {.size = 2, .stride = 9}})
      pools_planes<Device, T>(s, options);
  }
}

/// One pixel, one row, planes smaller than the padding, odd sizes, rows of several packs, many planes, nothing.
template <class Device>
void pools() {
  pools_of<Device, float>({{1, 1, 1, 1},
                           {2, 3, 1, 2},
                           {1, 2, 2, 3},
                           {2, 1, 7, 4},
                           {1, 2, 9, 37},
                           {5, 41, 3, 2},
                           {0, 3, 2, 2},
                           {2, 0, 2, 2}});
  pools_of<Device, double>({{1, 2, 7, 9}, {2, 1, 1, 3}});
  pools_of<Device, typename Device::half>({{1, 2, 7, 21}, {1, 1, 2, 1}});
  pools_of<Device, typename Device::bfloat16>({{1, 2, 7, 21}});
}

}  // namespace conformance
