// SPDX-License-Identifier: MIT
/// Non-maximum suppression on CUDA.
#pragma once

#include <hone/cuda/launch.cuh>
#include <hone/cuda/nms_kernels.cuh>

#include <algorithm>

namespace hone {

namespace on_cuda {

/// Checks everything, and only then enqueues.
template <class Exceeds, class T, class Groups>
void enqueue_nms(cuda& backend, const char* function, matrix_view<const T> boxes, numbers scores, Groups const& groups,
                 index* kept, index* count, nms_options const& options) {
  using A = accumulator_t<T>;
  detail::require_nms(function, boxes, scores, options);
  const index n = boxes.rows;
  if (n > most_nms_boxes)
    detail::fail("%s: boxes is %jd x 4, must be at most %jd rows", function, std::intmax_t(n),
                 std::intmax_t(most_nms_boxes));
  if (!kept && n > 0 && options.most > 0)
    detail::fail("%s: kept is null, must have room for %jd rows", function,
                 std::intmax_t(std::min<index>(n, options.most)));
  if (!count) detail::fail("%s: count is null", function);
  const device_of_stream device(backend.placed());
  if (n == 0) return check(cudaMemsetAsync(count, 0, sizeof *count, backend.stream()), "cudaMemsetAsync");

  nms_memory<A> m{};
  backend.reserve(m.place(nullptr, n));
  m.place(backend.workspace(), n);
  const cudaStream_t stream = backend.stream();
  const bool wide = is_aligned<4>(boxes.data) && (n == 1 || is_aligned<4>(boxes.data + boxes.row_stride));
  launch("nms: nms_key_kernel", nms_key_kernel<A, T>, {blocks_for(n), block_threads}, stream, m, boxes, wide, scores,
         options.score_threshold);
  launch("nms: nms_rank_kernel", nms_rank_kernel<A, T, Groups>, {grid_for((n + 31) / 32), block_threads}, stream, m,
         boxes, wide, groups);
  const index tiles = (n + nms_tile_rows - 1) / nms_tile_rows * (m.words / nms_tile_words);  // half below the diagonal
  launch("nms: nms_bits_kernel", nms_bits_kernel<Exceeds, Groups::several, A>,
         {grid_for((tiles + 1) / 2), block_threads}, stream, m, static_cast<A>(detail::threshold_of(options)));
  launch("nms: nms_walk_kernel", nms_walk_kernel<A>, {1, nms_walk_words * nms_walk_slices}, stream, m, options.most,
         kept, count);
}

template <class Exceeds, class Boxes, class Scores>
void enqueue_nms_of_all(cuda& backend, const char* function, Boxes const& boxes, Scores const& scores, index* kept,
                        index* count, nms_options const& options) {
  using T = detail::number_of<Boxes>;
  enqueue_nms<Exceeds, T>(backend, function, boxes, numbers(scores), one_group{}, kept, count, options);
}
template <class Exceeds, class Boxes, class Scores, class Classes>
void enqueue_nms_by_class(cuda& backend, const char* function, Boxes const& boxes, Scores const& scores,
                          Classes const& classes, index* kept, index* count, nms_options const& options) {
  using T = detail::number_of<Boxes>;
  using label = std::ranges::range_value_t<Classes>;
  detail::require_one_per_box(function, static_cast<index>(std::ranges::size(classes)), "classes", boxes.rows);
  enqueue_nms<Exceeds, T>(backend, function, boxes, numbers(scores),
                          groups_of_classes<label>{std::ranges::data(classes)}, kept, count, options);
}

}  // namespace on_cuda

/// Enqueues greedy suppression: what hone::nms returns on the CPU goes to kept[0 … *count), in device memory. kept has
/// room for as many rows as there are boxes, or for .most if that is less; what lies behind *count is not written.
///
///     hone::nms(gpu, boxes, scores, kept, count, {.threshold = 0.5});
///
/// Four kernels, whatever the boxes are: n²/8 bytes of workspace and some. At most 1,048,576 boxes. Throws
/// hone::invalid_argument where a shape, a size, an option or a pointer does not fit, hone::cuda_error where CUDA
/// refuses, or the stream is captured and the workspace has fewer than nms_workspace_bytes(boxes).
template <class Boxes, class Scores>
void nms(cuda& backend, Boxes const& boxes, Scores const& scores, index* kept, index* count, nms_options options = {}) {
  detail::require_detections<Boxes, Scores>();
  on_cuda::enqueue_nms_of_all<detail::iou_exceeds>(backend, "nms", boxes, scores, kept, count, options);
}
/// The same within each class alone: classes are n integers of any type and value, in device memory.
template <class Boxes, class Scores, class Classes>
void batched_nms(cuda& backend, Boxes const& boxes, Scores const& scores, Classes const& classes, index* kept,
                 index* count, nms_options options = {}) {
  detail::require_detections<Boxes, Scores, Classes>();
  on_cuda::enqueue_nms_by_class<detail::iou_exceeds>(backend, "batched_nms", boxes, scores, classes, kept, count,
                                                     options);
}
/// nms with DIoU in the place of IoU.
template <class Boxes, class Scores>
void diou_nms(cuda& backend, Boxes const& boxes, Scores const& scores, index* kept, index* count,
              nms_options options = {}) {
  detail::require_detections<Boxes, Scores>();
  on_cuda::enqueue_nms_of_all<detail::diou_exceeds>(backend, "diou_nms", boxes, scores, kept, count, options);
}
/// batched_nms with DIoU in the place of IoU.
template <class Boxes, class Scores, class Classes>
void batched_diou_nms(cuda& backend, Boxes const& boxes, Scores const& scores, Classes const& classes, index* kept,
                      index* count, nms_options options = {}) {
  detail::require_detections<Boxes, Scores, Classes>();
  on_cuda::enqueue_nms_by_class<detail::diou_exceeds>(backend, "batched_diou_nms", boxes, scores, classes, kept, count,
                                                      options);
}

/// The bytes of workspace that any of these needs for so many boxes.
template <class T>
std::size_t nms_workspace_bytes(matrix_view<T> boxes) noexcept {
  return on_cuda::nms_memory<accumulator_t<T>>{}.place(nullptr, boxes.rows);
}

}  // namespace hone
