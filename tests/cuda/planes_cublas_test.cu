// SPDX-License-Identifier: MIT
// Channel attention with products by cuBLAS. On the simulator cublas_stand_in.cpp takes its place.
#include <hone/hone.cuh>

#include <conformance/recalibration.hpp>
#include <cuda/blas.cuh>
#include <cuda/device.cuh>
#include <support/message.hpp>

TEST_CASE("channel attention by cuBLAS passes its conformance cases") {
  const blas_handle blas;
  REQUIRE(cublasSetPointerMode(blas.of, CUBLAS_POINTER_MODE_DEVICE) == CUBLAS_STATUS_SUCCESS);
  for (const conformance::planes_shape s :
       {conformance::planes_shape{1, 1, 1, 1}, {3, 5, 7, 7}, {5, 67, 1, 3}, {2, 0, 1, 1}})
    for (auto const& of : conformance::recalibration_cases(s))
      conformance::recalibrates<device::conformance, float>(of, any_stream{blas.of});
  for (auto const& of : conformance::recalibration_cases({3, 5, 7, 7}))
    conformance::recalibrates<device::conformance, double>(of, any_stream{blas.of});
  cublasPointerMode_t mode = CUBLAS_POINTER_MODE_HOST;
  CHECK((cublasGetPointerMode(blas.of, &mode) == CUBLAS_STATUS_SUCCESS && mode == CUBLAS_POINTER_MODE_DEVICE));
}

TEST_CASE("a block by cuBLAS is one by hone's own products, to rounding") {
  const conformance::recalibration_memory<device::conformance, float> m(
      conformance::recalibration_cases({3, 67, 3, 3}).front());
  m.forward(m.y);
  const device::stream stream;
  const blas_handle blas;
  const cublasHandle_t handle = blas.of;
  hone::cuda gpu(stream);
  const auto x = m.image(m.x), shortcut = m.image(m.rest), y = m.image(m.dx);
  const auto numbers = m.view(m.numbers);
  conformance::with_branch<>(m.of, m.w.data(), m.b.data(), [&](auto const& branch) {
    // [cublas]
    cublasSetStream(handle, stream);
    hone::recalibrate(gpu, branch, x, y, numbers, {.residual = shortcut, .activation = hone::relu},
                      hone::cublas_product(gpu, handle));
    // [/cublas]
  });
  stream.wait();
  const auto seen = m.dx.host(), by_hone = m.y.host();
  for (std::size_t i = 0; i < seen.size(); ++i) CHECK(std::abs(seen[i] - by_hone[i]) < 1e-5f);
}

TEST_CASE("a handle must be on the backend's stream, and its errors are reported") {
  const blas_handle blas;
  const device::stream stream;
  hone::cuda gpu(stream);
  CHECK(support::message([&] { hone::cublas_product(gpu, blas.of); }) ==
        "cublas_product: the handle and the backend are on different streams");
  CHECK_THROWS_AS(hone::cublas_product(gpu, nullptr), hone::cuda_error);
  REQUIRE(cublasSetStream(blas.of, stream) == CUBLAS_STATUS_SUCCESS);
  CHECK_NOTHROW(hone::cublas_product(gpu, blas.of));
}
