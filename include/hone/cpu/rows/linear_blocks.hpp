// SPDX-License-Identifier: MIT
/// Blocks of rows of a linear layer and its loss: logits, losses, and the gradients of both factors of the product.
/// Threads share tiles that depend on the shape alone, so bits do not depend on their number.
#pragma once

#include <hone/cpu/memory/packed_product.hpp>
#include <hone/cpu/rows/rows.hpp>
#include <hone/loss/row/linear_logits.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// Evaluates a block of rows after the other.
template <class T, class... Leaf>
class linear_blocks {
  using A = accumulator_t<T>;
  using View = matrix_view<const A>;
  using job_type = row_job<View, Leaf...>;
  using worker = row_worker<job_type>;
  static constexpr bool narrow = !std::is_same_v<T, A>;

 public:
  /// The bytes of a block's logits, of its input in the type of the arithmetic, and of copies of class weights.
  static std::size_t bytes(linear_logits<T> const& z, index rows_at_once) noexcept {
    return arena::room_for<A>(std::size_t(rows_at_once * z.weight.rows)) +
           arena::room_for<A>(narrow ? std::size_t(rows_at_once * z.input.columns) : 0) +
           std::size_t(weighed) * arena::room_for<A>(std::size_t(z.weight.rows));
  }

  linear_blocks(cpu const& backend, linear_logits<T> const& z, linear_outputs<T> const& out,
                detail::list<Leaf...> const& leaves, std::array<double, sizeof...(Leaf)> const& scales, bool counts,
                index rows_at_once, std::byte* memory)
      : backend_(backend),
        z_(z),
        out_(out),
        rows_at_once_(rows_at_once),
        counts_(counts),
        job_{{View(), {}, leaves}, scales, z.weight.rows} {
    arena pieces(memory);
    logits_ = pieces.template take<A>(std::size_t(rows_at_once * z.weight.rows));
    input_ = pieces.template take<A>(narrow ? std::size_t(rows_at_once * z.input.columns) : 0);
    std::size_t k = 0;
    leaves.each([&](auto const& l) { job_.class_weights[k++] = class_weights_of<A>(l, pieces); });
    job_.out.unreduced = out.unreduced;
    job_.out.log_sum_exp = out.log_sum_exp, job_.out.predicted = out.predicted;
  }

  /// Fills the outputs but the value and returns Σ scale · factor · weight · loss.
  double run() {
    if (!out_.accumulate) clear_parameters();
    double total = 0;
    for (index begin = 0; begin < z_.input.rows; begin += rows_at_once_) {
      rows_ = std::min(rows_at_once_, z_.input.rows - begin), begin_ = begin;
      read_input();
      compute_logits();
      total += compute_losses();
      if (!counts_) continue;
      if (out_.weight_gradient.data || out_.bias_gradient.data()) add_parameter_gradients();
      if (out_.input_gradient.data) compute_input_gradient();
    }
    if (!counts_ && out_.input_gradient.data)
      for (index i = 0; i < z_.input.rows; ++i) clear_row(out_.input_gradient, i, z_.input.columns);
    return total;
  }

 private:
  static constexpr int weighed = (int(copies_weights<Leaf>) + ... + 0);

  index classes() const noexcept { return z_.weight.rows; }
  index features() const noexcept { return z_.input.columns; }

