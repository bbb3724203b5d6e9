// SPDX-License-Identifier: MIT
/// Products by cuBLAS, for the verbs that need one. No door leads here: a program that includes this header needs
/// cuBLAS's own header, and is linked with cuBLAS.
#pragma once

#include <hone/cuda/structure/small_product.cuh>

#include <cublas_v2.h>

#include <limits>
#include <string>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cuda {

inline void check_cublas(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS)
    detail::raise(
        cuda_error(cudaErrorUnknown, std::string("cublas_product: ") + what + ": " + cublasGetStatusString(status)));
}

inline cublasStatus_t gemm(cublasHandle_t handle, cublasOperation_t a, cublasOperation_t b, int m, int n, int k,
                           float const* left, int lda, float const* right, int ldb, float* to, int ldc) {
  const float one = 1, none = 0;
  return cublasSgemm(handle, a, b, m, n, k, &one, left, lda, right, ldb, &none, to, ldc);
}
inline cublasStatus_t gemm(cublasHandle_t handle, cublasOperation_t a, cublasOperation_t b, int m, int n, int k,
                           double const* left, int lda, double const* right, int ldb, double* to, int ldc) {
  const double one = 1, none = 0;
  return cublasDgemm(handle, a, b, m, n, k, &one, left, lda, right, ldb, &none, to, ldc);
}

}  // namespace on_cuda

/// Products by the caller's cuBLAS handle, in its math mode and with its workspace:
///
///     #include <hone/cuda/structure/cublas_product.cuh>
///     hone::recalibrate(gpu, branch, x, y, numbers, {}, hone::cublas_product(gpu, handle));
///
/// The handle must be on the backend's stream (cublasSetStream), or hone::invalid_argument is thrown. A call leaves the
/// handle as it was. Throws hone::cuda_error if cuBLAS fails.
class cublas_product {
 public:
  cublas_product(cuda const& backend, cublasHandle_t handle) : handle_(handle), stream_(backend.stream()) {
    cudaStream_t of_handle = nullptr;
    on_cuda::check_cublas(cublasGetStream(handle, &of_handle), "cublasGetStream");
    require_stream(of_handle);
  }

  template <class A>
  void operator()(cudaStream_t stream, matrix_product<A> const& of) const {
    require_stream(stream);
    // A row-major matrix is the transpose of a column-major one: toᵀ = rightᵀ leftᵀ.
    const auto as_stored = [](bool transposed) { return transposed ? CUBLAS_OP_T : CUBLAS_OP_N; };
    const int columns = size("columns", of.to.columns), rows = size("rows", of.to.rows),
              depth = size("depth", of.depth()), lda = size("row_stride", of.right.row_stride),
              ldb = size("row_stride", of.left.row_stride), ldc = size("row_stride", of.to.row_stride);
    cublasPointerMode_t mode = CUBLAS_POINTER_MODE_HOST;
    on_cuda::check_cublas(cublasGetPointerMode(handle_, &mode), "cublasGetPointerMode");
    on_cuda::check_cublas(cublasSetPointerMode(handle_, CUBLAS_POINTER_MODE_HOST), "cublasSetPointerMode");
    const cublasStatus_t answer =
        on_cuda::gemm(handle_, as_stored(of.right_transposed), as_stored(of.left_transposed), columns, rows, depth,
                      of.right.data, lda, of.left.data, ldb, of.to.data, ldc);
    on_cuda::check_cublas(cublasSetPointerMode(handle_, mode), "cublasSetPointerMode");
    on_cuda::check_cublas(answer, "gemm");
  }

 private:
  void require_stream(cudaStream_t other) const {
    if (other != stream_) detail::fail("cublas_product: the handle and the backend are on different streams");
  }
  static int size(const char* name, index n) {
    detail::require(n <= std::numeric_limits<int>::max(), "cublas_product", name, n, "at most 2^31 - 1");
    return static_cast<int>(n);
  }

  cublasHandle_t handle_;
  cudaStream_t stream_;
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
