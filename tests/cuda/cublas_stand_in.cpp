// SPDX-License-Identifier: MIT
// The functions of cuBLAS that hone calls, for the simulator, which has no cuBLAS: as its manual defines them, column
// by column, on copies.
#include <cublas_v2.h>

#include <cuda_bf16.h>
#include <cuda_fp16.h>
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

template <class A, class C, class S>
cublasStatus_t gemm(cublasHandle_t handle, cublasOperation_t how_a, cublasOperation_t how_b, int m, int n, int k,
                    S const* alpha, A const* a, int lda, A const* b, int ldb, S const* beta, C* c, int ldc) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (handle->mode != CUBLAS_POINTER_MODE_HOST || *alpha != 1 || (*beta != 0 && *beta != 1))
    return CUBLAS_STATUS_NOT_SUPPORTED;
  if (lda < (how_a == CUBLAS_OP_T ? k : m) || ldb < (how_b == CUBLAS_OP_T ? n : k) || ldc < m)
    return CUBLAS_STATUS_INVALID_VALUE;
  cudaStreamSynchronize(handle->stream);
  const operand<A> left(a, m, k, lda, how_a), right(b, k, n, ldb, how_b);
  std::vector<C> column(static_cast<std::size_t>(m));
  for (int j = 0; j < n; ++j) {
    C* const to = c + std::size_t(j) * std::size_t(ldc);
    if (*beta == 1) cudaMemcpy(column.data(), to, column.size() * sizeof(C), cudaMemcpyDeviceToHost);
    for (int i = 0; i < m; ++i) {
      C& number = column[static_cast<std::size_t>(i)];
      double sum = *beta == 1 ? static_cast<double>(number) : 0;
      for (int l = 0; l < k; ++l) sum += left(i, l) * right(l, j);
      number = static_cast<C>(sum);
    }
    cudaMemcpy(to, column.data(), column.size() * sizeof(C), cudaMemcpyHostToDevice);
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
cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t a, cublasOperation_t b, int m, int n, int k,
                            const void* alpha, const void* left, cudaDataType left_type, int lda, const void* right,
                            cudaDataType right_type, int ldb, const void* beta, void* to, cudaDataType type, int ldc,
                            cublasComputeType_t compute, cublasGemmAlgo_t) {
  if (compute != CUBLAS_COMPUTE_32F || left_type != right_type || (type != left_type && type != CUDA_R_32F))
    return CUBLAS_STATUS_NOT_SUPPORTED;
  const auto of = [&]<class A, class C>(A*, C*) {
    return gemm(handle, a, b, m, n, k, static_cast<float const*>(alpha), static_cast<A const*>(left), lda,
                static_cast<A const*>(right), ldb, static_cast<float const*>(beta), static_cast<C*>(to), ldc);
  };
  const auto to_type = [&]<class A>(A* factor) {
    return type == CUDA_R_32F ? of(factor, static_cast<float*>(nullptr)) : of(factor, factor);
  };
  if (left_type == CUDA_R_16F) return to_type(static_cast<__half*>(nullptr));
  if (left_type == CUDA_R_16BF) return to_type(static_cast<__nv_bfloat16*>(nullptr));
  return CUBLAS_STATUS_NOT_SUPPORTED;
}
}
