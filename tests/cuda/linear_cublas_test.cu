// SPDX-License-Identifier: MIT
// Losses on the logits of a linear layer with products by cuBLAS. On the simulator cublas_stand_in.cpp takes its place.
#include <hone/hone.cuh>

#include <cuda/blas.cuh>
#include <cuda/linear.cuh>
#include <support/message.hpp>

#include <array>

TEST_CASE_TEMPLATE("linear_logits by cuBLAS are those of the CPU", T, float, double, __half, __nv_bfloat16) {
  const blas_handle blas;
  REQUIRE(cublasSetPointerMode(blas.of, CUBLAS_POINTER_MODE_DEVICE) == CUBLAS_STATUS_SUCCESS);
  for (auto const& [rows, features, classes, at_once] :
       {std::array<hone::index, 4>{1, 1, 1, 0}, {5, 3, 4, 2}, {37, 19, 33, 16}, {9, 70, 130, 4}})
    linear::check_as_on_cpu<linear::loss::labels, T>(linear::problem(rows, features, classes), hone::mean, at_once,
                                                     any_stream{blas.of});
  cublasPointerMode_t mode = CUBLAS_POINTER_MODE_HOST;
  CHECK((cublasGetPointerMode(blas.of, &mode) == CUBLAS_STATUS_SUCCESS && mode == CUBLAS_POINTER_MODE_DEVICE));
}

TEST_CASE("linear_logits by the caller's handle") {
  const linear::problem p(21, 8, 30);
  const linear::layer<__nv_bfloat16> l(p);
  const device::stream stream;
  const blas_handle blas;
  const cublasHandle_t handle = blas.of;
  hone::cuda gpu(stream);
  const hone::index rows = p.rows, features = p.features, classes = p.classes;
  const std::span<const int> labels(l.labels.data(), l.labels.size());
  __nv_bfloat16 *const x = l.x.data(), *const w = l.w.data();
  float *const dw = l.dw.data(), *const value = l.value.data();
  // [cublas]
  cublasSetStream(handle, stream);
  const hone::matrix_view input{x, rows, features}, weight{w, classes, features};
  const auto loss = hone::cross_entropy(hone::classes(labels, {.ignore = -1}));
  hone::evaluate(gpu, loss, hone::linear_logits{input, weight},
                 {.input_gradient = input, .weight_gradient = {dw, classes, features}, .value = value}, hone::mean,
                 hone::cublas_product(gpu, handle));
  // [/cublas]
  stream.wait();
  auto without_bias = p;
  without_bias.b.assign(p.b.size(), 0);
  const auto expected = linear::on_cpu(linear::loss::labels, without_bias, hone::mean), seen = l.host();
  CHECK(linear::apart(seen.dw, expected.dw) < linear::accuracy<__nv_bfloat16>);
  CHECK(linear::apart({seen.value}, {expected.value}) < linear::accuracy<__nv_bfloat16>);
  const auto dx = l.x.host();
  CHECK(linear::apart({dx.begin(), dx.end()}, expected.dx) < linear::accuracy<__nv_bfloat16>);
}

TEST_CASE("a handle on another stream, and sizes that cuBLAS does not have, are refused before anything is enqueued") {
  const linear::layer<float> l(linear::problem(3, 2, 4));
  const device::stream stream, other;
  hone::cuda gpu(stream), elsewhere(other);
  const blas_handle blas;
  REQUIRE(cublasSetStream(blas.of, other) == CUBLAS_STATUS_SUCCESS);
  const auto objective = linear::objective<linear::loss::labels>(l.device());
  const auto error = [&](hone::cuda& on, hone::linear_logits<float> const& z, hone::linear_outputs<float> const& out) {
    return support::message(
        [&] { hone::evaluate(on, objective, z, out, hone::mean, hone::cublas_product(elsewhere, blas.of)); });
  };
  CHECK(error(gpu, l.prediction(), l.outputs()) ==
        "cublas_product: the handle and the backend are on different streams");
  const hone::linear_logits far(hone::matrix_view<const float>{l.x.data(), 3, 2, hone::index(1) << 31},
                                hone::matrix_view<const float>{l.w.data(), 4, 2});
  CHECK(error(elsewhere, far, {.value = l.value.data()}) ==
        "cublas_product: row_stride is 2147483648, must be at most 2^31 - 1");
  stream.wait(), other.wait();
  CHECK(l.host().value == 7);
}
