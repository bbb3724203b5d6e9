// SPDX-License-Identifier: MIT
/// Evaluates losses of rows on the logits of a linear layer, which are never stored whole, on CUDA.
#pragma once

#include <hone/cuda/evaluate.cuh>
#include <hone/cuda/rows/linear_blocks.cuh>
#include <hone/loss/linear_check.hpp>

#include <concepts>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

template <class T, class... Leaf>
std::size_t workspace_for_linear(list<Leaf...> const& all, linear_logits<T> const& z) noexcept {
  return on_cuda::aligned_bytes(workspace_for(all)) + on_cuda::linear_plan(z).bytes;
}

/// Writes the outputs of a layer without rows or without classes: all are 0.
template <class T>
void write_nothing(cuda const& backend, linear_outputs<T> const& out, index rows) {
  on_cuda::write_nothing(backend, out, rows);
  const auto clear = [&]<class N>(matrix_view<N> to) {
    if (!to.data || to.rows == 0 || to.columns == 0) return;
    on_cuda::check(cudaMemset2DAsync(to.data, std::size_t(to.row_stride) * sizeof(N), 0,
                                     std::size_t(to.columns) * sizeof(N), std::size_t(to.rows), backend.stream()),
                   "cudaMemset2DAsync");
  };
  clear(out.input_gradient);
  if (out.accumulate) return;
  clear(out.weight_gradient);
  clear(matrix_view(out.bias_gradient.data(), 1, out.bias_gradient.size()));
}

/// Checks all arguments before it enqueues anything.
template <class T, class Product, class... Leaf>
void enqueue_linear(cuda& backend, list<Leaf...> const& all, linear_logits<T> const& z, linear_outputs<T> const& out,
                    device_reduction const& how, Product const& product) {
  const index rows = z.input.rows, classes = z.weight.rows;
  require_linear(z, out);
  if (classes > on_cuda::max_columns)
    fail("evaluate: weight has %jd classes, must be at most %jd", std::intmax_t(classes),
         std::intmax_t(on_cuda::max_columns));
  const matrix_view<const T> shape{nullptr, rows, classes};
  all.each([&](auto const& l) { on_cuda::check_leaf(shape, l); });
  require_linear_apart(out, rows, all);
  require_row_facts(out, all, rows);
  require_apart("evaluate", footprints_of(out, rows),
                named_footprint{"the count of mean_over", footprint_of(how.device_count)});
  const on_cuda::linear_plan plan(z);
  const on_cuda::linear_blocks<Product, T, Leaf...> blocks(backend, product, z, out, plan);
  blocks.check_products();
  backend.reserve(workspace_for_linear(all, z));

  const on_cuda::device_of_stream device(backend.placed());
  if (rows == 0 || classes == 0) return write_nothing(backend, out, rows);
  std::byte* const memory = static_cast<std::byte*>(backend.workspace());
  double* counted = reinterpret_cast<double*>(memory + on_cuda::grid_scratch::bytes);
  on_cuda::job<matrix_view<const T>, Leaf...> whole{
      {shape, {}, all}, {}, on_cuda::grid_scratch(memory), backend.invalid_labels()};
  auto* scale = whole.scales;
  all.each([&](auto const& l) { *scale++ = scale_for(backend, l, all, rows, classes, how, whole.scratch, counted++); });
  blocks.enqueue(whole, memory + on_cuda::aligned_bytes(workspace_for(all)));
  on_cuda::launch_row_facts(backend, out, all, rows, classes);
}

}  // namespace detail

/// Enqueues the evaluation of an objective of losses of rows on the logits of a linear layer, block by block, with the
/// gradients of its input, weight and bias. All data, outputs and vectors are in device memory. The products are those
/// of the caller's library, or by default hone's own (hone::tiled_product):
///
///     hone::evaluate(gpu, objective, hone::linear_logits{input, weight},
///                    {.input_gradient = dx, .weight_gradient = dw}, hone::mean, hone::cublas_product(gpu, handle));
///
/// The logits of a block, and the gradient that replaces them, are numbers of T: for 16-bit types they are rounded, as
/// stored logits of a trainer are, where the CPU has them in float. A gradient of a mean over many rows may be too
/// small for __half: multiply the objective by a loss scale, as for other gradients. Values of blocks are rounded to
/// accumulator_t<T>, and added in double. A row that does not count has a gradient of 0, which is multiplied by its
/// input: that must be finite for a finite weight_gradient. The same bits in every run, if the product's are.
///
/// The workspace holds the logits of a block: workspace_bytes(objective, linear_logits) for cuda::reserve. Throws
/// hone::invalid_argument, and enqueues nothing, if shapes do not match or memory overlaps; hone::cuda_error if a CUDA
/// call fails, and what the product throws.
template <class Objective, class T, class Product = tiled_product>
void evaluate(cuda& backend, Objective const& objective, linear_logits<T> const& prediction,
              std::type_identity_t<linear_outputs<T>> const& out = {}, device_reduction const& how = mean,
              Product const& product = {}) {
  static_assert(makes_linear_products<Product, T>,
                "evaluate: the product of linear_logits must be callable with a stream and a hone::linear_product, to "
                "T and to accumulator_t<T>");
  detail::require_evaluable<Objective, matrix_view<const T>>();
  if constexpr (hone::objective<Objective>)
    detail::leaves(objective).apply([&]<class... Leaf>(Leaf const&... leaf) {
      if constexpr (detail::require_linear_losses<Leaf...>())
        if constexpr (detail::require_rowwise<Leaf...>())
          detail::enqueue_linear(backend, detail::list(leaf...), prediction, out, how, product);
    });
}
template <class Objective, class T, std::convertible_to<device_reduction> Reduction>
void evaluate(cuda& backend, Objective const& objective, linear_logits<T> const& prediction, Reduction const& how) {
  evaluate(backend, objective, prediction, {}, how);
}

/// Returns the bytes of workspace that evaluate needs for an objective on linear_logits; their data is not read.
template <objective Objective, class T>
std::size_t workspace_bytes(Objective const& objective, linear_logits<T> const& prediction) {
  return detail::workspace_for_linear(detail::leaves(objective), prediction);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
