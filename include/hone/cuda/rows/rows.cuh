// SPDX-License-Identifier: MIT
/// The kernels of row terms on CUDA, and the choice of the kernel for a call.
#pragma once

#include <hone/cuda/memory/job.cuh>
#include <hone/cuda/rows/held_rows.cuh>
#include <hone/cuda/rows/registers.cuh>
#include <hone/cuda/rows/shape.hpp>
#include <hone/cuda/rows/shared_tile.cuh>
#include <hone/cuda/rows/small_teams.cuh>
#include <hone/cuda/rows/worker.cuh>
#include <hone/cuda/run/barrier.cuh>
#include <hone/cuda/run/resident.cuh>
#include <hone/loss/region/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

inline constexpr index max_sorted_rows = index(1) << 30;  // of a region: a pixel's number has 30 bits (rows/lovasz.cuh)

template <class Job>
using views_of_job = decltype(all_views(std::declval<Job const&>().prediction, std::declval<Job const&>().leaves));

/// Tells which of the views are logits: the prediction and teachers.
template <class Job>
struct logits_of;
template <template <class, class...> class Job, class View, class... Leaf>
struct logits_of<Job<View, Leaf...>> {
  HONE_HD static constexpr bool of(std::size_t view) noexcept {
    std::size_t first = 1;
    bool found = view == 0;
    ((found |= row::has_teacher<typename Leaf::term_type> && view == first,
      first += std::size_t(view_count<typename Leaf::term_type>)),
     ...);
    return found;
  }
};

/// The largest number of values that the threads of a row reduce at once.
template <class Job>
inline constexpr int max_sums = 0;
template <template <class, class...> class Job, class View, class... Leaf>
inline constexpr int max_sums<Job<View, Leaf...>> =
    3 + ([]<class Term>(Term*) {
      const int first = row::count_of<Term> + 1, later = row::later_size<Term>, close = row::close_size<Term>;
      return first > later ? (first > close ? first : close) : later > close ? later : close;
    }(static_cast<typename Leaf::term_type*>(nullptr)) +
         ...);

/// The number of views that an objective reads, and the bytes of them that a thread holds per element. Arithmetic in
/// double counts twice, because it takes more registers than float.
template <class Views, class A>
struct size_of_views;
template <class... View, class A>
struct size_of_views<detail::list<View...>, A> {
  static constexpr int count = sizeof...(View),
                       bytes = (int(sizeof(detail::number_of<View>)) + ... + 0) * int(sizeof(A) / sizeof(float));
};

/// The shape of a kernel: whether a turn holds a complete row, whether it moves vectors, their number per thread, and
/// the rows per block.
template <row_kernel Kernel, bool Wide, int N, int Slots>
struct row_shape {
  static constexpr bool resident = Kernel != row_kernel::streamed, vectors = Wide;
  static constexpr int wide = N, slots = Slots, threads = threads_of(Kernel), rows = rows_of_block(Kernel);
};
/// The shape for pixels of images, whose classes are far apart: one thread per row.
struct pixel_shape {
  static constexpr bool resident = false, vectors = false;
  static constexpr int wide = 1, slots = 8, threads = 256, rows = threads;
};

template <class Shape, class Job, class Team>
__device__ typename Job::value rows_of_team(Job const& job, row_cut cut, index rows, Team team) {
  static_assert(Team::size == Shape::threads / Shape::rows);
  typename Job::factors scales;
  job.read_scales(scales);
  const auto views = all_views(job.prediction, job.leaves);
  row_registers<Shape::resident, Shape::vectors, Shape::wide, Shape::slots, Team::size,
                std::remove_const_t<decltype(views)>, decltype(job.out.gradient), logits_of<Job>>
      numbers(views, job.out.gradient, cut, team.rank());
  row_worker<Job, decltype(numbers), Team> worker(job, scales, numbers, team, cut.columns);
  const index first = index(blockIdx.x) * Shape::rows + threadIdx.x / Team::size, step = index(gridDim.x) * Shape::rows;
  typename Job::value value(job, scales);
  value.template each<Team::size>(first, rows, step, [&](index row) {
    // Where a block fills a multiprocessor, no other one works while it waits for its label.
    if constexpr (Shape::threads > block_threads)
      return worker.template evaluate<true>(row, row + step < rows ? row + step : row);
    else
      return worker.evaluate(row);
  });
  return value;
}

