// SPDX-License-Identifier: MIT
#include <hone/adapt/layout/strides.hpp>

#include <doctest/doctest.h>

#include <array>

namespace {

using hone::index;

float numbers[1] = {};
hone::detail::strided_matrix<float> matrix(index rows, index columns, index row_stride, index column_stride) {
  return {numbers, rows, columns, row_stride, column_stride};
}

template <std::size_t N>
auto view(std::array<index, N> sizes, std::array<index, N> strides) {
  return hone::detail::view_from_strides(numbers, std::span<const index>(sizes), std::span<const index>(strides));
}

using matrix_view = hone::matrix_view<float>;
using image_view = hone::image_view<float>;

}  // namespace

TEST_CASE("a matrix is row-major, column-major or neither") {
  const auto of = [](auto... x) { return hone::detail::view_from_strides(matrix(x...)); };
  CHECK(of(4, 3, 3, 1).matrix == matrix_view{numbers, 4, 3});
  CHECK_FALSE(of(4, 3, 3, 1).image);
  CHECK(of(4, 3, 8, 1).matrix == matrix_view{numbers, 4, 3, 8});
  CHECK(of(4, 3, 1, 4).image == image_view{numbers, 1, 3, 4});
  CHECK_FALSE(of(4, 3, 1, 4).matrix);
  CHECK_FALSE(of(4, 3, 1, 5).image);  // columns with padding
  CHECK_FALSE(of(4, 3, 1, 5).matrix);
  CHECK_FALSE(of(4, 3, 6, 2).matrix);  // every other column
  CHECK_FALSE(of(4, 3, 0, 1).matrix);  // one row, repeated
  CHECK_FALSE(of(4, 3, 2, 1).matrix);  // windows that overlap
  CHECK_FALSE(of(4, 3, -3, 1).matrix);
  CHECK_FALSE(of(4, 3, 3, 0).matrix);
  CHECK_FALSE(of(4, 3, 3, -1).matrix);
}

TEST_CASE("strides of sizes of 0 and 1 do not count") {
  const auto of = [](auto... x) { return hone::detail::view_from_strides(matrix(x...)); };
  CHECK(of(1, 3, 77, 1).matrix == matrix_view{numbers, 1, 3});
  CHECK(of(1, 3, 77, 1).image == image_view{numbers, 1, 3, 1});
  CHECK(of(4, 1, 7, 99).matrix == matrix_view{numbers, 4, 1, 7});
  CHECK_FALSE(of(4, 1, 7, 99).image);
  CHECK(of(4, 1, 1, 99).image == image_view{numbers, 1, 1, 4});
  CHECK(of(0, 3, -7, 5).matrix == matrix_view{numbers, 0, 3});
  CHECK(of(4, 0, 9, 9).matrix == matrix_view{numbers, 4, 0});
  CHECK(of(0, 3, -7, 5).image == image_view{numbers, 1, 3, 0});
}

TEST_CASE("images lie as N x C x H x W or with channels last") {
  CHECK(view<4>({2, 3, 4, 5}, {60, 20, 5, 1}).image == image_view{numbers, 2, 3, 4, 5});
  CHECK_FALSE(view<4>({2, 3, 4, 5}, {60, 20, 5, 1}).matrix);
  CHECK(view<4>({2, 3, 4, 5}, {60, 1, 15, 3}).matrix == matrix_view{numbers, 40, 3});
  CHECK_FALSE(view<4>({2, 3, 4, 5}, {60, 1, 15, 3}).image);
  CHECK(view<4>({2, 3, 4, 5}, {80, 1, 20, 4}).matrix == matrix_view{numbers, 40, 3, 4});  // of four channels
  CHECK(view<5>({2, 3, 4, 5, 6}, {360, 120, 30, 6, 1}).image == image_view{numbers, 2, 3, 120});
  CHECK(view<3>({2, 3, 7}, {21, 7, 1}).image == image_view{numbers, 2, 3, 7});
  CHECK(view<2>({2, 3}, {3, 1}).matrix == matrix_view{numbers, 2, 3});
  CHECK(view<4>({2, 3, 1, 1}, {3, 1, 99, 99}).matrix == matrix_view{numbers, 2, 3});
  CHECK(view<4>({2, 3, 1, 1}, {3, 1, 99, 99}).image == image_view{numbers, 2, 3, 1});
  CHECK(view<4>({2, 1, 4, 5}, {20, 99, 5, 1}).image == image_view{numbers, 2, 1, 20});
  CHECK(view<4>({2, 1, 4, 5}, {20, 99, 5, 1}).matrix == matrix_view{numbers, 40, 1});
  CHECK(view<4>({1, 3, 4, 5}, {99, 20, 5, 1}).image == image_view{numbers, 1, 3, 20});
}

TEST_CASE("images with other strides have no view") {
  const auto none = [](auto const& views) { return !views.matrix && !views.image; };
  CHECK(none(view<4>({2, 3, 4, 5}, {60, 20, 1, 4})));    // H and W exchanged: the pixels would be in another order
  CHECK(none(view<4>({2, 3, 4, 5}, {120, 40, 10, 1})));  // a crop
  CHECK(none(view<4>({2, 3, 4, 5}, {20, 40, 5, 1})));    // C x N x H x W
  CHECK(none(view<4>({2, 3, 4, 5}, {0, 20, 5, 1})));     // one image, repeated
  CHECK(none(view<4>({2, 3, 4, 5}, {60, 20, 0, 0})));
  CHECK(none(view<4>({2, 3, 4, 5}, {-60, -20, -5, -1})));
  CHECK(none(view<4>({2, 3, 4, 5}, {100, 1, 15, 3})));  // channels last, images apart
  CHECK(none(view<1>({3}, {1})));
  CHECK(none(view<4>({2, 3, 4, 5}, {60, 20, 5, INT64_MAX})));
}

TEST_CASE("images of nothing have every view") {
  CHECK(view<4>({0, 3, 4, 5}, {7, 7, 7, 7}).image == image_view{numbers, 0, 3, 20});
  CHECK(view<4>({2, 3, 0, 5}, {7, 7, 7, 7}).image == image_view{numbers, 2, 3, 0});
  CHECK(view<4>({2, 0, 4, 5}, {7, 7, 7, 7}).matrix == matrix_view{numbers, 40, 0});
}