  /// Calls body(begin, end, memory) for tiles of [0, size), on all threads: memory for a product of `rows` rows, and
  /// `more` numbers after it.
  template <class Body>
  void for_tiles(index size, index rows, index more, Body const& body) const {
    const index of_product = numbers_of_product<A>(rows);
    for_chunks(backend_, (size + product_tile - 1) / product_tile,
               static_cast<std::size_t>(of_product + more) * sizeof(A), [&](index tile, std::byte* memory) {
                 A* const numbers = reinterpret_cast<A*>(memory);
                 body(tile * product_tile, std::min((tile + 1) * product_tile, size), numbers, numbers + of_product);
               });
  }
  /// The input of the block, in the type of the arithmetic.
  matrix_view<const A> input() const noexcept {
    if constexpr (narrow)
      return {input_, rows_, features()};
    else
      return {z_.input.row(begin_), rows_, features(), z_.input.row_stride};
  }
  void clear_parameters() const {
    for (index c = 0; out_.weight_gradient.data && c < classes(); ++c) clear_row(out_.weight_gradient, c, features());
    std::fill(out_.bias_gradient.begin(), out_.bias_gradient.end(), A(0));
  }
  void read_input() const {
    if constexpr (narrow)
      for (index i = 0; i < rows_; ++i) convert(z_.input.row(begin_ + i), input_ + i * features(), features());
  }
  void compute_logits() const {
    const matrix_view<const A> x = input();
    for_tiles(classes(), rows_, 0, [&](index begin, index end, A* memory, A*) {
      for (index i = 0; i < rows_ && !z_.bias.empty(); ++i)
        convert(z_.bias.data() + begin, logits_ + i * classes() + begin, end - begin);
      multiply_packed({x.data, x.row_stride, 1}, rows_, features(),
                      packed_block<T>{z_.weight, begin, end - begin, true}, logits_ + begin, classes(),
                      !z_.bias.empty(), memory);
    });
  }
  /// Replaces the logits of the block by their gradient.
  double compute_losses() {
    // Rows have their numbers in all rows, by which targets are read, so the block's view begins before its memory.
    // NOLINTNEXTLINE(performance-no-int-to-ptr): before the memory there may be no pointer
    A* const all = reinterpret_cast<A*>(reinterpret_cast<std::uintptr_t>(logits_) -
                                        static_cast<std::uintptr_t>(begin_ * classes()) * sizeof(A));
    const matrix_view<A> z{all, z_.input.rows, classes()};
    job_.prediction = z;
    if (counts_ && out_.has_gradient()) job_.out.gradient = z;
    const chunk_plan_t plan = chunk_plan<A>(matrix_view<A>{logits_, rows_, classes()});
    return sum_over_chunks(backend_, plan, worker::bytes(job_.prediction, classes()),
                           [&](index begin, index end, std::byte* memory) {
                             return worker(job_, memory).run(begin_ + begin, begin_ + end);
                           });
  }
  /// Adds dzᵀ x and Σ dz of the block, with dz the gradient of the logits.
  void add_parameter_gradients() const {
    const matrix_view<const A> x = input();
    const matrix_view<A> dw = out_.weight_gradient;
    for_tiles(classes(), product_tile, rows_ * product_tile, [&](index begin, index end, A* memory, A* dz) {
      for (index i = 0; i < rows_; ++i) {
        A const* const from = logits_ + i * classes() + begin;
        std::copy_n(from, end - begin, dz + i * product_tile);
        for (index c = begin; c < end && out_.bias_gradient.data(); ++c)
          out_.bias_gradient[std::size_t(c)] += from[c - begin];
      }
      for (index f = 0; f < features() && dw.data; f += product_tile)
        multiply_packed({dz, 1, product_tile}, end - begin, rows_,
                        packed_block<A>{x, f, std::min(product_tile, features() - f)}, dw.row(begin) + f, dw.row_stride,
                        true, memory);
    });
  }
  /// Writes dz weight of the block.
  void compute_input_gradient() const {
    for_tiles(features(), rows_, rows_ * product_tile, [&](index begin, index end, A* memory, A* sums) {
      const index columns = end - begin;
      multiply_packed({logits_, classes(), 1}, rows_, classes(), packed_block<T>{z_.weight, begin, columns}, sums,
                      product_tile, false, memory);
      for (index i = 0; i < rows_; ++i)
        convert(sums + i * product_tile, out_.input_gradient.row(begin_ + i) + begin, columns);
    });
  }

  cpu const& backend_;
  linear_logits<T> const& z_;
  linear_outputs<T> const& out_;
  index rows_at_once_, rows_ = 0, begin_ = 0;
  bool counts_;
  job_type job_;
  A *logits_, *input_;
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
