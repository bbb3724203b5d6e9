// SPDX-License-Identifier: MIT
/// What every kernel of evaluate is given, and how views are read by rows.
#pragma once

#include <hone/core/outputs.hpp>
#include <hone/core/view_check.hpp>
#include <hone/cuda/divisor.cuh>
#include <hone/cuda/vector.cuh>

namespace hone::on_cuda {

template <class View, class... Leaf>
struct job {
  using view = View;
  using T = detail::number_of<View>;
  using A = accumulator_t<T>;
  static constexpr int most_sums = 2 + 5 * int(sizeof...(Leaf));  // of a row, at once

  View prediction;
  typename detail::outputs_of<View>::type out;
  detail::list<Leaf...> leaves;
  scale_of_leaf scales[sizeof...(Leaf)];
  grid_scratch scratch;
  unsigned long long* invalid_labels;  // a counter, or null

  /// The factors of the reduction, for whole warps; 0 where there is nothing to average.
  __device__ void read_scales(A (&to)[sizeof...(Leaf)]) const {
#pragma unroll
    for (std::size_t k = 0; k < sizeof...(Leaf); ++k) {
      const A factor = threadIdx.x % 32 == 0 ? static_cast<A>(scales[k].get()) : A(0);
      to[k] = __shfl_sync(0xffffffff, factor, 0);  // read once per warp
    }
  }
};

/// A prediction without elements is worth 0, and so are its rows.
template <class Outputs>
void write_nothing(cuda const& backend, Outputs const& out, index rows) {
  const auto clear = [&](auto* to, index count) {
    if (to && count > 0)
      check(cudaMemsetAsync(to, 0, sizeof(*to) * static_cast<std::size_t>(count), backend.stream()), "cudaMemsetAsync");
  };
  clear(out.unreduced, rows);
  clear(out.value, 1);
}

/// Whether nothing lies between the numbers of a view.
template <class T>
bool without_gaps(matrix_view<T> v) noexcept {
  return v.row_stride == v.columns || v.rows <= 1;
}
template <class T>
bool without_gaps(image_view<T>) noexcept {
  return true;
}

/// Whether every row of a matrix, or every plane of images, may be read as vectors of N; all of it, if it is one line.
template <int N, class T>
bool lines_aligned(matrix_view<T> v, bool one_line) noexcept {
  return is_aligned<N>(v.data) && (one_line || v.rows <= 1 || is_aligned<N>(v.data + v.row_stride));
}
template <int N, class T>
bool lines_aligned(image_view<T> v, bool one_line) noexcept {
  return is_aligned<N>(v.data) && (one_line || is_aligned<N>(v.data + v.pixels));
}

}  // namespace hone::on_cuda
