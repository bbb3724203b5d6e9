// SPDX-License-Identifier: MIT
/// Non-maximum suppression on CUDA.
#pragma once

#include <hone/cuda/boxes/nms_kernels.cuh>
#include <hone/cuda/boxes/nms_limits.cuh>
#include <hone/cuda/run/launch.cuh>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cuda {

/// The outputs of a call.
struct nms_answer {
  index *rows, *count;
};

/// Checks all arguments before it enqueues anything.
template <template <class> class Rule, class T, class Scores, class Format, class Groups>
void enqueue_nms(cuda& backend, const char* function, matrix_view<const T> boxes, Scores const& scores,
                 nms_options const& options, Format, Groups const& groups, nms_answer kept) {
  using A = detail::box_arithmetic<T>;
  detail::require_nms(function, boxes, scores, options);
  const index n = boxes.rows;
  if (n > max_nms_boxes)
    detail::fail("%s: boxes is %jd x 4, must be at most %jd rows", function, std::intmax_t(n),
                 std::intmax_t(max_nms_boxes));
  const index room = Groups::keys > 1 ? n : std::min<index>(n, options.most);  // `most` is a limit per image
  if (!kept.rows && n > 0 && options.most > 0)
    detail::fail("%s: kept is null, must have room for %jd rows", function, std::intmax_t(room));
  if (!kept.count) detail::fail("%s: count is null", function);
  const detail::footprint rows = detail::footprint_of(kept.rows, room);
  const detail::footprint one = detail::footprint_of(kept.count, 1);
  const auto read = [&](const char* name, detail::footprint const& input) {
    detail::require_apart(function, "kept", rows, name, input);
    detail::require_apart(function, "count", one, name, input);
  };
  detail::require_apart(function, "count", one, "kept", rows);
  read("boxes", detail::footprint_of(boxes));
  read("scores", detail::footprint_of(scores));
  if constexpr (Groups::keys > 0) read("classes", detail::footprint_of(groups.classes, n));
  if constexpr (Groups::keys > 1) read("images", detail::footprint_of(groups.images, n));
  const device_of_stream device(backend.placed());
  if (n == 0) return check(cudaMemsetAsync(kept.count, 0, sizeof *kept.count, backend.stream()), "cudaMemsetAsync");

  nms_memory<A> m{};
  backend.reserve(m.place(nullptr, n));
  m.place(backend.workspace(), n);
  const cudaStream_t stream = backend.stream();
  const bool wide = is_aligned<4>(boxes.data) && (n == 1 || is_aligned<4>(boxes.data + boxes.row_stride));
  launch("nms: nms_key_kernel", nms_key_kernel<A, T, Scores>, {blocks_for(n), block_threads}, stream, m, boxes, wide,
         scores, options.score_threshold);
  launch("nms: nms_rank_kernel", nms_rank_kernel<Format, A, T, Groups>, {grid_for((n + 31) / 32), block_threads},
         stream, m, boxes, wide, groups);
  const index tiles = (n + nms_tile_rows - 1) / nms_tile_rows * (m.words / nms_tile_words);  // half never computed
  launch("nms: nms_bits_kernel", nms_bits_kernel<Format, Groups::keys, A, Rule<A>>,
         {grid_for((tiles + 1) / 2), block_threads}, stream, m, Rule<A>(options.threshold));
  const bool limits = Groups::keys > 1 || (Groups::keys > 0 && options.most_per_class < n);
  launch("nms: nms_walk_kernel", nms_walk_kernel<A>, {1, nms_walk_words * nms_walk_slices}, stream, m,
         limits ? n : options.most.value, limits ? m.taken + 1 : kept.rows, limits ? m.taken : kept.count);
  if (limits) enqueue_nms_limits(stream, m, n, groups, options, kept.rows, kept.count);
}

template <template <class> class Rule, class Boxes, class Scores, class Format>
void enqueue_nms_of_all(cuda& backend, const char* function, Boxes const& boxes, Scores const& scores,
                        nms_options const& options, Format format, nms_answer kept) {
  enqueue_nms<Rule, detail::number_of<Boxes>>(backend, function, boxes, detail::scores_of(function, scores), options,
                                              format, one_group{}, kept);
}
template <template <class> class Rule, class Boxes, class Scores, class Format, class Classes, class... Images>
void enqueue_nms_by_class(cuda& backend, const char* function, Boxes const& boxes, Scores const& scores,
                          nms_options const& options, Format format, nms_answer kept, Classes const& classes,
                          Images const&... images) {
  using label = detail::number_in<Classes const&>;
  detail::require_one_per_box(function, detail::count_of(classes), "classes", boxes.rows);
  (detail::require_one_per_box(function, detail::count_of(images), "images", boxes.rows), ...);
  const auto enqueue = [&](auto const& groups) {
    enqueue_nms<Rule, detail::number_of<Boxes>>(backend, function, boxes, detail::scores_of(function, scores), options,
                                                format, groups, kept);
  };
  if constexpr (sizeof...(Images) == 0)
    enqueue(groups_of_classes<label>{detail::data_of(classes)});
  else
    enqueue(groups_of_images<label, detail::number_in<Images const&>...>{detail::data_of(classes),
                                                                         detail::data_of(images)...});
}

}  // namespace on_cuda

