// SPDX-License-Identifier: MIT
#include <hone/adapt/eigen.hpp>

#include <hone/hone.hpp>
#include "../support/message.hpp"
#include "../support/numbers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <type_traits>
#include <vector>

namespace {

using hone::adapt::columns_of;
using hone::adapt::labels_of;
using hone::adapt::rows_of;
using hone::adapt::tensor_of;
using hone::adapt::weights_of;
using support::message;

using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

const hone::cpu cpu{1};
constexpr Eigen::Index rows = 37, classes = 10;

Eigen::MatrixXf logits() {
  Eigen::MatrixXf z(rows, classes);
  for (Eigen::Index i = 0; i < rows; ++i)
    for (Eigen::Index k = 0; k < classes; ++k) z(i, k) = float(support::noise(i * classes + k));
  return z;
}
Eigen::VectorXi labels() {
  Eigen::VectorXi y(rows);
  for (Eigen::Index i = 0; i < rows; ++i) y(i) = int((i * 7 + 2) % classes);
  return y;
}

/// Value and gradient on a row-major copy of z.
struct truth {
  double value = 0;
  row_major gradient;
};
template <class Objective>
truth truth_of(Objective const& objective, row_major const& z) {
  truth t{0, row_major(z.rows(), z.cols())};
  t.value = hone::evaluate(cpu, objective, hone::matrix_view{z.data(), z.rows(), z.cols()},
                           {.gradient = {t.gradient.data(), z.rows(), z.cols()}});
  return t;
}

void check_close(truth const& expected, double value, row_major const& gradient) {
  CHECK(value == doctest::Approx(expected.value).epsilon(1e-6));
  CHECK((gradient - expected.gradient).cwiseAbs().maxCoeff() < 1e-7F);
}

template <class X>
using rows_type = decltype(rows_of(std::declval<X>()));
template <class X>
using columns_type = decltype(columns_of(std::declval<X>()));

static_assert(std::is_same_v<rows_type<Eigen::MatrixXf&>, hone::image_view<float>>);
static_assert(std::is_same_v<columns_type<Eigen::MatrixXf&>, hone::matrix_view<float>>);
static_assert(std::is_same_v<rows_type<row_major&>, hone::matrix_view<float>>);
static_assert(std::is_same_v<columns_type<row_major&>, hone::image_view<float>>);
static_assert(std::is_same_v<rows_type<const Eigen::MatrixXd&>, hone::image_view<const double>>);
static_assert(std::is_same_v<rows_type<const row_major&>, hone::matrix_view<const float>>);
static_assert(std::is_same_v<rows_type<Eigen::Map<const row_major>>, hone::matrix_view<const float>>);
static_assert(std::is_same_v<rows_type<Eigen::Map<row_major>>, hone::matrix_view<float>>);
static_assert(std::is_same_v<rows_type<const Eigen::Map<row_major>&>, hone::matrix_view<const float>>);
static_assert(std::is_same_v<rows_type<Eigen::Ref<Eigen::MatrixXf>>, hone::image_view<float>>);
static_assert(std::is_same_v<rows_type<const Eigen::Ref<const Eigen::MatrixXf>&>, hone::image_view<const float>>);
static_assert(std::is_same_v<rows_type<Eigen::ArrayXXf&>, hone::image_view<float>>);
static_assert(std::is_same_v<rows_type<Eigen::Block<const Eigen::MatrixXf>>, hone::image_view<const float>>);
static_assert(std::is_same_v<rows_type<Eigen::Transpose<Eigen::MatrixXf>>, hone::matrix_view<float>>);
static_assert(std::is_same_v<rows_type<Eigen::VectorXf&>, hone::matrix_view<float>>);
static_assert(std::is_same_v<rows_type<Eigen::Matrix<Eigen::half, -1, -1>&>, hone::image_view<Eigen::half>>);
static_assert(std::is_same_v<rows_type<Eigen::Matrix<Eigen::bfloat16, 4, 3, Eigen::RowMajor>&>,
                             hone::matrix_view<Eigen::bfloat16>>);

}  // namespace

TEST_CASE("a column-major matrix gives the loss of its rows, where its bare pointer as a matrix_view does not") {
  const Eigen::MatrixXf z = logits();
  const Eigen::VectorXi y = labels();
  const auto objective = hone::cross_entropy(hone::smooth(hone::classes(y), 0.1));
  const truth expected = truth_of(objective, z);

  Eigen::MatrixXf gradient(rows, classes);
  const double value = hone::evaluate(cpu, objective, rows_of(z), {.gradient = rows_of(gradient)});
  check_close(expected, value, gradient);
  const double trap = hone::evaluate(cpu, objective, hone::matrix_view{z.data(), z.rows(), z.cols()});
  CHECK(std::abs(trap - expected.value) > 0.1);  // what the adapter prevents
}

