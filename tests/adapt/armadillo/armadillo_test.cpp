// SPDX-License-Identifier: MIT
#include <hone/adapt/armadillo.hpp>
#include <hone/adapt/eigen.hpp>  // both at once: neither takes the other's matrices

#include <hone/hone.hpp>
#include "../../support/message.hpp"
#include "../../support/numbers.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <type_traits>
#include <vector>

namespace {

using hone::adapt::columns_of;
using hone::adapt::labels_of;
using hone::adapt::pixels_of;
using hone::adapt::rows_of;
using hone::adapt::slices_of;
using hone::adapt::tensor_of;
using hone::adapt::weights_of;
using support::message;

const hone::cpu cpu{1};
constexpr hone::index samples = 37, classes = 10;

/// classes x samples: a column is a sample.
template <class E = float>
arma::Mat<E> logits() {
  arma::Mat<E> z(classes, samples);
  for (arma::uword i = 0; i < z.n_elem; ++i) z[i] = E(support::noise(hone::index(i)));
  return z;
}
arma::Row<std::size_t> labels() {
  arma::Row<std::size_t> y(samples);
  for (arma::uword i = 0; i < y.n_elem; ++i) y[i] = (i * 7 + 2) % std::size_t(classes);
  return y;
}

/// Value and gradient on a row-major copy, as columns.
template <class E>
struct truth {
  double value = 0;
  std::vector<E> gradient = {};
  arma::Mat<E> columns() const { return {gradient.data(), classes, samples}; }
};
template <class E, class Objective>
truth<E> truth_of(Objective const& objective, arma::Mat<E> const& z) {
  const std::vector<E> copy(z.begin(), z.end());
  truth<E> t;
  t.gradient.resize(copy.size());
  t.value = hone::evaluate(cpu, objective, hone::matrix_view{copy.data(), z.n_cols, z.n_rows},
                           {.gradient = {t.gradient.data(), z.n_cols, z.n_rows}});
  return t;
}

template <class E>
bool equal(arma::Mat<E> const& a, arma::Mat<E> const& b) {
  return arma::approx_equal(a, b, "absdiff", E(0));
}

template <class X>
using columns_type = decltype(columns_of(std::declval<X>()));
template <class X>
using rows_type = decltype(rows_of(std::declval<X>()));

static_assert(std::is_same_v<columns_type<arma::fmat&>, hone::matrix_view<float>>);
static_assert(std::is_same_v<columns_type<const arma::mat&>, hone::matrix_view<const double>>);
static_assert(std::is_same_v<rows_type<arma::fmat&>, hone::image_view<float>>);
static_assert(std::is_same_v<rows_type<const arma::mat&>, hone::image_view<const double>>);
static_assert(std::is_same_v<rows_type<arma::fvec&>, hone::matrix_view<float>>);
static_assert(std::is_same_v<columns_type<arma::subview_cols<float>>, hone::matrix_view<float>>);
static_assert(std::is_same_v<columns_type<const arma::subview_cols<float>>, hone::matrix_view<const float>>);
static_assert(
    std::is_same_v<decltype(columns_of(std::declval<const arma::fmat&>().cols(0, 1))), hone::matrix_view<const float>>);
static_assert(std::is_same_v<columns_type<arma::fmat::fixed<3, 4>&>, hone::matrix_view<float>>);

}  // namespace

TEST_CASE_TEMPLATE("columns are samples: the same bytes, the same bits", E, float, double) {
  const arma::Mat<E> z = logits<E>();
  const arma::Row<std::size_t> y = labels();
  const auto objective = hone::cross_entropy(hone::smooth(hone::classes(labels_of(y)), 0.1));
  const truth<E> expected = truth_of(objective, z);
  arma::Mat<E> gradient(classes, samples);

  CHECK(columns_of(z) == hone::matrix_view{z.memptr(), samples, classes});
  CHECK(hone::evaluate(cpu, objective, columns_of(z), {.gradient = columns_of(gradient)}) == expected.value);
  CHECK(equal(gradient, expected.columns()));
}

TEST_CASE("some of the columns, and a submatrix, are views with an outer stride") {
  const arma::fmat z = logits();
  const arma::Row<std::size_t> y = labels();
  const auto objective = hone::cross_entropy(hone::classes(y));
  const truth<float> expected = truth_of(objective, z);
  arma::fmat wide(classes + 4, samples + 5, arma::fill::value(99)), slopes(classes + 4, samples + 5, arma::fill::ones);
  wide.submat(2, 3, arma::size(z)) = z;

  const auto view = columns_of(wide.submat(2, 3, arma::size(z)));
  CHECK(view == hone::matrix_view{wide.colptr(3) + 2, samples, classes, classes + 4});
  CHECK(hone::evaluate(cpu, objective, view, {.gradient = columns_of(slopes.submat(2, 3, arma::size(z)))}) ==
        expected.value);
  CHECK(equal<float>(slopes.submat(2, 3, arma::size(z)), expected.columns()));
  slopes.submat(2, 3, arma::size(z)).fill(1);
  CHECK(arma::all(arma::vectorise(slopes) == 1));

  const arma::fmat twice = arma::join_rows(z, z);
  CHECK(columns_of(twice.tail_cols(samples)) == hone::matrix_view{twice.colptr(samples), samples, classes});
  CHECK(columns_of(twice.col(4)) == hone::matrix_view{twice.colptr(4), 1, classes});
  CHECK(columns_of(twice.row(4)) == hone::matrix_view{twice.memptr() + 4, 2 * samples, 1, classes});
}

