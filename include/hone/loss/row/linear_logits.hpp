// SPDX-License-Identifier: MIT
/// Logits of a linear layer that are never stored whole: a head with a large vocabulary and its loss in one call.
#pragma once

#include <hone/core/overlap.hpp>
#include <hone/core/view_check.hpp>

#include <array>
#include <span>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The logits z = input weightᵀ + bias of rows × classes. They stand for the prediction in evaluate, which computes
/// them for a block of rows, replaces them by their gradient, and multiplies this on, so that memory for the logits of
/// a block is enough for any number of rows:
///
///     hone::evaluate(cpu, objective, hone::linear_logits{input, weight},
///                    {.input_gradient = dx, .weight_gradient = dw});
///
///   input         rows × features
///   weight        classes × features, as PyTorch's Linear has it
///   bias          one per class, or none
///   rows_at_once  the rows of a block; 0: on the CPU those of 32 MiB of logits, 16 to 256; on CUDA those of 128 MiB,
///                 128 to 1024
///
/// Products, logits and losses are computed in accumulator_t<T>, float for 16-bit types, on the CPU without rounding
/// logits to T. On CUDA logits and their gradient are stored in T (cuda/evaluate_linear.cuh).
/// Source of the idea: Liger Kernel's fused linear cross entropy (Hsu et al. 2024, arXiv 2410.10989).
template <class T>
struct linear_logits {
  matrix_view<const T> input, weight;
  std::span<const T> bias;
  index rows_at_once;

  template <class X, class W>
    requires std::same_as<const X, const T> && std::same_as<const W, const T>
  constexpr linear_logits(matrix_view<X> input_, matrix_view<W> weight_,
                          std::type_identity_t<std::span<const T>> bias_ = {}, index rows_at_once_ = 0) noexcept
      : input(input_), weight(weight_), bias(bias_), rows_at_once(rows_at_once_) {}
};
template <class X, class W, class... More>
linear_logits(matrix_view<X>, matrix_view<W>, More...) -> linear_logits<std::remove_const_t<X>>;

/// The caller's buffers for linear_logits, each optional. Gradients of the parameters are sums over rows, in
/// accumulator_t<T>.
///   input_gradient   rows × features, written; may be the input itself
///   weight_gradient  classes × features
///   bias_gradient    one per class
///   unreduced        one loss per row, contiguous, before the reduction
///   value            the reduced value
///   accumulate       add to weight_gradient and bias_gradient, which hold those of other micro-batches
///   log_sum_exp, predicted, correct, counted   as hone::outputs has them, of the logits that are not stored
template <class T>
struct linear_outputs {
  using A = accumulator_t<T>;

  matrix_view<T> input_gradient = {};
  matrix_view<A> weight_gradient = {};
  std::span<A> bias_gradient = {};
  A* unreduced = nullptr;
  A* value = nullptr;
  bool accumulate = false;
  A* log_sum_exp = nullptr;
  int* predicted = nullptr;
  index* correct = nullptr;
  index* counted = nullptr;

  bool has_gradient() const noexcept { return input_gradient.data || weight_gradient.data || bias_gradient.data(); }
};

namespace detail {

/// Returns the rows of a block: those that are wanted, or a multiple of `least`, at most `most`, whose logits have
/// about `numbers` numbers.
inline index rows_at_once(index rows, index classes, index wanted, index numbers, index least, index most) noexcept {
  index n = wanted;
  if (n <= 0) {
    n = numbers / (classes > 0 ? classes : 1) / least * least;
    n = n < least ? least : n > most ? most : n;
  }
  return n < rows ? n : rows > 0 ? rows : 1;
}

/// Returns the memory of all outputs, which is empty where none is wanted.
template <class T>
std::array<named_footprint, 9> footprints_of(linear_outputs<T> const& out, index rows) noexcept {
  return {{{"input_gradient", footprint_of(out.input_gradient)},
           {"weight_gradient", footprint_of(out.weight_gradient)},
           {"bias_gradient", footprint_of(out.bias_gradient)},
           {"unreduced", footprint_of(out.unreduced, rows)},
           {"value", footprint_of(out.value, 1)},
           {"log_sum_exp", footprint_of(out.log_sum_exp, rows)},
           {"predicted", footprint_of(out.predicted, rows)},
           {"correct", footprint_of(out.correct, 1)},
           {"counted", footprint_of(out.counted, 1)}}};
}

/// Checks the shapes, and that no output shares memory with an input or another output.
template <class T>
void require_linear(linear_logits<T> const& z, linear_outputs<T> const& out) {
  constexpr const char* function = "evaluate";
  require_valid(z.input, "input", function);
  require_valid(z.weight, "weight", function);
  const index rows = z.input.rows, features = z.input.columns, classes = z.weight.rows;
  if (z.weight.columns != features)
    fail("%s: weight is %jd x %jd, the input has %jd features", function, std::intmax_t(classes),
         std::intmax_t(z.weight.columns), std::intmax_t(features));
  const auto require_one_each = [&](const char* name, std::size_t size) {
    if (size != 0 && static_cast<index>(size) != classes)
      fail("%s: %s has %zu numbers for %jd classes", function, name, size, std::intmax_t(classes));
  };
  require_one_each("bias", z.bias.size()), require_one_each("bias_gradient", out.bias_gradient.size());
  if (z.rows_at_once < 0)
    fail("%s: rows_at_once is %jd, must not be negative", function, std::intmax_t(z.rows_at_once));
  const auto require_shape = [&](const char* name, auto const& view, index r) {
    if (!view.data) return;
    require_valid(view, name, function);
    if (view.rows != r || view.columns != features)
      fail("%s: %s is %jd x %jd, must be %jd x %jd", function, name, std::intmax_t(view.rows),
           std::intmax_t(view.columns), std::intmax_t(r), std::intmax_t(features));
  };
  require_shape("input_gradient", out.input_gradient, rows);
  require_shape("weight_gradient", out.weight_gradient, classes);
  const auto outputs = footprints_of(out, rows);
  require_apart_among(function, outputs);
  const named_footprint input{"input", footprint_of(z.input)};
  require_same_or_apart(function, outputs[0].name, outputs[0].bytes, input.name, input.bytes);
  require_apart(function, std::span(outputs).subspan(1), input);
  require_apart(function, outputs, named_footprint{"weight", footprint_of(z.weight)});
  require_apart(function, outputs, named_footprint{"bias", footprint_of(z.bias)});
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
