// SPDX-License-Identifier: MIT
/// The verb of losses on CUDA.
#pragma once

#include <hone/cuda/elements.cuh>

#include <type_traits>

namespace hone {

namespace detail {

template <class... Leaf>
constexpr std::size_t workspace_for(list<Leaf...> const&) noexcept {
  return on_cuda::grid_scratch::bytes + sizeof(double) * sizeof...(Leaf);  // and a factor per leaf
}

/// The factor of the reduction for one leaf; enqueues a kernel where rows must be counted.
template <class Leaf>
on_cuda::scale_of_leaf scale_for(cuda const& backend, Leaf const& leaf, index rows, index columns, reduction how,
                                 on_cuda::grid_scratch scratch, double* counted) {
  auto const& targets = leaf.term.targets;
  if (how.how != reduction::kind::mean || !targets.ignoring())
    return {factor_of(how, static_cast<double>(rows) * static_cast<double>(columns)), nullptr};
  const on_cuda::counts_row<std::remove_cvref_t<decltype(targets)>> counts{targets};
  on_cuda::count_kernel<<<on_cuda::blocks_for(rows), on_cuda::block_threads, 0, backend.stream()>>>(
      rows, counts, static_cast<double>(columns), counted, scratch);
  on_cuda::check_launch("evaluate: count_kernel");
  return {0, counted};
}

/// Checks everything, and only then enqueues.
template <class View, class... Leaf>
void enqueue_leaves(cuda& backend, list<Leaf...> const& all, View prediction,
                    typename outputs_of<View>::type const& out, reduction how) {
  static_assert((elementwise<typename Leaf::term_type> && ...),
                "evaluate: hone::cuda computes element-wise terms (binary_cross_entropy, sigmoid_focal_loss, ...)");
  const index rows = rows_of(prediction), columns = columns_of(prediction);
  require_valid(prediction, "prediction");
  require_like_if_given(out.gradient, "gradient", prediction);
  all.each([&](auto const& l) { on_cuda::check_leaf(prediction, l); });
  backend.reserve(workspace_for(all));

  const on_cuda::device_of_stream device(backend.stream());
  const on_cuda::grid_scratch scratch(backend.workspace());
  double* counted = reinterpret_cast<double*>(static_cast<char*>(backend.workspace()) + on_cuda::grid_scratch::bytes);
  on_cuda::element_job<View, Leaf...> job{prediction, out, all, {}, {}, on_cuda::order_of(prediction), scratch};
  job.over_nothing = how.how == reduction::kind::mean_over && how.count == 0;
  auto* scale = job.scales;
  all.each([&](auto const& l) { *scale++ = scale_for(backend, l, rows, columns, how, scratch, counted++); });
  on_cuda::launch_elements(backend, job);
}

template <class Objective, class View>
void enqueue(cuda& backend, Objective const& objective, View prediction, typename outputs_of<View>::type const& out,
             reduction how) {
  static_assert(hone::objective<Objective>,
                "evaluate: the second argument must be an objective, such as hone::sigmoid_focal_loss(targets)");
  static_assert(element<number_of<View>>,
                "evaluate: a prediction holds float, double, or a 16-bit floating-point type");
  enqueue_leaves(backend, leaves(objective), prediction, out, how);
}

}  // namespace detail

/// Enqueues the evaluation of an objective on a prediction, rows × classes. All data, outputs and vectors are in
/// device memory. Throws hone::invalid_argument, and enqueues nothing, where shapes do not fit; hone::cuda_error
/// where CUDA refuses. Labels are not checked.
template <class Objective, class T>
void evaluate(cuda& backend, Objective const& objective, matrix_view<T> prediction,
              std::type_identity_t<outputs<std::remove_const_t<T>>> const& out, reduction how = mean) {
  detail::enqueue(backend, objective, matrix_view<const T>(prediction), out, how);
}

/// The same per pixel of images: row n · pixels + p is pixel p of image n, and targets count rows that way.
template <class Objective, class T>
void evaluate(cuda& backend, Objective const& objective, image_view<T> prediction,
              std::type_identity_t<outputs<std::remove_const_t<T>, image_view>> const& out, reduction how = mean) {
  detail::enqueue(backend, objective, image_view<const T>(prediction), out, how);
}

/// The bytes of workspace that evaluate needs for an objective; cuda::reserve or the caller's memory provides them.
template <objective Objective>
std::size_t workspace_bytes(Objective const& objective) {
  return detail::workspace_for(detail::leaves(objective));
}

}  // namespace hone
