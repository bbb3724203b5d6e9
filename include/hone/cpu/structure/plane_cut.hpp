// SPDX-License-Identifier: MIT
/// Divides planes into chunks for the threads, by the shape alone, and runs: stretches of one plane.
#pragma once

#include <hone/core/view.hpp>
#include <hone/cpu/memory/streaming_store.hpp>
#include <hone/cpu/run/backend.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

inline constexpr index run_numbers = 2048;  // of the longest run: what a run reads and writes fits the first cache

/// Consecutive planes of images: plane p is channel p % channels of image p / channels. A chunk has whole planes.
struct plane_cut {
  index first, planes, channels, pixels, per_chunk;

  /// The planes of images [begin, end). Chunks whose stores pass the caches are longer, because they wait for them.
  template <class T>
  plane_cut(image_view<T> v, index begin, index end, bool past_caches) noexcept
      : first(begin * v.channels),
        planes((end - begin) * v.channels),
        channels(v.channels),
        pixels(v.pixels),
        per_chunk(std::clamp<index>((past_caches ? 65536 : 16384) / std::max<index>(v.pixels, 1), 1, 4096)) {}
  template <class T>
  explicit plane_cut(image_view<T> v, bool past_caches = false) noexcept : plane_cut(v, 0, v.images, past_caches) {}

  index chunks() const noexcept { return (planes + per_chunk - 1) / per_chunk; }
};

/// Calls body(begin, end, memory) for the planes [begin, end) of every chunk.
template <class Body>
void for_planes(cpu const& backend, plane_cut const& cut, std::size_t bytes, Body const& body) {
  for_chunks(backend, cut.chunks(), bytes, [&](index chunk, std::byte* memory) {
    const index begin = chunk * cut.per_chunk, end = std::min(begin + cut.per_chunk, cut.planes);
    body(cut.first + begin, cut.first + end, memory);
    stream_fence();
  });
}

/// Calls body(at, n) for the runs of a plane, whose first number is number at of the view.
template <class Body>
HONE_INLINE void for_runs(index plane, index pixels, Body const& body) {
  for (index from = 0; from < pixels; from += run_numbers)
    body(plane * pixels + from, std::min(run_numbers, pixels - from));
}

/// Returns true if an output is large, and is none of the inputs, whose lines are already in the caches.
template <class T>
bool passes_caches(image_view<T> out, std::initializer_list<void const*> inputs) noexcept {
  const auto bytes = static_cast<std::size_t>(out.images * out.channels * out.pixels) * sizeof(T);
  return bytes >= streaming_from && std::ranges::find(inputs, static_cast<void const*>(out.data)) == inputs.end();
}

/// Copies numbers of the planes [begin, end) from a matrix of images x channels, and back.
template <class A>
void gather_planes(matrix_view<const A> from, index begin, index end, A* to) noexcept {
  for (index p = begin; p < end;) {
    const index row = p / from.columns, c = p - row * from.columns, n = std::min(from.columns - c, end - p);
    to = std::copy_n(from.row(row) + c, n, to);
    p += n;
  }
}
template <class A>
void scatter_planes(A const* from, matrix_view<A> to, index begin, index end) noexcept {
  for (index p = begin; p < end;) {
    const index row = p / to.columns, c = p - row * to.columns, n = std::min(to.columns - c, end - p);
    std::copy_n(from, n, to.row(row) + c);
    from += n, p += n;
  }
}

/// Where a chunk writes an image: to its memory; to a strip of run_numbers, whose numbers then bypass the caches; or to
/// a strip that nothing reads, if the output is not wanted.
template <class T>
class plane_output {
 public:
  plane_output(image_view<T> v, bool past_caches, T* strip) noexcept
      : to_(v.data), strip_(strip), past_caches_(past_caches && v.data) {}

  /// Returns memory for the numbers [at, at + n). Requests of a chunk are adjacent.
  T* room(index at, index n) noexcept {
    if (!past_caches_) return to_ ? to_ + at : strip_;
    if (filled_ + n > run_numbers) flush();
    if (filled_ == 0) begin_ = at;
    filled_ += n;
    return strip_ + filled_ - n;
  }
  void flush() noexcept {
    if (filled_ > 0) stream_copy(static_cast<T const*>(strip_), to_ + begin_, filled_);
    filled_ = 0;
  }

 private:
  T *to_, *strip_;
  bool past_caches_;
  index begin_ = 0, filled_ = 0;
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