/// Enqueues greedy suppression: writes the result of hone::nms on the CPU to kept[0 … *count), in device memory. kept
/// has room for a row per box, or for .most rows if that is less; rows after *count are not written.
///
///     hone::nms(gpu, boxes, scores, kept, count, {.threshold = 0.5});
///
/// Enqueues four kernels for any boxes, and uses n²/8 bytes of workspace and a few more. At most 1,048,576 boxes.
/// Throws hone::invalid_argument if a shape, a size, an option or a pointer is invalid, hone::cuda_error if a CUDA call
/// fails, or the stream is captured and the workspace has fewer than nms_workspace_bytes(boxes).
template <class Boxes, class Scores, class Format = corners_format>
void nms(cuda& backend, Boxes const& boxes, Scores const& scores, index* kept, index* count, nms_options options = {},
         Format format = {}) {
  detail::require_detections<Boxes, Scores, Format>();
  on_cuda::enqueue_nms_of_all<detail::iou_exceeds>(backend, "nms", boxes, scores, options, format, {kept, count});
}
template <class Boxes, class Scores, box_format Format>
void nms(cuda& backend, Boxes const& boxes, Scores const& scores, index* kept, index* count, Format format) {
  nms(backend, boxes, scores, kept, count, nms_options{}, format);
}
/// nms with DIoU in place of IoU.
template <class Boxes, class Scores, class Format = corners_format>
void diou_nms(cuda& backend, Boxes const& boxes, Scores const& scores, index* kept, index* count,
              nms_options options = {}, Format format = {}) {
  detail::require_detections<Boxes, Scores, Format>();
  on_cuda::enqueue_nms_of_all<detail::diou_exceeds>(backend, "diou_nms", boxes, scores, options, format, {kept, count});
}
template <class Boxes, class Scores, box_format Format>
void diou_nms(cuda& backend, Boxes const& boxes, Scores const& scores, index* kept, index* count, Format format) {
  diou_nms(backend, boxes, scores, kept, count, nms_options{}, format);
}

/// nms within each class: classes are n integers of any type and value, in device memory. .most_per_class adds three
/// kernels.
template <class Boxes, class Scores, class Classes, class Format = corners_format>
void batched_nms(cuda& backend, Boxes const& boxes, Scores const& scores, Classes const& classes, index* kept,
                 index* count, nms_options options = {}, Format format = {}) {
  detail::require_detections<Boxes, Scores, Format, Classes>();
  on_cuda::enqueue_nms_by_class<detail::iou_exceeds>(backend, "batched_nms", boxes, scores, options, format,
                                                     {kept, count}, classes);
}
template <class Boxes, class Scores, class Classes, box_format Format>
void batched_nms(cuda& backend, Boxes const& boxes, Scores const& scores, Classes const& classes, index* kept,
                 index* count, Format format) {
  batched_nms(backend, boxes, scores, classes, kept, count, nms_options{}, format);
}
/// The same for several images at once, as on the CPU: adds three kernels, and kept must have room for all rows.
template <class Boxes, class Scores, class Classes, class Images, class Format = corners_format>
void batched_nms(cuda& backend, Boxes const& boxes, Scores const& scores, Classes const& classes, Images const& images,
                 index* kept, index* count, nms_options options = {}, Format format = {}) {
  detail::require_detections<Boxes, Scores, Format, Classes, Images>();
  on_cuda::enqueue_nms_by_class<detail::iou_exceeds>(backend, "batched_nms", boxes, scores, options, format,
                                                     {kept, count}, classes, images);
}
/// batched_nms with DIoU in place of IoU.
template <class Boxes, class Scores, class Classes, class Format = corners_format>
void batched_diou_nms(cuda& backend, Boxes const& boxes, Scores const& scores, Classes const& classes, index* kept,
                      index* count, nms_options options = {}, Format format = {}) {
  detail::require_detections<Boxes, Scores, Format, Classes>();
  on_cuda::enqueue_nms_by_class<detail::diou_exceeds>(backend, "batched_diou_nms", boxes, scores, options, format,
                                                      {kept, count}, classes);
}
template <class Boxes, class Scores, class Classes, box_format Format>
void batched_diou_nms(cuda& backend, Boxes const& boxes, Scores const& scores, Classes const& classes, index* kept,
                      index* count, Format format) {
  batched_diou_nms(backend, boxes, scores, classes, kept, count, nms_options{}, format);
}
template <class Boxes, class Scores, class Classes, class Images, class Format = corners_format>
void batched_diou_nms(cuda& backend, Boxes const& boxes, Scores const& scores, Classes const& classes,
                      Images const& images, index* kept, index* count, nms_options options = {}, Format format = {}) {
  detail::require_detections<Boxes, Scores, Format, Classes, Images>();
  on_cuda::enqueue_nms_by_class<detail::diou_exceeds>(backend, "batched_diou_nms", boxes, scores, options, format,
                                                      {kept, count}, classes, images);
}

/// Returns the bytes of workspace that any of these functions needs for these boxes.
template <class T>
std::size_t nms_workspace_bytes(matrix_view<T> boxes) noexcept {
  return on_cuda::nms_memory<detail::box_arithmetic<T>>{}.place(nullptr, boxes.rows);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
