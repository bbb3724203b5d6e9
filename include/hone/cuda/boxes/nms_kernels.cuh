// SPDX-License-Identifier: MIT
/// The kernels of non-maximum suppression: rows get keys, keys get ranks, pairs of ranks get bits, and one block walks
/// through the ranks. Integers alone are added or combined across threads: the same answer in every run.
#pragma once

#include <hone/cuda/memory/vector.cuh>
#include <hone/cuda/run/backend.cuh>
#include <hone/cuda/run/barrier.cuh>
#include <hone/cuda/run/launch.hpp>
#include <hone/detect/nms.hpp>

#include <cuda_runtime.h>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

using nms_bits = unsigned long long;

inline constexpr int nms_tile_rows = 64, nms_tile_words = 4;     // of bits, by a block of 256 threads
inline constexpr int nms_walk_words = 128, nms_walk_slices = 4;  // a thread combines 16 rows of a word
inline constexpr index most_nms_boxes = 1048576;                 // n²/8 bytes of bits are 137 GB

/// What lies in the workspace, for n boxes; all but the keys by rank.
template <class A>
struct nms_memory {
  nms_bits* keys;
  index* detections;  // how many rows take part
  index *rows, *groups, *images;
  vector<A, 4>* boxes;
  nms_bits *diagonal, *removed;  // bits of a row among the 64 ranks it is one of; ranks that are suppressed so far
  index* taken;                  // where limits are to be applied: how many rows are kept without them, and which
  bool *in_class, *in_image;     // of those: whether its class has room for it, and its image too
  nms_bits* bits;                // words of a row: which later ranks it suppresses
  index words;                   // a row of bits is whole sectors of 32 bytes

  /// Places all behind the first bytes of a workspace (see cuda/run/reduce.cuh); returns how many bytes that takes.
  std::size_t place(void* workspace, index n) noexcept {
    std::size_t at = workspace_alignment;
    const auto take = [&](auto*& to, index count) {
      to = reinterpret_cast<std::remove_reference_t<decltype(to)>>(static_cast<char*>(workspace) + at);
      const std::size_t bytes = static_cast<std::size_t>(count) * sizeof *to;
      at += (bytes + workspace_alignment - 1) / workspace_alignment * workspace_alignment;
    };
    words = (n + 64 * nms_tile_words - 1) / (64 * nms_tile_words) * nms_tile_words;
    take(keys, n), take(detections, 1), take(rows, n), take(groups, n), take(images, n), take(boxes, n),
        take(diagonal, n), take(removed, words), take(taken, n + 1), take(in_class, n), take(in_image, n),
        take(bits, n * words);
    return at;
  }
};

/// Rows that are all of one group, of that of their class, or of that of their class in their image. keys: how many
/// numbers tell groups apart.
struct one_group {
  static constexpr int keys = 0;
  __device__ index of(index) const { return 0; }
  __device__ index image_of(index) const { return 0; }
};
template <std::integral Label>
struct groups_of_classes {
  static constexpr int keys = 1;
  Label const* classes;
  __device__ index of(index row) const { return static_cast<index>(classes[row]); }
  __device__ index image_of(index) const { return 0; }
};
template <std::integral Label, std::integral Image>
struct groups_of_images {
  static constexpr int keys = 2;
  Label const* classes;
  Image const* images;
  __device__ index of(index row) const { return static_cast<index>(classes[row]); }
  __device__ index image_of(index row) const { return static_cast<index>(images[row]); }
};

template <class A, class T>
__device__ void read_box(matrix_view<const T> boxes, index row, bool wide, A (&to)[4]) {
  T const* const from = boxes.data + row * boxes.row_stride;
  if (wide) return load(from, to, 4);
#pragma unroll
  for (int c = 0; c < 4; ++c) to[c] = static_cast<A>(from[c]);
}

template <class A, class T, class Scores>
__global__ void __launch_bounds__(block_threads) nms_key_kernel(nms_memory<A> const m, matrix_view<const T> const boxes,
                                                                bool wide, Scores const scores, double least) {
  for (index i = index(blockIdx.x) * blockDim.x + threadIdx.x; i < boxes.rows; i += index(gridDim.x) * blockDim.x) {
    A b[4];
    read_box(boxes, i, wide, b);
    m.keys[i] = detail::rank_key(scores[i], least, b);
  }
}

/// A row's rank is how many come before it. A block ranks 32 rows, a lane of each warp one, and each warp counts an
/// eighth of the others.
template <class Format, class A, class T, class Groups>
__global__ void __launch_bounds__(block_threads)
    nms_rank_kernel(nms_memory<A> const m, matrix_view<const T> const boxes, bool wide, Groups const groups) {
  constexpr int warps = block_threads / 32;
  __shared__ nms_bits keys[block_threads];
  __shared__ int before[warps][32];
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  for (index first = index(blockIdx.x) * 32; first < boxes.rows; first += index(gridDim.x) * 32) {
    const index row = first + lane;
    const nms_bits own = row < boxes.rows ? m.keys[row] : 0;
    int higher = 0, all = 0;
    for (index tile = 0; tile < boxes.rows; tile += block_threads) {
      const index other = tile + threadIdx.x;
      const nms_bits key = other < boxes.rows ? m.keys[other] : 0;
      block_barrier();  // the tile before may still be read
      keys[threadIdx.x] = key;
      all += __syncthreads_count(key != 0);          // and the tile is there
      const index ahead = row - (tile + warp * 32);  // so many of the warp's come before the row
      for (int k = 0; k < 32; ++k) {
        const nms_bits x = keys[warp * 32 + k];
        higher += x > own || (x == own && k < ahead);
      }
    }
    before[warp][lane] = higher;
    __syncthreads();
    if (warp != 0) continue;
    if (row == 0) *m.detections = all;
    if (own == 0) continue;
    int rank = 0;
    for (int w = 0; w < warps; ++w) rank += before[w][lane];
    A b[4];
    read_box(boxes, row, wide, b);
    const box<A> n = Format::numbers_of(b);
    m.rows[rank] = row;
    m.boxes[rank] = {n.x1, n.y1, n.x2, n.y2};
    if constexpr (Groups::keys > 0) m.groups[rank] = groups.of(row);
    if constexpr (Groups::keys > 1) m.images[rank] = groups.image_of(row);
  }
}

