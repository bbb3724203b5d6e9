// SPDX-License-Identifier: MIT
/// The kernels of non-maximum suppression: they compute keys of rows, ranks of keys, and bits of pairs of ranks; then
/// one block walks through the ranks. Only integers are combined across threads: every run has the same result.
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

inline constexpr int nms_tile_rows = 64, nms_tile_words = 4;     // of bits, per block of 256 threads
inline constexpr int nms_walk_words = 128, nms_walk_slices = 4;  // a thread combines 16 rows of a word
inline constexpr index max_nms_boxes = 1048576;                  // n²/8 bytes of bits are 137 GB

/// The arrays in the workspace, for n boxes; all except the keys are ordered by rank.
template <class A>
struct nms_memory {
  nms_bits* keys;
  index* detections;  // number of rows that take part
  index *rows, *groups, *images;
  vector<A, 4>* boxes;
  nms_bits *diagonal, *removed;  // bits of a row among its own 64 ranks; ranks suppressed so far
  index* taken;                  // if limits apply: the number of rows kept without them, and these rows
  bool *in_class, *in_image;     // for these rows: whether the class has room, and the image too
  nms_bits* bits;                // words of a row: the later ranks that it suppresses
  index words;                   // a row of bits has complete sectors of 32 bytes

  /// Places all arrays after the first bytes of a workspace (see cuda/run/reduce.cuh); returns the bytes in use.
  std::size_t place(void* workspace, index n) noexcept {
    std::size_t at = workspace_alignment;
    const auto take = [&](auto*& to, index count) {
      to = reinterpret_cast<std::remove_reference_t<decltype(to)>>(static_cast<char*>(workspace) + at);
      at += aligned_bytes(static_cast<std::size_t>(count) * sizeof *to);
    };
    words = (n + 64 * nms_tile_words - 1) / (64 * nms_tile_words) * nms_tile_words;
    take(keys, n), take(detections, 1), take(rows, n), take(groups, n), take(images, n), take(boxes, n),
        take(diagonal, n), take(removed, words), take(taken, n + 1), take(in_class, n), take(in_image, n),
        take(bits, n * words);
    return at;
  }
};

/// The group of a row: one for all rows, its class, or its class in its image. `keys` is the number of values that
/// identify a group.
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
                                                                bool wide, Scores const scores, double threshold) {
  for (index i = index(blockIdx.x) * blockDim.x + threadIdx.x; i < boxes.rows; i += index(gridDim.x) * blockDim.x) {
    A b[4];
    read_box(boxes, i, wide, b);
    m.keys[i] = detail::rank_key(scores[i], threshold, b);
  }
}

/// The rank of a row is the number of rows before it. A block ranks 32 rows, one per lane of each warp, and each warp
/// compares them with an eighth of the others.
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
      block_barrier();  // other threads may still read the tile before
      keys[threadIdx.x] = key;
      all += __syncthreads_count(key != 0);          // and waits for the tile
      const index ahead = row - (tile + warp * 32);  // number of the warp's rows before this row
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

/// A block computes 64 rows by 4 words of 64 later ranks; it neither computes nor writes values below the diagonal.
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
    block_barrier();  // other threads may still read the tile before
    if (const int column = first_word * 64 + thread; column < count) {
      columns[slot] = m.boxes[column];
      if constexpr (Keys > 0) column_groups[slot] = m.groups[column];
      if constexpr (Keys > 1) column_images[slot] = m.images[column];
    }
    __syncthreads();
    const int row = block * nms_tile_rows + thread / nms_tile_words, of_tile = thread % nms_tile_words;
    const int word = first_word + of_tile, used = ::min(count - word * 64, 64);
    if (row >= count || word < block || used <= 0) continue;
    const box<A> suppressor = box_of(m.boxes[row]);
    index group = 0, image = 0;
    if constexpr (Keys > 0) group = m.groups[row];
    if constexpr (Keys > 1) image = m.images[row];
    nms_bits bits = 0;
    for (int k = 0; k < used; ++k) {
      bool out = detail::exceeds(rule, box_pair<A, Format>(suppressor, box_of(columns[of_tile * apart + k])));
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

/// One block: decides for 64 ranks at a time which are kept, then combines the ranks that these suppress.
template <class A>
__global__ void __launch_bounds__(nms_walk_words* nms_walk_slices)
    nms_walk_kernel(nms_memory<A> const m, index limit, index* kept, index* kept_count) {
  constexpr int rows_of_slice = 64 / nms_walk_slices;
  __shared__ nms_bits diagonal[64], settled;
  const int thread = static_cast<int>(threadIdx.x), slice = thread / nms_walk_words;
  const int count = static_cast<int>(*m.detections), words = (count + 63) / 64;
  for (int w = thread; w < words; w += static_cast<int>(blockDim.x)) m.removed[w] = 0;
  index taken = 0;
  for (int b = 0; b < words && taken < limit; ++b) {
    const int first = b * 64, size = ::min(count - first, 64);
    if (thread < size) diagonal[thread] = m.diagonal[first + thread];
    __syncthreads();  // diagonal is written, and so are the suppressions by earlier ranks
    if (thread == 0) {
      nms_bits open = ~__ldcg(m.removed + b) & ~nms_bits(0) >> (64 - size), keep = 0;
      for (index room = limit - taken; open != 0 && room > 0; --room) {
        const int k = __ffsll(static_cast<long long>(open)) - 1;
        keep |= nms_bits(1) << k;
        open &= ~(diagonal[k] | nms_bits(1) << k);
      }
      settled = keep;
    }
    __syncthreads();  // settled is written, and diagonal was read
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
