// SPDX-License-Identifier: MIT
/// Converts a teacher's logits to labels on the CPU.
#pragma once

#include <hone/cpu/run/chunks.hpp>
#include <hone/distil/hard_labels.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Sets labels[i] to the class of the largest logit of row i, the first one of equal logits. DeiT's hard distillation
/// trains with cross_entropy(classes(labels)) (Touvron et al. 2020, arXiv 2012.12877). NaN is skipped; a row of only
/// NaN or -inf gets the label 0. Throws hone::invalid_argument, and writes nothing, if the number of labels is not
/// the number of rows, or if the label type cannot hold every class.
template <class T, label_range Labels>
void hard_labels(cpu const& backend, matrix_view<T> teacher_logits, Labels&& labels) {
  using A = accumulator_t<T>;
  detail::require_hard_labels(teacher_logits, labels);
  auto* const to = detail::data_of(labels);
  const on_cpu::chunk_plan_t plan = on_cpu::chunk_plan<A>(teacher_logits);
  on_cpu::for_chunks(backend, plan.chunks(), 0, [&](index chunk, std::byte*) {
    const index begin = chunk * plan.rows_per_chunk, end = std::min(begin + plan.rows_per_chunk, plan.rows);
    for (index i = begin; i < end; ++i) {
      T const* const row = teacher_logits.row(i);
      detail::best_class<A> best{-std::numeric_limits<A>::infinity(), 0};
      for (index c = 0; c < teacher_logits.columns; ++c) {
        const A x = static_cast<A>(row[c]);
        if (x > best.logit) best = {x, c};
      }
      to[i] = static_cast<detail::number_in<Labels>>(best.column);
    }
  });
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