/// The blocks of 256 threads that a multiprocessor must have room for, of rows of `bytes` per number. More keeps the
/// compiler from computing so many elements at once that fewer rows are in flight. Labels take registers, and so do
/// conversions to 16 bits before sm_80.
constexpr int blocks_of_rows(row_kernel kernel, std::size_t bytes, int labels) noexcept {
  if (bytes > 2) return kernel == row_kernel::streamed ? 4 : 3;
  return HONE_DEVICE_ARCHITECTURE < 800 ? 1 : labels > 1 ? 3 : 4;
}
/// The same for a shape and a job; 1 lets the compiler give a thread as many registers as a row takes, instead of
/// spilling. So it is over ranks, whose exact sums take registers of their own.
template <class Shape, class Job>
inline constexpr int least_blocks = 1;
template <row_kernel Kernel, bool Wide, int N, int Slots, class View, class Leaf>
  requires(Wide && Kernel != row_kernel::wide_block && view_count<typename Leaf::term_type> == 0 &&
           !row::has_later_sweeps<typename Leaf::term_type> && !row::gathers<typename Leaf::term_type> &&
           !weighs_every_class<job<View, Leaf>> && sizeof(accumulator_t<detail::number_of<View>>) == sizeof(float))
inline constexpr int least_blocks<row_shape<Kernel, Wide, N, Slots>, job<View, Leaf>> =
    blocks_of_rows(Kernel, sizeof(detail::number_of<View>), detail::target_of_term<typename Leaf::term_type>::labels);

template <class Shape, class Job>
__global__ void __launch_bounds__(Shape::threads, least_blocks<Shape, Job>)
    row_kernel_of(Job const job, row_cut const cut, index rows) {
  using A = typename Job::A;
  typename Job::value value;
  if constexpr (Shape::rows == Shape::threads) {
    value = rows_of_team<Shape>(job, cut, rows, lone_thread());
  } else if constexpr (Shape::rows > 1) {
    value = rows_of_team<Shape>(job, cut, rows, one_warp());
  } else {
    using block = one_block<Shape::threads, operand_of<A>, max_sums<Job>>;
    __shared__ typename block::memory shared;
    value = rows_of_team<Shape>(job, cut, rows, block(shared));
  }
  value.finish(job);
}

template <class Job>
__global__ void tile_kernel(Job const job, tile_plan const plan) {
  using A = typename Job::A;
  constexpr int N = wide_of<typename Job::T>;
  constexpr bool images = !requires { job.prediction.row_stride; };
  extern __shared__ double memory[];
  A* const shared = reinterpret_cast<A*>(memory);
  const int thread = static_cast<int>(threadIdx.x);
  const int view_step = plan.stride * (images ? plan.columns : plan.rows);
  typename Job::factors scales;
  job.read_scales(scales);
  lone_thread team;
  tile_row<A> numbers(shared + thread * (images ? 1 : plan.stride), images ? plan.stride : 1, view_step, plan.columns);
  row_worker<Job, tile_row<A>, lone_thread> worker(job, scales, numbers, team, plan.columns);
  typename Job::value value(job, scales);
  for (index i = blockIdx.x; i < plan.tiles; i += gridDim.x) {
    const tile t = tile_at(job.prediction, plan, i);
    block_barrier();  // other threads may still write an earlier tile
    int k = 0;
    all_views(job.prediction, job.leaves).each([&](auto const& view) {
      read_tile<N>(view, t, plan, shared + k++ * view_step);
    });
    __syncthreads();
    value.add_if(thread < t.rows, [&] { return worker.evaluate(t.first_row + thread); });
    if (!job.out.gradient.data) continue;
    __syncthreads();
    write_tile<N>(shared, t, plan, job.out.gradient);
  }
  value.finish(job);
}