TEST_CASE("where the layout is that of rows of hone, the bits are the same") {
  const row_major z = logits();
  const Eigen::VectorXi y = labels();
  const auto objective = hone::cross_entropy(hone::smooth(hone::classes(labels_of(y)), 0.1));
  const truth expected = truth_of(objective, z);
  row_major gradient(rows, classes);

  SUBCASE("Matrix") {
    CHECK(hone::evaluate(cpu, objective, rows_of(z), {.gradient = rows_of(gradient)}) == expected.value);
  }
  SUBCASE("Array") {
    const Eigen::Array<float, -1, -1, Eigen::RowMajor> a = z;
    CHECK(hone::evaluate(cpu, objective, rows_of(a), {.gradient = rows_of(gradient.array())}) == expected.value);
  }
  SUBCASE("Map of a buffer") {
    std::vector<float> buffer(z.data(), z.data() + z.size());
    CHECK(hone::evaluate(cpu, objective, rows_of(Eigen::Map<const row_major>(buffer.data(), rows, classes)),
                         {.gradient = rows_of(Eigen::Map<row_major>(gradient.data(), rows, classes))}) ==
          expected.value);
  }
  SUBCASE("Ref") {
    const auto through = [&](const Eigen::Ref<const row_major>& x, Eigen::Ref<row_major> g) {
      return hone::evaluate(cpu, objective, rows_of(x), {.gradient = rows_of(g)});
    };
    CHECK(through(z, gradient) == expected.value);
  }
  SUBCASE("columns of the transposed matrix, column-major") {
    const Eigen::MatrixXf columns = z.transpose();
    Eigen::MatrixXf slopes(classes, rows);
    CHECK(hone::evaluate(cpu, objective, columns_of(columns), {.gradient = columns_of(slopes)}) == expected.value);
    gradient = slopes.transpose();
  }
  SUBCASE("rows of a transposed view") {
    const Eigen::MatrixXf columns = z.transpose();
    CHECK(hone::evaluate(cpu, objective, rows_of(columns.transpose()), {.gradient = rows_of(gradient)}) ==
          expected.value);
  }
  CHECK(gradient == expected.gradient);
}

TEST_CASE("a block of a row-major matrix has padded rows, and what is beside it stays") {
  const row_major z = logits();
  const Eigen::VectorXi y = labels();
  row_major wide = row_major::Constant(rows + 2, classes + 5, 99);
  row_major slopes = row_major::Constant(rows + 2, classes + 5, 77);
  wide.block(1, 3, rows, classes) = z;
  const auto objective = hone::cross_entropy(hone::classes(y));
  const truth expected = truth_of(objective, z);
  const auto view = rows_of(wide.block(1, 3, rows, classes));
  CHECK(view == hone::matrix_view{&wide(1, 3), rows, classes, classes + 5});
  CHECK(hone::evaluate(cpu, objective, view, {.gradient = rows_of(slopes.block(1, 3, rows, classes))}) ==
        expected.value);
  CHECK(row_major(slopes.block(1, 3, rows, classes)) == expected.gradient);
  slopes.block(1, 3, rows, classes).setConstant(77);
  CHECK((slopes.array() == 77).all());
}

TEST_CASE("a column-major matrix with features down its columns is a matrix_view with an outer stride") {
  const row_major z = logits();
  const Eigen::VectorXi y = labels();
  Eigen::MatrixXf wide = Eigen::MatrixXf::Constant(classes + 4, rows + 2, 99);
  wide.block(2, 1, classes, rows) = z.transpose();
  const auto objective = hone::cross_entropy(hone::classes(y));
  const auto view = columns_of(wide.block(2, 1, classes, rows));
  CHECK(view == hone::matrix_view{&wide(2, 1), rows, classes, classes + 4});
  CHECK(hone::evaluate(cpu, objective, view) == truth_of(objective, z).value);
}

TEST_CASE("columns of a row-major matrix are read in place") {
  const row_major z = logits();
  const row_major columns = z.transpose();
  const Eigen::VectorXi y = labels();
  const auto objective = hone::cross_entropy(hone::classes(y));
  row_major slopes(classes, rows);
  const double value = hone::evaluate(cpu, objective, columns_of(columns), {.gradient = columns_of(slopes)});
  check_close(truth_of(objective, z), value, slopes.transpose());
}

