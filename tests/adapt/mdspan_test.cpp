// SPDX-License-Identifier: MIT
#include <hone/adapt/mdspan.hpp>

#include <hone/hone.hpp>
#include "../support/message.hpp"
#include "../support/numbers.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <type_traits>
#include <vector>
#include <version>

#if __has_include(<mdspan>)
#include <mdspan>
#endif

namespace {

using hone::adapt::channels_last_pixels_of;
using hone::adapt::column_major_rows_of;
using hone::adapt::columns_of;
using hone::adapt::labels_of;
using hone::adapt::pixels_of;
using hone::adapt::rows_of;
using hone::adapt::tensor_of;
using hone::adapt::visit_pixels;
using hone::adapt::visit_rows;
using support::message;

/// What std::mdspan looks like to an adapter.
template <std::size_t... Sizes>
struct extents {
  static constexpr std::size_t given[] = {Sizes...};
  static constexpr std::size_t static_extent(std::size_t k) { return given[k]; }

  constexpr explicit extents(std::convertible_to<std::size_t> auto... n) : size{std::size_t(n)...} {}
  std::array<std::size_t, sizeof...(Sizes)> size;
};
constexpr std::size_t any = std::size_t(-1);

/// layout_right or layout_left.
template <class Extents, bool Right>
struct packed {
  using extents_type = Extents;

  constexpr packed(Extents const& e) : of(e) {}
  constexpr std::size_t stride(std::size_t k) const {
    std::size_t all = 1;
    for (std::size_t i = 0; i < of.size.size(); ++i)
      if (Right ? i > k : i < k) all *= of.size[i];
    return all;
  }
  Extents of;
};
/// layout_stride: it takes its strides, too.
template <class Extents>
struct strided {
  using extents_type = Extents;
  using strides_type = std::array<std::size_t, std::size(Extents::given)>;

  constexpr strided(Extents const& e, strides_type const& s) : of(e), steps(s) {}
  constexpr std::size_t stride(std::size_t k) const { return steps[k]; }
  Extents of;
  strides_type steps;
};

template <class T, class Mapping>
struct span_of {
  using mapping_type = Mapping;

  static constexpr std::size_t rank() { return std::size(Mapping::extents_type::given); }
  T* const& data_handle() const { return data; }
  std::size_t extent(std::size_t k) const { return mapping.of.size[k]; }
  std::size_t stride(std::size_t k) const { return mapping.stride(k); }

  T* data;
  Mapping mapping;
};

template <class T>
auto right(T* data, auto... n) {
  using e = extents<(static_cast<void>(n), any)...>;
  return span_of<T, packed<e, true>>{data, e(n...)};
}
template <class T>
auto left(T* data, auto... n) {
  using e = extents<(static_cast<void>(n), any)...>;
  return span_of<T, packed<e, false>>{data, e(n...)};
}
template <class T, std::size_t N>
auto steps(T* data, std::array<std::size_t, N> const& s, auto... n) {
  using e = extents<(static_cast<void>(n), any)...>;
  return span_of<T, strided<e>>{data, {e(n...), s}};
}

const hone::cpu cpu{1};
constexpr hone::index rows = 37, classes = 10;

std::vector<float> logits() {
  const std::vector<double> z = support::noise(0, rows * classes);
  std::vector<float> x;
  x.reserve(z.size());
  for (const double number : z) x.push_back(float(number));
  return x;
}

/// Checks every layout of a matrix of this kind: value and gradient are those of a bare row-major view.
template <class Right, class Left, class Strided>
void check_layouts(Right make_right, Left make_left, Strided make_strided) {
  std::vector<float> z = logits(), across(z.size()), gradient(z.size()), slopes(z.size()), expected(z.size());
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t k = 0; k < classes; ++k) across[k * rows + i] = z[i * classes + k];
  const std::vector<int> y = support::labels(rows, classes);
  const auto objective = hone::cross_entropy(hone::smooth(hone::classes(y), 0.1));
  const double value = hone::evaluate(cpu, objective, hone::matrix_view{z.data(), rows, classes},
                                      {.gradient = {expected.data(), rows, classes}});