template <class A>
__device__ box<A> box_of(vector<A, 4> const& v) {
  return {v.at[0], v.at[1], v.at[2], v.at[3]};
}

/// A block takes 64 rows by 4 words of 64 later ranks; what lies below the diagonal is neither computed nor written.
template <class Format, int Keys, class A, class Rule>
__global__ void __launch_bounds__(block_threads) nms_bits_kernel(nms_memory<A> const m, Rule const rule) {
  constexpr int apart = 65;  // words start in different banks
  __shared__ vector<A, 4> columns[nms_tile_words * apart];
  __shared__ index column_groups[Keys > 0 ? nms_tile_words * apart : 1];
  __shared__ index column_images[Keys > 1 ? nms_tile_words * apart : 1];
  const int thread = static_cast<int>(threadIdx.x), slot = thread / 64 * apart + thread % 64;
  const int count = static_cast<int>(*m.detections);
  const int down = (count + 63) / 64, across = (count + block_threads - 1) / block_threads;
  for (int tile = static_cast<int>(blockIdx.x); tile < down * across; tile += static_cast<int>(gridDim.x)) {
    const int first_word = tile % across * nms_tile_words, block = tile / across;
    if (first_word + nms_tile_words <= block) continue;
    block_barrier();  // the tile before may still be read
    if (const int column = first_word * 64 + thread; column < count) {
      columns[slot] = m.boxes[column];
      if constexpr (Keys > 0) column_groups[slot] = m.groups[column];
      if constexpr (Keys > 1) column_images[slot] = m.images[column];
    }
    __syncthreads();
    const int row = block * nms_tile_rows + thread / nms_tile_words, of_tile = thread % nms_tile_words;
    const int word = first_word + of_tile, used = ::min(count - word * 64, 64);
    if (row >= count || word < block || used <= 0) continue;
    const box<A> kept = box_of(m.boxes[row]);
    index group = 0, image = 0;
    if constexpr (Keys > 0) group = m.groups[row];
    if constexpr (Keys > 1) image = m.images[row];
    nms_bits bits = 0;
    for (int k = 0; k < used; ++k) {
      bool out = detail::exceeds(rule, box_pair<A, Format>(kept, box_of(columns[of_tile * apart + k])));
      if constexpr (Keys > 0) out = out && column_groups[of_tile * apart + k] == group;
      if constexpr (Keys > 1) out = out && column_images[of_tile * apart + k] == image;
      bits |= static_cast<nms_bits>(out) << k;
    }
    if (word == block)
      m.diagonal[row] = bits & ~nms_bits(1) << (row % 64);
    else
      m.bits[row * m.words + word] = bits;
  }
}

/// One block: of 64 ranks at a time it settles which are kept, and then combines what these suppress.
template <class A>
__global__ void __launch_bounds__(nms_walk_words* nms_walk_slices)
    nms_walk_kernel(nms_memory<A> const m, index most, index* kept, index* kept_count) {
  constexpr int rows_of_slice = 64 / nms_walk_slices;
  __shared__ nms_bits diagonal[64], settled;
  const int thread = static_cast<int>(threadIdx.x), slice = thread / nms_walk_words;
  const int count = static_cast<int>(*m.detections), words = (count + 63) / 64;
  for (int w = thread; w < words; w += static_cast<int>(blockDim.x)) m.removed[w] = 0;
  index taken = 0;
  for (int b = 0; b < words && taken < most; ++b) {
    const int first = b * 64, size = ::min(count - first, 64);
    if (thread < size) diagonal[thread] = m.diagonal[first + thread];
    __syncthreads();  // diagonal is there, and so is what the ranks before suppress
    if (thread == 0) {
      nms_bits open = ~__ldcg(m.removed + b) & ~nms_bits(0) >> (64 - size), keep = 0;
      for (index room = most - taken; open != 0 && room > 0; --room) {
        const int k = __ffsll(static_cast<long long>(open)) - 1;
        keep |= nms_bits(1) << k;
        open &= ~(diagonal[k] | nms_bits(1) << k);
      }
      settled = keep;
    }
    __syncthreads();  // settled is there, and diagonal read
    const nms_bits keep = settled;
    if (thread < 64 && (keep >> thread & 1) != 0)
      kept[taken + __popcll(keep & ((nms_bits(1) << thread) - 1))] = m.rows[first + thread];
    taken += __popcll(keep);
    const unsigned part = static_cast<unsigned>(keep >> (slice * rows_of_slice)) & ((1U << rows_of_slice) - 1);
    nms_bits const* const rows = m.bits + (first + slice * rows_of_slice) * m.words;
    for (int w = b + 1 + thread % nms_walk_words; w < words; w += nms_walk_words) {
      nms_bits gone = 0;
#pragma unroll
      for (int k = 0; k < rows_of_slice; ++k)
        if ((part >> k & 1) != 0) gone |= rows[k * m.words + w];
      if (gone != 0) atomicOr(m.removed + w, gone);
    }
  }
  if (thread == 0) *kept_count = taken;
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
