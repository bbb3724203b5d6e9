// SPDX-License-Identifier: MIT
/// A row of logits for calibration: in double for every number type, because confidences are compared with the edges of
/// bins.
#pragma once

#include <hone/core/view_check.hpp>
#include <hone/cpu/memory/convert.hpp>
#include <hone/cpu/run/chunks.hpp>
#include <hone/cpu/run/scratch.hpp>
#include <hone/cpu/simd/math.hpp>
#include <hone/target/classes.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// A buffer for one row at a time, padded to full packs with -inf.
class logit_row {
  using V = pack<double>;

 public:
  static std::size_t bytes(index columns) noexcept {
    return arena::room_for<double>(static_cast<std::size_t>(padded(columns)));
  }

  logit_row(std::byte* memory, index columns) noexcept
      : z_(arena(memory).take<double>(static_cast<std::size_t>(padded(columns)))), columns_(columns) {}

  /// Reads the logits of row i, or of pixel i of images, and subtracts the largest: they are at most 0, or NaN if the
  /// softmax is not defined.
  template <class View>
  void read(View logits, index i) noexcept {
    gather(logits, i);
    for (index k = columns_; k < padded(columns_); ++k) z_[k] = -std::numeric_limits<double>::infinity();
    V maximum(-std::numeric_limits<double>::infinity());
    for_packs([&](double const* p) { maximum = max(maximum, V::load(p)); });
    const V largest_of_all(largest(maximum));
    for_packs([&](double* p) { (V::load(p) - largest_of_all).store(p); });
  }

  double operator[](index column) const noexcept { return z_[column]; }
  void set(index column, double z) noexcept { z_[column] = z; }
  /// Returns true if this column is the first one with the largest logit.
  bool is_top(index column) const noexcept {
    if (!(z_[column] == 0)) return false;
    for (index i = 0; i < column; ++i)
      if (z_[i] == 0) return false;
    return true;
  }

  /// Calls body(double*) with the first number of every pack.
  template <class Body>
  void for_packs(Body const& body) const noexcept {
    for (index i = 0; i < columns_; i += V::size) body(z_ + i);
  }

 private:
  template <class T>
  void gather(matrix_view<T> logits, index i) noexcept {
    convert(logits.row(i), z_, columns_);
  }
  template <class T>
  void gather(image_view<T> logits, index i) noexcept {
    const index image = i / logits.pixels;
    T* const first = logits.data + image * columns_ * logits.pixels + (i - image * logits.pixels);
    for (index c = 0; c < columns_; ++c) z_[c] = static_cast<double>(first[c * logits.pixels]);
  }

  static constexpr index padded(index columns) noexcept { return (columns + V::size - 1) / V::size * V::size; }

  double* z_;
  index columns_;
};

/// Calls body(chunk, i, row) for every row with a label. Threads share the chunks; a chunk's rows are in order.
template <class View, class Label, class Body>
void for_labelled_rows(cpu const& backend, View logits, classes_target<Label> const& labels, Body const& body) {
  const chunk_plan_t plan = chunk_plan<double>(logits);
  for_chunks(backend, plan.chunks(), logit_row::bytes(detail::columns_of(logits)), [&](index chunk, std::byte* memory) {
    logit_row row(memory, detail::columns_of(logits));
    const index begin = chunk * plan.rows_per_chunk, end = std::min(begin + plan.rows_per_chunk, plan.rows);
    for (index i = begin; i < end; ++i) {
      if (labels.ignores(i)) continue;
      row.read(logits, i);
      body(chunk, i, row);
    }
  });
}

/// Returns -log p(label). d: the label's logit less the largest one, times 1/T; if it is 0, log1p keeps all digits of a
/// small loss. others: Σ exp over the other classes. all: others + exp(d).
inline double label_loss(double d, double others, double all) noexcept {
  return d == 0 ? std::log1p(others) : std::log(all) - d;
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