TEST_CASE("soft targets and teachers take the view of the prediction") {
  const Eigen::MatrixXf z = logits(), teacher = 2 * z.array().sin();
  Eigen::MatrixXf soft = z.array().exp();
  soft.array().colwise() /= soft.rowwise().sum().array().eval();
  const row_major z_rows = z, teacher_rows = teacher, soft_rows = soft;
  const auto objective_of = [](auto const& p, auto const& t) {
    return hone::cross_entropy(hone::probabilities(rows_of(p))) + 0.5 * hone::distillation(rows_of(t), 4);
  };
  Eigen::MatrixXf gradient(rows, classes);
  const double value = hone::evaluate(cpu, objective_of(soft, teacher), rows_of(z), {.gradient = rows_of(gradient)});
  check_close(truth_of(objective_of(soft_rows, teacher_rows), z_rows), value, gradient);
}

TEST_CASE("a column vector is a logit per row") {
  Eigen::VectorXf z = logits().col(0);
  const Eigen::VectorXi y = labels().unaryExpr([](int k) { return k % 2; });
  const auto objective = hone::binary_cross_entropy(hone::classes(y, {.background = 1}));
  const std::vector<float> copy(z.data(), z.data() + z.size());
  CHECK(rows_of(z) == hone::matrix_view{z.data(), rows, 1});
  CHECK(columns_of(z) == hone::matrix_view{z.data(), 1, rows});
  const double expected = hone::evaluate(cpu, objective, hone::matrix_view{copy.data(), rows, 1});
  CHECK(hone::evaluate(cpu, objective, rows_of(z)) == expected);
  CHECK(hone::evaluate(cpu, objective, columns_of(z.transpose())) == expected);

  row_major wide = row_major::Zero(rows, 3);  // a column of a row-major matrix: rows of one number, with padding
  wide.col(1) = z;
  CHECK(rows_of(wide.col(1)) == hone::matrix_view{&wide(0, 1), rows, 1, 3});
  CHECK(hone::evaluate(cpu, objective, rows_of(wide.col(1))) == doctest::Approx(expected).epsilon(1e-6));
}

TEST_CASE("strides that no view has are refused") {
  Eigen::MatrixXf wide(9, 7);
  CHECK(
      message([&] { rows_of(wide.block(1, 1, 4, 3)); }) ==
      "rows_of: matrix is 4 x 3 with 1 elements from row to row and 9 from column to column; an image_view needs rows "
      "side by side and columns without padding: copy it into a matrix of its own");
  CHECK(message([&] { rows_of(wide.leftCols(3)); }).empty());
  CHECK(message([&] { rows_of(wide.topRows(4)); }).starts_with("rows_of: matrix is 4 x 7 with 1 elements"));
  CHECK(message([&] { columns_of(wide.topRows(4)); }).empty());
  row_major across(9, 7);
  CHECK(message([&] { columns_of(across.leftCols(3)); }) ==
        "columns_of: transposed matrix is 3 x 9 with 1 elements from row to row and 7 from column to column; an "
        "image_view needs rows side by side and columns without padding: copy it into a matrix of its own");

  std::vector<float> buffer(64);
  using steps = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
  const Eigen::Map<row_major, 0, steps> every_other(buffer.data(), 4, 3, steps(8, 2));
  CHECK(message([&] { rows_of(every_other); }) ==
        "rows_of: matrix is 4 x 3 with 8 elements from row to row and 2 from column to column; a matrix_view needs "
        "columns side by side and rows that do not overlap: copy it into a matrix of its own");
  const Eigen::Map<row_major, 0, steps> windows(buffer.data(), 4, 3, steps(2, 1));
  CHECK(message([&] { rows_of(windows); }).starts_with("rows_of: matrix is 4 x 3 with 2 elements"));
  const Eigen::Map<Eigen::VectorXi, 0, Eigen::InnerStride<>> labels(reinterpret_cast<int*>(buffer.data()), 4,
                                                                    Eigen::InnerStride<>(3));
  CHECK(message([&] { labels_of(labels); }) ==
        "labels_of: vector has 4 numbers that are 3 elements apart, must lie side by side: copy them into a vector");
  CHECK(
      message([&] { weights_of(across.col(0)); }).starts_with("weights_of: vector has 9 numbers that are 7 elements"));
  CHECK(message([&] { tensor_of(across.leftCols(3)); }) ==
        "tensor_of: matrix has 3 numbers side by side and 7 from there to the next, must be the same: a tensor has no "
        "padding");
  CHECK(message([&] { tensor_of(wide.topRows(3)); }) ==
        "tensor_of: matrix has 3 numbers side by side and 9 from there to the next, must be the same: a tensor has no "
        "padding");
}

