// SPDX-License-Identifier: MIT
/// Divides rows into chunks for the threads. Chunks depend on the shape alone, and their sums are added in order, so
/// the bits do not depend on the number of threads.
#pragma once

#include <hone/core/numbers.hpp>
#include <hone/core/view_check.hpp>
#include <hone/cpu/memory/row_layout.hpp>
#include <hone/cpu/memory/streaming_store.hpp>
#include <hone/cpu/run/backend.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

struct chunk_plan_t {
  index rows = 0;
  index rows_per_chunk = 1;

  index chunks() const noexcept { return (rows + rows_per_chunk - 1) / rows_per_chunk; }
};

inline constexpr index chunk_elements = 16384;  // about ten microseconds of work
inline constexpr index max_chunks = 1024;

template <class A, class View>
chunk_plan_t chunk_plan(View prediction) noexcept {
  constexpr index W = pack<A>::size;
  const index rows = detail::rows_of(prediction), columns = std::max<index>(detail::columns_of(prediction), 1);
  // Several wide rows per chunk, because the next row of a chunk is prefetched; one if rows are few, to feed threads.
  index per = std::max(
      {chunk_elements / columns, (rows + max_chunks - 1) / max_chunks, std::min<index>(4, rows / 64), index(1)});
  if (is_tall(prediction)) per = (per + W - 1) / W * W;  // full groups
  return {rows, per};
}

/// Returns the sum of body(begin, end, scratch) over all chunks, where body returns the sum of rows [begin, end).
template <class Body>
double sum_over_chunks(cpu const& backend, chunk_plan_t plan, std::size_t bytes, Body const& body) {
  double sums[max_chunks];
  for_chunks(backend, plan.chunks(), bytes, [&](index chunk, std::byte* memory) {
    const index begin = chunk * plan.rows_per_chunk;
    sums[chunk] = body(begin, std::min(begin + plan.rows_per_chunk, plan.rows), memory);
    stream_fence();
  });
  double total = 0;
  for (index chunk = 0; chunk < plan.chunks(); ++chunk) total += sums[chunk];
  return total;
}

/// Returns true if a gradient is large and is not the prediction itself, whose lines are already in the caches.
template <class P, class G>
bool worth_streaming(P prediction, G gradient) noexcept {
  const auto bytes =
      static_cast<std::size_t>(detail::rows_of(gradient) * detail::columns_of(gradient)) * sizeof(*gradient.data);
  return gradient.data != nullptr &&
         static_cast<void const*>(gradient.data) != static_cast<void const*>(prediction.data) &&
         bytes >= streaming_from;
}

/// Returns the number of rows that are not ignored.
template <class Ignores>
double count_rows(index rows, bool any_ignored, Ignores const& ignores) {
  if (!any_ignored) return static_cast<double>(rows);
  index counted = 0;
  for (index i = 0; i < rows; ++i) counted += !ignores(i);
  return static_cast<double>(counted);
}

/// Fails unless every weigh_rows of a leaf has one finite weight per row.
template <class Leaf>
void check_row_weights(Leaf const& leaf, index rows) {
  leaf.check_weight_sizes(rows);
  for (int k = 0; k < Leaf::weight_count; ++k)
    detail::require_values(leaf.weights[k], "weigh_rows weight", "row", detail::finite, "finite");
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
