// SPDX-License-Identifier: MIT
/// The parts of one row's target, in registers: labels with weights, a uniform part, factors of dense parts.
#pragma once

#include <hone/target/target.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// Whether a target is labels plus a uniform part, so that nothing of the size of a row is read or written for it.
/// Other targets have a separate number for every class.
template <class Target>
inline constexpr bool is_sparse = Target::dense_parts == 0 && !(weighed_target<Target> && Target::has_uniform);

/// q[c] = ground + Σ_j weight_at[j] [c = label_at[j]] + Σ_k dense_at[k] · (dense part k)[c]. Class weights are included
/// in weight_at if the target is sparse; otherwise the reader multiplies q[c] by them. A label may be outside the
/// classes: the reader checks it. Label is an integer type.
template <class A, class Target, class Label = index>
struct row_parts {
  static constexpr int labels = Target::labels, dense_parts = Target::dense_parts;

  struct none {};

  [[no_unique_address]] std::conditional_t<weighed_target<Target>, numbers, none> class_weights;
  Label label_at[std::size_t(labels > 0 ? labels : 1)] = {};
  A ground = 0;
  int label_count = 0, dense_count = 0;
  A weight_at[std::size_t(labels > 0 ? labels : 1)] = {};
  A dense_at[std::size_t(dense_parts > 0 ? dense_parts : 1)] = {};

  row_parts() noexcept = default;
  HONE_HD row_parts(Target const& target, index row, index columns) noexcept {
    if constexpr (weighed_target<Target>) class_weights = target.weights;
    target.visit(row, columns, A(1), *this);
  }

  /// Functions of the sink of visit().
  HONE_HD void label(index c, A weight) noexcept {
    label_at[label_count] = static_cast<Label>(c);
    if constexpr (weighed_target<Target> && is_sparse<Target>)
      weight *= c >= 0 && c < class_weights.size() ? class_weights.template as<A>(c) : A(0);
    weight_at[label_count++] = weight;
  }
  HONE_HD void uniform(A weight) noexcept { ground += weight; }
  HONE_HD void dense(auto const&, A weight) noexcept { dense_at[dense_count++] = weight; }
};

/// The labels of a row without their weights.
template <class Target>
struct row_labels {
  index at[std::size_t(Target::labels > 0 ? Target::labels : 1)] = {};
  int count = 0;

  HONE_HD row_labels(Target const& target, index row, index columns) noexcept {
    target.visit(row, columns, 1.0f, *this);
  }
  HONE_HD void label(index c, float) noexcept { at[count++] = c; }
  HONE_HD void uniform(float) const noexcept {}
  HONE_HD void dense(auto const&, float) const noexcept {}
};

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
