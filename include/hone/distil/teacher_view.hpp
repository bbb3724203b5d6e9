// SPDX-License-Identifier: MIT
/// The view of the teacher's logits in distillation terms.
#pragma once

#include <hone/core/view.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// Returns a read-only view of the teacher's logits.
template <class View>
auto teacher_view(View logits) {
  static_assert(any_view<View>, "distillation: the teacher's logits must be a hone::matrix_view or hone::image_view");
  if constexpr (any_view<View>) {
    return const_view(logits);
  } else {
    return matrix_view<const float>();  // avoids further compiler errors
  }
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
