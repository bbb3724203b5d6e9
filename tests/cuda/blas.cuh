// SPDX-License-Identifier: MIT
/// A handle of cuBLAS, and products by it. On the simulator cublas_stand_in.cpp takes the place of cuBLAS.
#pragma once

#include <hone/cuda/structure/cublas_product.cuh>

#include <doctest/doctest.h>

#include <concepts>

struct blas_handle {
  cublasHandle_t of = nullptr;

  blas_handle() { REQUIRE(cublasCreate(&of) == CUBLAS_STATUS_SUCCESS); }
  ~blas_handle() { cublasDestroy(of); }
};

/// Makes the product for whatever stream a call is on.
struct any_stream {
  cublasHandle_t of;

  void operator()(cudaStream_t stream, auto const& product) const
    requires std::invocable<hone::cublas_product const&, cudaStream_t, decltype(product)>
  {
    hone::on_cuda::check_cublas(cublasSetStream(of, stream), "cublasSetStream");
    hone::cublas_product(hone::cuda(stream), of)(stream, product);
  }
};