TEST_CASE("rows are samples: the transposed matrix has the same loss, where its bare pointer does not") {
  const arma::fmat z = logits(), across = z.t();
  const arma::Row<std::size_t> y = labels();
  const auto objective = hone::cross_entropy(hone::classes(y));
  const truth<float> expected = truth_of(objective, z);
  arma::fmat slopes(samples, classes);

  const double value = hone::evaluate(cpu, objective, rows_of(across), {.gradient = rows_of(slopes)});
  CHECK(value == doctest::Approx(expected.value).epsilon(1e-6));
  CHECK(arma::abs(slopes.t() - expected.columns()).max() < 1e-7F);
  const double trap = hone::evaluate(cpu, objective, hone::matrix_view{across.memptr(), samples, classes});
  CHECK(std::abs(trap - expected.value) > 0.1);
  CHECK(rows_of(across.head_cols(3)) == hone::image_view{across.memptr(), 1, 3, samples});
}

TEST_CASE("cubes are images") {
  const arma::fmat z = logits();
  arma::fcube cube(4, 5, 3);  // width, height, channels
  for (arma::uword i = 0; i < cube.n_elem; ++i) cube[i] = float(support::noise(hone::index(i)));
  CHECK(pixels_of(cube) == hone::image_view{cube.memptr(), 1, 3, 20});
  CHECK(slices_of(cube) == hone::matrix_view{cube.memptr(), 3, 20});
  CHECK(rows_of(cube.slice(1)) == hone::image_view{cube.slice_memptr(1), 1, 5, 4});
  const arma::fcube& fixed = cube;
  static_assert(std::is_same_v<decltype(pixels_of(fixed)), hone::image_view<const float>>);

  std::vector<float> rows;  // a row per pixel
  arma::Row<int> y(20);
  for (arma::uword p = 0; p < 20; ++p) {
    for (arma::uword c = 0; c < 3; ++c) rows.push_back(cube(p % 4, p / 4, c));
    y[p] = int(p % 3);
  }
  const auto objective = hone::cross_entropy(hone::classes(labels_of(y)));
  CHECK(hone::evaluate(cpu, objective, pixels_of(cube)) ==
        doctest::Approx(hone::evaluate(cpu, objective, hone::matrix_view{rows.data(), 20, 3})).epsilon(1e-6));

  const auto draw = hone::cutmix{}.draw(1, 2, 3, 5, 4);
  arma::fcube mixed(4, 5, 3);
  hone::blend(cpu, draw, slices_of(cube), slices_of(mixed));
  const auto box = draw.boxes[0];
  for (arma::uword x = 0; x < 4; ++x)
    for (arma::uword row = 0; row < 5; ++row) {
      const bool inside = hone::index(x) >= box.x1 && hone::index(x) < box.x2 && hone::index(row) >= box.y1 &&
                          hone::index(row) < box.y2;
      CHECK(mixed(x, row, 0) == cube(x, row, inside ? arma::uword(draw.partner[0]) : 0));
    }
}

TEST_CASE("columns of channels are images") {
  const arma::fmat z = logits();  // 37 images of 2 channels of 5 pixels
  CHECK(pixels_of(z, 2) == hone::image_view{z.memptr(), samples, 2, 5});
  CHECK(message([&] { pixels_of(z, 3); }) == "pixels_of: a column has 10 numbers, must be those of 3 channels");
  CHECK(message([&] { pixels_of(z, 0); }) == "pixels_of: channels is 0, must be at least 1");
  CHECK(message([&] { pixels_of(z.rows(0, 5), 2); }) ==
        "pixels_of: columns of 6 numbers begin 10 apart, must have no padding: copy them into a matrix of their own");
}