  CHECK(hone::evaluate(cpu, objective, rows_of(make_right(z.data())),
                       {.gradient = rows_of(make_right(gradient.data()))}) == value);
  CHECK(gradient == expected);
  CHECK(hone::evaluate(cpu, objective, rows_of(make_left(across.data())),
                       {.gradient = rows_of(make_left(slopes.data()))}) == doctest::Approx(value).epsilon(1e-6));
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t k = 0; k < classes; ++k) CHECK(std::abs(slopes[k * rows + i] - expected[i * classes + k]) < 1e-7F);

  const auto on = [&](auto view) { return hone::evaluate(cpu, objective, view); };
  CHECK(on(rows_of(make_strided(z.data(), classes, 1))) == value);
  CHECK(visit_rows(make_strided(z.data(), classes, 1), on) == value);
  CHECK(visit_rows(make_strided(across.data(), 1, rows), on) == doctest::Approx(value).epsilon(1e-6));
  CHECK(message([&] { rows_of(make_strided(across.data(), 1, rows)); }) ==
        "rows_of: mdspan is 37 x 10 with strides 1 x 37, column-major: read it in place with column_major_rows_of or "
        "visit_rows");
  CHECK(column_major_rows_of(make_strided(across.data(), 1, rows)) == rows_of(make_left(across.data())));
  CHECK(message([&] { visit_rows(make_strided(z.data(), 1, 1), on); }).starts_with("visit_rows: mdspan is 37 x 10"));

  const float* bytes = z.data();
  static_assert(std::is_same_v<decltype(rows_of(make_right(bytes))), hone::matrix_view<const float>>);
  static_assert(std::is_same_v<decltype(rows_of(make_left(bytes))), hone::image_view<const float>>);
  static_assert(std::is_same_v<decltype(columns_of(make_left(bytes))), hone::matrix_view<const float>>);
  static_assert(std::is_same_v<decltype(columns_of(make_right(bytes))), hone::image_view<const float>>);
  CHECK(columns_of(make_left(bytes)) == hone::matrix_view<const float>{bytes, classes, rows});
  CHECK(columns_of(make_right(bytes)) == hone::image_view<const float>{bytes, 1, rows, classes});
}

}  // namespace

TEST_CASE("layouts of a type that is shaped like mdspan") {
  check_layouts([](auto* data) { return right(data, rows, classes); },
                [](auto* data) { return left(data, rows, classes); },
                [](auto* data, std::size_t a, std::size_t b) { return steps(data, std::array{a, b}, rows, classes); });
}

#if defined(__cpp_lib_mdspan)
TEST_CASE("layouts of std::mdspan") {
  using size = std::dextents<int, 2>;
  check_layouts([]<class T>(T* data) { return std::mdspan<T, size>(data, int(rows), int(classes)); },
                []<class T>(T* data) { return std::mdspan<T, size, std::layout_left>(data, int(rows), int(classes)); },
                []<class T>(T* data, std::size_t a, std::size_t b) {
                  return std::mdspan<T, size, std::layout_stride>(
                      data, {size(int(rows), int(classes)), std::array{int(a), int(b)}});
                });
  float numbers[12] = {};
  const std::mdspan<float, std::extents<int, 4, 3>, std::layout_left> fixed(numbers);
  CHECK(rows_of(fixed) == hone::image_view{numbers, 1, 3, 4});
  const std::mdspan<float, std::extents<int, std::dynamic_extent, 3>> half_fixed(numbers, 4);
  CHECK(rows_of(half_fixed) == hone::matrix_view{numbers, 4, 3});
}
#endif

TEST_CASE("extents in the type") {
  float numbers[12] = {};
  using fixed = extents<4, 3>;
  CHECK(rows_of(span_of<float, packed<fixed, false>>{numbers, fixed(4, 3)}) == hone::image_view{numbers, 1, 3, 4});
  CHECK(rows_of(span_of<float, packed<fixed, true>>{numbers, fixed(4, 3)}) == hone::matrix_view{numbers, 4, 3});
  using column = extents<4, 1>;  // both orders are one
  CHECK(rows_of(span_of<float, packed<column, true>>{numbers, column(4, 1)}) == hone::matrix_view{numbers, 4, 1});
}