TEST_CASE("empty matrices are views of nothing") {
  const Eigen::MatrixXf none(0, 10), no_classes(4, 0);
  const Eigen::VectorXi no_labels(0);
  CHECK(hone::evaluate(cpu, hone::cross_entropy(hone::classes(labels_of(no_labels))), rows_of(none)) == 0);
  CHECK(hone::evaluate(cpu, hone::z_loss(1), rows_of(no_classes)) == 0);
  CHECK(columns_of(none).rows == 10);
  CHECK(tensor_of(none).size == 0);
  Eigen::MatrixXf some(4, 3);
  CHECK(rows_of(some.block(1, 1, 0, 2)).pixels == 0);
}

TEST_CASE("labels and weights are views of vectors, of segments too") {
  const Eigen::MatrixXf z = logits();
  Eigen::Matrix<std::int64_t, Eigen::Dynamic, 1> y = labels().cast<std::int64_t>();
  const Eigen::ArrayXf weights = Eigen::ArrayXf::LinSpaced(rows, 0, 2);
  CHECK(labels_of(y).data() == y.data());
  CHECK(labels_of(y.segment(3, 5)).data() == y.data() + 3);
  CHECK(labels_of(y.segment(3, 5)).size() == 5);
  CHECK(hone::classes(labels_of(y.head(5))).size == 5);
  CHECK(labels_of(Eigen::Map<const Eigen::RowVectorXi>(nullptr, 0)).empty());
  const auto objective = hone::weigh_rows(hone::cross_entropy(hone::classes(labels_of(y))), weights_of(weights));
  const std::vector<float> copy(weights.begin(), weights.end());
  CHECK(hone::evaluate(cpu, objective, rows_of(z)) ==
        hone::evaluate(cpu, hone::weigh_rows(hone::cross_entropy(hone::classes(y)), copy), rows_of(z)));
}

TEST_CASE("tensors clip and average a network of Eigen") {
  Eigen::MatrixXf w = logits(), dw = 3 * logits();
  Eigen::VectorXf b = logits().col(1), db = logits().col(2);
  row_major u = logits(), du = logits();
  const double norm = std::sqrt(dw.squaredNorm() + db.squaredNorm() + du.squaredNorm());
  const Eigen::MatrixXf expected = dw * float(2 / norm);
  hone::transform(cpu, hone::clip_by_global_norm(2), hone::adapt::tensors_of(dw, db, du));
  CHECK((dw - expected).cwiseAbs().maxCoeff() < 1e-6F);
  CHECK(std::sqrt(dw.squaredNorm() + db.squaredNorm() + du.squaredNorm()) == doctest::Approx(2).epsilon(1e-5));

  const auto parameters = hone::adapt::tensors_of(w, b, u);
  static_assert(std::is_same_v<decltype(parameters), const hone::tensor_list<float>>);
  const Eigen::MatrixXf before = w;
  hone::ema_state<float> shadow(parameters);
  w.setZero();
  hone::update(cpu, hone::ema{.decay = 0.75}, shadow, parameters);
  hone::copy(cpu, shadow, parameters);
  CHECK((w - 0.75F * before).cwiseAbs().maxCoeff() < 1e-6F);
  const Eigen::MatrixXf fixed = w;
  static_assert(std::is_same_v<decltype(hone::adapt::tensors_of(w, fixed)), hone::tensor_list<const float>>);
}

TEST_CASE("units of adaptive clipping are named by the storage order") {
  const Eigen::MatrixXf w = logits();  // y = W x, out x in
  const row_major w_rows = w;
  Eigen::MatrixXf dw = 5 * logits().array().cos();
  row_major dw_rows = dw;
  hone::transform(cpu, hone::adaptive_clip(hone::adapt::tensors_of(w), {.units = hone::agc_units::columns}),
                  hone::adapt::tensors_of(dw));
  hone::transform(cpu, hone::adaptive_clip(hone::adapt::tensors_of(w_rows), {.units = hone::agc_units::rows}),
                  hone::adapt::tensors_of(dw_rows));
  CHECK((dw - dw_rows).cwiseAbs().maxCoeff() < 1e-6F);
  CHECK(dw.row(3).norm() < 0.02F * w.row(3).norm());
}
