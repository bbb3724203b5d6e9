// SPDX-License-Identifier: MIT
/// Products by cuBLAS, for the verbs that need one. No door leads here: a program that includes this header needs
/// cuBLAS's own header, and is linked with cuBLAS.
#pragma once

#include <hone/cuda/memory/linear_product.cuh>
#include <hone/cuda/structure/small_product.cuh>

#include <cublas_v2.h>

#include <limits>
#include <string>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cuda {

inline void check_cublas(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS)
    detail::raise(
        cuda_error(cudaErrorUnknown, std::string("cublas_product: ") + what + ": " + cublasGetStatusString(status)));
}

/// The sizes of a product for cuBLAS. A row-major matrix is the transpose of a column-major one: toᵀ = rightᵀ leftᵀ.
struct gemm_sizes {
  cublasOperation_t of_right, of_left;
  int columns, rows, depth, right_stride, left_stride, stride;

  template <class Product>
  explicit gemm_sizes(Product const& of)
      : of_right(as_stored(of.right_transposed)),
        of_left(as_stored(of.left_transposed)),
        columns(size("columns", of.to.columns)),
        rows(size("rows", of.to.rows)),
        depth(size("depth", of.depth())),
        right_stride(size("row_stride", of.right.row_stride)),
        left_stride(size("row_stride", of.left.row_stride)),
        stride(size("row_stride", of.to.row_stride)) {}

 private:
  static cublasOperation_t as_stored(bool transposed) noexcept { return transposed ? CUBLAS_OP_T : CUBLAS_OP_N; }
  static int size(const char* name, index n) {
    detail::require(n <= std::numeric_limits<int>::max(), "cublas_product", name, n, "at most 2^31 - 1");
    return static_cast<int>(n);
  }
};

inline cublasStatus_t gemm(cublasHandle_t handle, gemm_sizes const& s, float const* left, float const* right,
                           float beta, float* to) {
  const float one = 1;
  return cublasSgemm(handle, s.of_right, s.of_left, s.columns, s.rows, s.depth, &one, right, s.right_stride, left,
                     s.left_stride, &beta, to, s.stride);
}
inline cublasStatus_t gemm(cublasHandle_t handle, gemm_sizes const& s, double const* left, double const* right,
                           double beta, double* to) {
  const double one = 1;
  return cublasDgemm(handle, s.of_right, s.of_left, s.columns, s.rows, s.depth, &one, right, s.right_stride, left,
                     s.left_stride, &beta, to, s.stride);
}
template <class T>
inline constexpr cudaDataType_t cublas_type = std::is_same_v<T, float>    ? CUDA_R_32F
                                              : std::is_same_v<T, __half> ? CUDA_R_16F
                                                                          : CUDA_R_16BF;
/// 16-bit factors, and sums in float.
template <class T, class To>
  requires(sizeof(T) == 2)
cublasStatus_t gemm(cublasHandle_t handle, gemm_sizes const& s, T const* left, T const* right, float beta, To* to) {
  static_assert(std::is_same_v<T, __half> || std::is_same_v<T, __nv_bfloat16>,
                "cublas_product: 16-bit numbers must be __half or __nv_bfloat16");
  const float one = 1;
  return cublasGemmEx(handle, s.of_right, s.of_left, s.columns, s.rows, s.depth, &one, right, cublas_type<T>,
                      s.right_stride, left, cublas_type<T>, s.left_stride, &beta, to, cublas_type<To>, s.stride,
                      CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
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
    enqueue(stream, of, 0);
  }
  template <class T, class To>
  void operator()(cudaStream_t stream, linear_product<T, To> const& of) const {
    enqueue(stream, of, of.add ? 1 : 0);
  }
  /// Throws hone::invalid_argument if the stream is another one, or a size is too large for cuBLAS.
  template <class T, class To>
  void check(cudaStream_t stream, linear_product<T, To> const& of) const {
    require_stream(stream);
    static_cast<void>(on_cuda::gemm_sizes(of));
  }

 private:
  void require_stream(cudaStream_t other) const {
    if (other != stream_) detail::fail("cublas_product: the handle and the backend are on different streams");
  }
  template <class Product>
  void enqueue(cudaStream_t stream, Product const& of, int add) const {
    require_stream(stream);
    using A = accumulator_t<detail::number_of<decltype(of.left)>>;
    const on_cuda::gemm_sizes sizes(of);
    cublasPointerMode_t mode = CUBLAS_POINTER_MODE_HOST;
    on_cuda::check_cublas(cublasGetPointerMode(handle_, &mode), "cublasGetPointerMode");
    on_cuda::check_cublas(cublasSetPointerMode(handle_, CUBLAS_POINTER_MODE_HOST), "cublasSetPointerMode");
    const cublasStatus_t answer =
        on_cuda::gemm(handle_, sizes, of.left.data, of.right.data, static_cast<A>(add), of.to.data);
    on_cuda::check_cublas(cublasSetPointerMode(handle_, mode), "cublasSetPointerMode");
    on_cuda::check_cublas(answer, "gemm");
  }

  cublasHandle_t handle_;
  cudaStream_t stream_;
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
