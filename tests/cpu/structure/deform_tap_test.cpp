// SPDX-License-Identifier: MIT
// The tap of a deformable convolution: its derivatives against dual numbers, its weights, and its place on an axis.
#include <hone/structure.hpp>

#include <doctest/doctest.h>
#include <support/dual.hpp>

#include <cmath>
#include <limits>

namespace {

using hone::deform_border;
using hone::detail::tap_corners;
using support::dual;

const double fractions[] = {0, 0x1p-40, 0.25, 1.0 / 3, 0.5, 0.9, 1 - 0x1p-40};

}  // namespace

TEST_CASE("the derivatives of a tap are those of dual numbers") {
  for (const double y : fractions)
    for (const double x : fractions) {
      const tap_corners<double> pixels{{1.25, -3, 0.7, 1e3}};
      const auto given = hone::detail::tap_of(pixels, y, x);
      const tap_corners<dual> same{{dual(1.25), dual(-3.0), dual(0.7), dual(1e3)}};
      const dual by_y = hone::detail::tap_of(same, dual(y, 1), dual(x)).value,
                 by_x = hone::detail::tap_of(same, dual(y), dual(x, 1)).value;
      CHECK(std::abs(given.value - by_y.v) <= 1e-12 * std::abs(by_y.v));
      CHECK(std::abs(given.by_y - by_y.d) <= 1e-12 * 1e3);
      CHECK(std::abs(given.by_x - by_x.d) <= 1e-12 * 1e3);

      const tap_corners<double> weights = hone::detail::tap_weights(y, x, 0.75);
      for (int i = 0; i < 4; ++i) {  // the weight of a pixel is the value's derivative by it, times the mask
        tap_corners<dual> pixel = same;
        pixel.at[i].d = 1;
        CHECK(std::abs(weights.at[i] - 0.75 * hone::detail::tap_of(pixel, dual(y), dual(x)).value.d) <= 1e-15);
      }
    }
}

TEST_CASE("a tap lies between the pixels around it, and outside from -1 and from the extent on") {
  constexpr hone::index extent = 7;
  const auto axis = [](hone::index base, double offset, deform_border border = deform_border::inward) {
    const auto a = hone::detail::tap_on_axis(base, offset, extent, border);
    return std::pair(a.low, a.fraction);
  };
  using place = std::pair<hone::index, double>;
  CHECK(axis(3, 0.25) == place(3, 0.25));
  CHECK(axis(3, -0.25) == place(2, 0.75));
  CHECK(axis(3, 2) == place(5, 0));
  CHECK(axis(0, -0.5) == place(-1, 0.5));
  CHECK(axis(6, 0.5) == place(6, 0.5));
  CHECK(axis(0, -1) == place(-1, 0));
  CHECK(axis(0, -1, deform_border::rightward) == place(-1, 0));
  CHECK(axis(0, -1, deform_border::none) == place(extent, 0));
  CHECK(axis(6, 1) == place(6, 1));
  CHECK(axis(6, 1, deform_border::rightward) == place(extent, 0));
  CHECK(axis(6, 1, deform_border::none) == place(extent, 0));
  CHECK(axis(0, -1.5) == place(extent, 0));
  CHECK(axis(6, 1.5) == place(extent, 0));
  CHECK(axis(hone::index(1) << 40, -double(hone::index(1) << 40) + 0.5) == place(0, 0.5));

  constexpr double inf = std::numeric_limits<double>::infinity();
  for (const double far : {1e18, 1e19, 1e300, inf})
    for (const double offset : {far, -far}) CHECK(axis(3, offset) == place(extent, 0));
  const auto nan = axis(3, std::numeric_limits<double>::quiet_NaN());
  CHECK(nan.first == extent);
  CHECK(std::isnan(nan.second));
}

TEST_CASE("the extent of an output counts the places of a dilated kernel") {
  CHECK(hone::conv_extent(7, 1, 1, 3, 1, 1) == 7);
  CHECK(hone::conv_extent(7, 1, 1, 3, 1, 2) == 4);
  CHECK(hone::conv_extent(7, 0, 1, 3, 2, 1) == 4);
  CHECK(hone::conv_extent(2, 0, 0, 3, 1, 1) == 0);
  CHECK(hone::conv_extent(0, 1, 1, 2, 1, 1) == 1);
  CHECK(hone::conv_extent(5, 0, 0, hone::index(1) << 40, hone::index(1) << 30, 1) == 0);
}