/// Fails if a loss that sorts pixels has weights of rows, or regions of too many pixels.
template <class View, class Leaf>
void check_sorted_leaf(View prediction, Leaf const& leaf) {
  for (int k = 0; k < Leaf::weight_count; ++k)
    if (!leaf.weights[k].is_repeated()) detail::fail("lovasz_softmax_loss: its rows cannot be weighed by weigh_rows");
  const index rows = detail::rows_of_region(prediction, leaf.term.policy);
  if (rows > max_sorted_rows)
    detail::fail("lovasz_softmax_loss: a region has %jd pixels, must be at most %jd on hone::cuda", std::intmax_t(rows),
                 std::intmax_t(max_sorted_rows));
}

template <class View, row_term Term, int Weights>
void check_leaf(View prediction, detail::leaf<Term, Weights> const& leaf) {
  const index rows = detail::rows_of(prediction), columns = detail::columns_of(prediction);
  leaf.check_weight_sizes(rows);
  if constexpr (row::has_target<Term>) leaf.term.target.check_shape(rows, columns);
  if constexpr (requires { leaf.term.check_shape(rows, columns); }) leaf.term.check_shape(rows, columns);
  if constexpr (row::has_teacher<Term>) detail::require_like(leaf.term.teacher, "distillation teacher", prediction);
  if constexpr (requires { leaf.term.check_view(prediction); }) leaf.term.check_view(prediction);
  if constexpr (detail::sorts_pixels<Term>) check_sorted_leaf(prediction, leaf);
}

template <class Job>
void launch_tiles(cuda const& backend, Job const& job, tile_plan plan, int bytes) {
  constexpr int N = wide_of<typename Job::T>;
  plan.by_columns = small_divider(plan.columns);
  plan.wide = all_aligned<N>(job, plan.one_line);
  launch("evaluate: tile_kernel", tile_kernel<Job>, job.dependent({grid_for(plan.tiles), plan.rows, bytes}),
         backend.stream(), job, plan);
}

template <class Shape, class Job>
void launch_shape(cuda const& backend, Job const& job, row_cut cut, index rows) {
  const auto kernel = row_kernel_of<Shape, Job>;
  const grid blocks = resident_grid(kernel, (rows + Shape::rows - 1) / Shape::rows, Shape::threads);
  launch("evaluate: row_kernel", kernel, job.dependent(blocks), backend.stream(), job, cut, rows);
}

template <row_kernel Kernel, class Job>
void launch_small_teams(cuda const& backend, Job const& job) {
  using size = size_of_views<views_of_job<Job>, typename Job::A>;
  constexpr int N = wide_of<typename Job::T>;
  constexpr team_shape shape = team_shape_for(Kernel, N, size::bytes, weighs_every_class<Job>);
  constexpr int rows = block_threads / shape.size;
  const auto kernel = small_team_kernel<N, shape.slots, shape.size, Job>;
  const grid blocks = resident_grid(kernel, (job.prediction.rows + rows - 1) / rows, block_threads);
  launch("evaluate: small_team_kernel", kernel, job.dependent(blocks), backend.stream(), job);
}

/// Rows whose views are aligned alike go by vectors. The others are rare, and have a kernel for a warp and one for
/// longer rows.
template <row_kernel Kernel, class Job>
void launch_rows_by(cuda const& backend, Job const& job, row_cut cut, index rows, bool wide) {
  constexpr int N = wide_of<typename Job::T>, bytes = size_of_views<views_of_job<Job>, typename Job::A>::bytes;
  constexpr bool weights = weighs_every_class<Job>;
  constexpr int slots = slots_for(Kernel, N, bytes, weights);
  if constexpr (Kernel == row_kernel::wide_block &&
                capacity_of(Kernel, N, bytes, weights) <= capacity_of(row_kernel::block, N, bytes))
    return;  // never chosen
  else if (wide)
    launch_shape<row_shape<Kernel, true, N, slots>>(backend, job, cut, rows);
  else if constexpr (Kernel == row_kernel::warp || Kernel == row_kernel::streamed)
    launch_shape<row_shape<Kernel, false, N, slots>>(backend, job, cut, rows);
  else
    launch_rows_by<row_kernel::streamed>(backend, job, cut, rows, wide);
}

