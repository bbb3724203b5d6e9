// SPDX-License-Identifier: MIT
// The functions of cuBLAS that hone calls, for the simulator, which has no cuBLAS: as its manual defines them, column
// by column, on copies.
#include <cublas_v2.h>

#include <cuda_runtime_api.h>

#include <vector>

struct cublasContext {
  cudaStream_t stream = nullptr;
  cublasPointerMode_t mode = CUBLAS_POINTER_MODE_HOST;
};

namespace {

/// A column-major matrix in device memory, as op(A) reads it.
template <class A>
class operand {
 public:
  operand(A const* data, int rows, int columns, int ld, cublasOperation_t how)
      : transposed_(how == CUBLAS_OP_T), rows_(transposed_ ? columns : rows) {
    const auto count = static_cast<std::size_t>(transposed_ ? rows : columns);
    numbers_.resize(count * std::size_t(rows_));
    for (std::size_t j = 0; j < count; ++j)
      cudaMemcpy(numbers_.data() + j * std::size_t(rows_), data + j * std::size_t(ld), std::size_t(rows_) * sizeof(A),
                 cudaMemcpyDeviceToHost);
  }
  double operator()(int i, int j) const {
    return static_cast<double>(
        numbers_[std::size_t(transposed_ ? i : j) * std::size_t(rows_) + std::size_t(transposed_ ? j : i)]);
  }

 private:
  bool transposed_;
  int rows_;  // as they are stored
  std::vector<A> numbers_;
};

template <class A>
cublasStatus_t gemm(cublasHandle_t handle, cublasOperation_t how_a, cublasOperation_t how_b, int m, int n, int k,
                    A const* alpha, A const* a, int lda, A const* b, int ldb, A const* beta, A* c, int ldc) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (handle->mode != CUBLAS_POINTER_MODE_HOST || *alpha != 1 || *beta != 0) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (lda < (how_a == CUBLAS_OP_T ? k : m) || ldb < (how_b == CUBLAS_OP_T ? n : k) || ldc < m)
    return CUBLAS_STATUS_INVALID_VALUE;
  cudaStreamSynchronize(handle->stream);
  const operand<A> left(a, m, k, lda, how_a), right(b, k, n, ldb, how_b);
  std::vector<A> column(static_cast<std::size_t>(m));
  for (int j = 0; j < n; ++j) {
    for (int i = 0; i < m; ++i) {
      double sum = 0;
      for (int l = 0; l < k; ++l) sum += left(i, l) * right(l, j);
      column[static_cast<std::size_t>(i)] = static_cast<A>(sum);
    }
    cudaMemcpy(c + std::size_t(j) * std::size_t(ldc), column.data(), column.size() * sizeof(A), cudaMemcpyHostToDevice);
  }
  return CUBLAS_STATUS_SUCCESS;
}

}  // namespace

extern "C" {

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
  *handle = new cublasContext;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasGetStream_v2(cublasHandle_t handle, cudaStream_t* stream) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  *stream = handle->stream;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasGetPointerMode_v2(cublasHandle_t handle, cublasPointerMode_t* mode) {
  *mode = handle->mode;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetPointerMode_v2(cublasHandle_t handle, cublasPointerMode_t mode) {
  handle->mode = mode;
  return CUBLAS_STATUS_SUCCESS;
}
const char* cublasGetStatusString(cublasStatus_t status) {
  return status == CUBLAS_STATUS_NOT_INITIALIZED ? "the library was not initialized" : "another status";
}
cublasStatus_t cublasSgemm_v2(cublasHandle_t handle, cublasOperation_t a, cublasOperation_t b, int m, int n, int k,
                              const float* alpha, const float* left, int lda, const float* right, int ldb,
                              const float* beta, float* to, int ldc) {
  return gemm(handle, a, b, m, n, k, alpha, left, lda, right, ldb, beta, to, ldc);
}
cublasStatus_t cublasDgemm_v2(cublasHandle_t handle, cublasOperation_t a, cublasOperation_t b, int m, int n, int k,
                              const double* alpha, const double* left, int lda, const double* right, int ldb,
                              const double* beta, double* to, int ldc) {
  return gemm(handle, a, b, m, n, k, alpha, left, lda, right, ldb, beta, to, ldc);
}
}