TEST_CASE("more dimensions: rows of tokens, and images") {
  float numbers[120] = {};
  CHECK(rows_of(right(numbers, 2, 4, 3)) == hone::matrix_view{numbers, 8, 3});
  CHECK(pixels_of(right(numbers, 2, 3, 4, 5)) == hone::image_view{numbers, 2, 3, 20});
  CHECK(
      message([&] { pixels_of(left(numbers, 2, 3, 4, 5)); }) ==
      "pixels_of: mdspan is 2 x 3 x 4 x 5 with strides 1 x 2 x 6 x 24, N x C x H x W must be contiguous in this order: "
      "make a contiguous copy");
  const auto last = steps(numbers, std::array<std::size_t, 4>{60, 1, 15, 3}, 2, 3, 4, 5);
  CHECK(channels_last_pixels_of(last) == hone::matrix_view{numbers, 40, 3});
  CHECK(visit_pixels(last, [](auto view) { return std::is_same_v<decltype(view), hone::matrix_view<float>>; }));
  CHECK(visit_pixels(right(numbers, 2, 3, 4, 5),
                     [](auto view) { return std::is_same_v<decltype(view), hone::image_view<float>>; }));
  CHECK(tensor_of(right(numbers, 2, 3, 4, 5)).columns == 60);
  CHECK(message([&] { tensor_of(left(numbers, 4, 3)); }) ==
        "tensor_of: mdspan is 4 x 3 with strides 1 x 4, must be contiguous: make a contiguous copy");
}

namespace {
/// An mdspan of this layout, or of one that has no strides.
struct without_strides : span_of<float, packed<extents<any, any>, true>> {
  static bool is_strided() { return false; }
};
/// The widest matrix: 32 dimensions, the last of 3.
struct of_32_dimensions {
  static constexpr std::size_t rank() { return 32; }
  float* data_handle() const { return data; }
  static std::size_t extent(std::size_t k) { return k == 31 ? 3 : 1; }
  static std::size_t stride(std::size_t) { return 1; }
  float* data;
};
}  // namespace

TEST_CASE("32 dimensions, and a layout without strides") {
  float numbers[12] = {};
  CHECK(rows_of(of_32_dimensions{numbers}) == hone::matrix_view{numbers, 1, 3});
  CHECK(message([&] { rows_of(without_strides{right(numbers, 4, 3)}); }) ==
        "rows_of: mdspan has a layout without strides: copy it into one of layout_right");
}

TEST_CASE("labels and empty arrays") {
  std::int64_t labels[6] = {1, 2, 0, 1, 2, 0};
  const std::int64_t* fixed = labels;
  CHECK(labels_of(right(labels, 6)).size() == 6);
  CHECK(labels_of(right(fixed, 2, 3)).data() == labels);
  CHECK(message([&] { labels_of(steps(labels, std::array<std::size_t, 1>{2}, 3)); }) ==
        "labels_of: mdspan is 3 with strides 2, must be contiguous: make a contiguous copy");
  float* none = nullptr;
  CHECK(rows_of(right(none, 0, 10)).columns == 10);
  CHECK(rows_of(left(none, 0, 10)).channels == 10);
  CHECK(tensor_of(right(none, 0, 10)).size == 0);
  CHECK(message([&] { rows_of(right(none, 4, 10)); }) ==
        "rows_of: mdspan is 4 x 10 with strides 10 x 1, but has no data");
}

namespace {

/// The example of docs/matrices.md.
template <class Matrix, class Labels>
double loss_of(Matrix logits, Matrix gradient, Labels labels) {
  // [mdspan]
  const auto objective = hone::cross_entropy(hone::smooth(hone::classes(hone::adapt::labels_of(labels)), 0.1));
  const double loss =
      hone::evaluate(cpu, objective, hone::adapt::rows_of(logits), {.gradient = hone::adapt::rows_of(gradient)});
  // [/mdspan]
  return loss;
}

}  // namespace

TEST_CASE("the example of docs/matrices.md") {
  std::vector<float> z = logits(), gradient(z.size());
  const std::vector<int> y = support::labels(rows, classes);
  CHECK(loss_of(right(z.data(), rows, classes), right(gradient.data(), rows, classes), right(y.data(), rows)) > 0);
}