template <template <class, class...> class Job, class T, class... Leaf>
void launch_rows(cuda const& backend, Job<matrix_view<const T>, Leaf...> const& work) {
  using work_type = Job<matrix_view<const T>, Leaf...>;
  using A = typename work_type::A;
  using size = size_of_views<views_of_job<work_type>, A>;
  constexpr int N = wide_of<T>;
  const index rows = work.prediction.rows, columns = work.prediction.columns;
  const row_cut cut{static_cast<int>(columns), {}};
  const bool wide = columns >= N && all_aligned_alike<N>(work),
             in_vectors = columns % N == 0 && all_aligned<N>(work, false);
  constexpr int held_slots = slots_for(row_kernel::held, N, size::bytes);
  const bool long_rows = wide && columns > capacity_of(row_kernel::block, N, size::bytes);
  const shared_room room = long_rows ? room_for_held<N, held_slots, max_sums<work_type>, work_type>() : shared_room();
  switch (row_kernel_for(columns, N, size::bytes, size::count, sizeof(A), in_vectors, weighs_every_class<work_type>,
                         room)) {
    case row_kernel::tile: {
      tile_plan plan{};
      plan.rows = tile_rows_of_matrix, plan.columns = cut.columns, plan.stride = int(tile_stride(columns));
      plan.one_line = all_without_gaps(work), plan.packed = plan.one_line && plan.stride == plan.columns;
      plan.all_rows = rows, plan.tiles = (rows + plan.rows - 1) / plan.rows;
      return launch_tiles(backend, work, plan, int(tile_bytes(plan.rows, plan.stride, size::count, sizeof(A))));
    }
    case row_kernel::team_48:
      return launch_small_teams<row_kernel::team_48>(backend, work);
    case row_kernel::team_96:
      return launch_small_teams<row_kernel::team_96>(backend, work);
    case row_kernel::warp:
      return launch_rows_by<row_kernel::warp>(backend, work, cut, rows, wide);
    case row_kernel::block:
      return launch_rows_by<row_kernel::block>(backend, work, cut, rows, wide);
    case row_kernel::wide_block:
      return launch_rows_by<row_kernel::wide_block>(backend, work, cut, rows, wide);
    case row_kernel::held:
      return launch_held<N, held_slots, max_sums<work_type>>(
          backend, work, cut.columns, rows, held_bytes(columns, N, size::bytes, size::count, sizeof(A)));
    case row_kernel::streamed:
      return launch_rows_by<row_kernel::streamed>(backend, work, cut, rows, wide);
  }
}

template <template <class, class...> class Job, class T, class... Leaf>
void launch_rows(cuda const& backend, Job<image_view<const T>, Leaf...> const& work) {
  using work_type = Job<image_view<const T>, Leaf...>;
  using A = typename work_type::A;
  using size = size_of_views<views_of_job<work_type>, A>;
  const auto v = work.prediction;
  const int tile_rows = tile_rows_of_images(v.channels, size::count, sizeof(A));
  if (tile_rows > 0) {
    tile_plan plan{};
    plan.rows = plan.stride = tile_rows, plan.columns = int(v.channels), plan.packed = true;
    plan.tiles_per_image = divider((v.pixels + tile_rows - 1) / tile_rows);
    plan.tiles = v.images * plan.tiles_per_image.by, plan.all_rows = v.images * v.pixels;
    return launch_tiles(backend, work, plan, int(tile_bytes(plan.rows, plan.columns, size::count, sizeof(A))));
  }
  launch_shape<pixel_shape>(backend, work, {int(v.channels), divider(v.pixels)}, v.images * v.pixels);
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
