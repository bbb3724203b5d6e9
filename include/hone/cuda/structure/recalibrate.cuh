// SPDX-License-Identifier: MIT
/// Channel attention on CUDA: squeeze, branch and scale, one after the other on the stream.
#pragma once

#include <hone/cuda/structure/branches.cuh>
#include <hone/cuda/structure/reduce_planes.cuh>
#include <hone/cuda/structure/scale_planes.cuh>
#include <hone/structure/recalibrate_check.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Enqueues hone::recalibrate, as documented for the CPU: a kernel that reads x once, the kernels of the branch, and
/// one that reads x and the residual and writes y once. Views, parameters and numbers are of device memory. Nothing is
/// allocated. The products are hone's own, or those of a trainer's library:
///
///     hone::recalibrate(gpu, branch, x, y, numbers, {.activation = hone::relu}, hone::cublas_product(gpu, handle));
///
/// product(stream, hone::matrix_product<A>) enqueues one of them; the stream's device is the current one.
template <class Branch, class T, class Product = small_product>
void recalibrate(cuda& backend, Branch const& branch, std::type_identity_t<image_view<const T>> x, image_view<T> y,
                 std::type_identity_t<recalibration_numbers<accumulator_t<T>>> const& numbers,
                 std::type_identity_t<plane_scale_options<T>> const& options = {}, Product const& product = {}) {
  static_assert(makes_products<Product, accumulator_t<T>>,
                "recalibrate: the product must be callable with a stream and a hone::matrix_product");
  detail::require_recalibrate<T>(branch, x, y, numbers, options);
  const on_cuda::device_of_stream device(backend.placed());
  on_cuda::enqueue_reduce_planes<T>(backend.stream(), "recalibrate: reduce_planes_kernel", plane_mean, x,
                                    numbers.squeezed);
  on_cuda::excite(on_cuda::branch_call<Product>{backend.stream(), "recalibrate: branch", product}, branch, numbers);
  on_cuda::enqueue_scale_planes<T>(backend.stream(), "recalibrate: scale_planes_kernel", branch.gate, x,
                                   numbers.excited, y, options);
}

/// Enqueues hone::recalibrate_backward, as documented for the CPU. With options.dresidual, a first kernel reads x, the
/// residual and dy and writes dresidual, and a second one reads dresidual and writes dx; otherwise both read x and dy
/// if there is an activation. Between and after them come the kernels of the branch. Nothing is allocated. The same
/// bits in every run, if the product's are.
template <class Branch, class Gradients, class T, class Product = small_product>
void recalibrate_backward(cuda& backend, Branch const& branch, std::type_identity_t<image_view<const T>> x,
                          std::type_identity_t<image_view<const T>> dy,
                          std::type_identity_t<recalibration_numbers<accumulator_t<T>>> const& numbers,
                          image_view<T> dx, Gradients const& parameters,
                          std::type_identity_t<recalibration_numbers<accumulator_t<T>>> const& scratch,
                          std::type_identity_t<plane_scale_backward_options<T>> options = {},
                          Product const& product = {}) {
  static_assert(makes_products<Product, accumulator_t<T>>,
                "recalibrate_backward: the product must be callable with a stream and a hone::matrix_product");
  constexpr const char* name = "recalibrate_backward: scale_planes_backward_kernel";
  detail::require_recalibrate_backward<T>(branch, x, dy, numbers, dx, parameters, scratch, options);
  const on_cuda::device_of_stream device(backend.placed());
  const on_cuda::branch_call<Product> call{backend.stream(), "recalibrate_backward: branch", product};
  T const* const residual = options.residual.data;
  T* const dresidual = options.dresidual.data;
  const on_cuda::divider channels(x.channels);
  on_cuda::enqueue_scale_planes_backward<T>(
      backend.stream(), name, branch.gate, options.activation,
      {x, numbers.excited, dy.data, residual, nullptr, dresidual, scratch.excited, {}, channels});
  on_cuda::excite_backward(call, branch, numbers, scratch, 1 / static_cast<double>(x.pixels));
  on_cuda::enqueue_scale_planes_backward<T>(backend.stream(), name, branch.gate,
                                            dresidual ? no_activation : options.activation,
                                            {x,
                                             numbers.excited,
                                             dresidual ? dresidual : dy.data,
                                             residual,
                                             dx.data,
                                             nullptr,
                                             {},
                                             scratch.squeezed,
                                             channels});
  on_cuda::gradients(call, parameters, numbers, scratch);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