TEST_CASE("strides that no view has are refused") {
  const arma::fmat z = logits();
  CHECK(message([&] { rows_of(z.rows(2, 4)); }) ==
        "rows_of: matrix is 3 x 37 with 1 elements from row to row and 10 from column to column; an image_view needs "
        "rows side by side and columns without padding: copy it into a matrix of its own");
  CHECK(message([&] { rows_of(z.row(2)); }) ==
        "rows_of: vector is 1 x 37 with 1 elements from row to row and 10 from column to column; a matrix_view needs "
        "columns side by side and rows that do not overlap: copy it into a matrix of its own");
  CHECK(message([&] { tensor_of(z.rows(2, 4)); }) ==
        "tensor_of: matrix has 3 numbers side by side and 10 from there to the next, must be the same: a tensor has no "
        "padding");
  const arma::imat table(4, 6, arma::fill::zeros);
  CHECK(message([&] { labels_of(table.row(1)); }) ==
        "labels_of: vector has 6 numbers that are 4 elements apart, must lie side by side: copy them into a vector");
  CHECK(message([&] { labels_of(table); }) == "labels_of: vector is 4 x 6, must be one row or one column");
  CHECK(message([&] { weights_of(z.row(1)); }).starts_with("weights_of: vector has 37 numbers that are 10 elements"));
}

TEST_CASE("labels and weights") {
  const arma::Row<std::size_t> y = labels();
  const arma::Col<arma::uword> down(5, arma::fill::zeros);
  const arma::imat one_row(1, 7, arma::fill::zeros), table(4, 6, arma::fill::zeros);
  CHECK(labels_of(y).data() == y.memptr());
  CHECK(labels_of(y).size() == std::size_t(samples));
  CHECK(labels_of(down).size() == 5);
  CHECK(labels_of(one_row).size() == 7);
  CHECK(labels_of(y.cols(3, 7)).data() == y.memptr() + 3);
  CHECK(labels_of(table.col(2)).data() == table.colptr(2));
  arma::Col<float> weights(samples, arma::fill::ones);
  CHECK(weights_of(weights).size() == std::size_t(samples));
  const arma::fmat z = logits();
  weights[3] = 0;
  const auto objective = hone::weigh_rows(hone::cross_entropy(hone::classes(labels_of(y))), weights_of(weights));
  CHECK(hone::evaluate(cpu, objective, columns_of(z)) > 0);
}

TEST_CASE("empty matrices are views of nothing") {
  const arma::fmat no_samples(classes, 0), no_classes(0, samples);
  const arma::Row<std::size_t> none;
  CHECK(columns_of(no_samples).rows == 0);
  CHECK(hone::evaluate(cpu, hone::cross_entropy(hone::classes(labels_of(none))), columns_of(no_samples)) == 0);
  CHECK(hone::evaluate(cpu, hone::z_loss(1), columns_of(no_classes)) == 0);
  CHECK(rows_of(no_samples).channels == 0);
  CHECK(pixels_of(no_samples, 2).images == 0);
  CHECK(tensor_of(no_samples).size == 0);
  const arma::fcube no_slices(3, 4, 0);
  CHECK(slices_of(no_slices).rows == 0);
}

TEST_CASE("tensors clip and average a network of Armadillo") {
  arma::mat w = logits<double>(), dw = 3 * w;
  arma::vec b = w.col(1), db = w.col(2);
  const double norm = std::sqrt(arma::accu(arma::square(dw)) + arma::accu(arma::square(db)));
  const arma::mat expected = dw * (2 / norm);
  hone::transform(cpu, hone::clip_by_global_norm(2), hone::adapt::tensors_of(dw, db));
  CHECK(arma::abs(dw - expected).max() < 1e-12);

  const auto parameters = hone::adapt::tensors_of(w, b);
  CHECK(parameters[0].rows == samples);
  CHECK(parameters[0].columns == classes);
  const arma::mat before = w;
  hone::ema_state<double> shadow(parameters);
  w.zeros();
  hone::update(cpu, hone::ema{.decay = 0.75}, shadow, parameters);
  hone::copy(cpu, shadow, parameters);
  CHECK(arma::abs(w - 0.75 * before).max() < 1e-12);
  const arma::mat fixed = w;
  static_assert(std::is_same_v<decltype(hone::adapt::tensors_of(w, fixed)), hone::tensor_list<const double>>);
}

TEST_CASE("the example of docs/matrices.md") {
  const arma::fmat logits = ::logits();
  const arma::Row<std::size_t> labels = ::labels();
  // [columns]
  arma::fmat gradient(arma::size(logits));  // classes x samples, as everywhere in Armadillo and mlpack
  const auto objective = hone::cross_entropy(hone::smooth(hone::classes(hone::adapt::labels_of(labels)), 0.1));
  const double loss =
      hone::evaluate(cpu, objective, hone::adapt::columns_of(logits), {.gradient = hone::adapt::columns_of(gradient)});
  // [/columns]
  CHECK(loss > 0);
  arma::fmat dw = logits, db = logits;
  // [clip]
  hone::transform(cpu, hone::clip_by_global_norm(5), hone::adapt::tensors_of(dw, db));
  // [/clip]
  CHECK(arma::norm(arma::join_rows(arma::vectorise(dw), arma::vectorise(db)), "fro") ==
        doctest::Approx(5).epsilon(1e-4));
}
