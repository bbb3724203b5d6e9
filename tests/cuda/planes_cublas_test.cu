// SPDX-License-Identifier: MIT
// Channel attention with products by cuBLAS. On the simulator cublas_stand_in.cpp takes its place.
#include <hone/hone.cuh>

#include <hone/cuda/structure/cublas_product.cuh>

#include <conformance/recalibration.hpp>
#include <cuda/device.cuh>
#include <support/message.hpp>

namespace {

struct handle {
  cublasHandle_t of = nullptr;

  handle() { REQUIRE(cublasCreate(&of) == CUBLAS_STATUS_SUCCESS); }
  ~handle() { cublasDestroy(of); }
};

/// Makes the product for whatever stream a call is on.
struct any_stream {
  cublasHandle_t of;

  template <class A>
  void operator()(cudaStream_t stream, hone::matrix_product<A> const& product) const {
    hone::on_cuda::check_cublas(cublasSetStream(of, stream), "cublasSetStream");
    hone::cublas_product(hone::cuda(stream), of)(stream, product);
  }
};

}  // namespace

TEST_CASE("channel attention by cuBLAS passes its conformance cases") {
  const handle blas;
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

TEST_CASE("a handle must be on the backend's stream, and its errors are reported") {
  const handle blas;
  const device::stream stream;
  hone::cuda gpu(stream);
  CHECK(support::message([&] { hone::cublas_product(gpu, blas.of); }) ==
        "cublas_product: the handle and the backend are on different streams");
  CHECK_THROWS_AS(hone::cublas_product(gpu, nullptr), hone::cuda_error);
  REQUIRE(cublasSetStream(blas.of, stream) == CUBLAS_STATUS_SUCCESS);
  CHECK_NOTHROW(hone::cublas_product(gpu, blas.of));
}
