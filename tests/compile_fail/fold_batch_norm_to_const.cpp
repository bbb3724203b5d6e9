// SPDX-License-Identifier: MIT
// wrong: fold_batch_norm: weight and bias are written, their type is const
#include <hone/hone.hpp>

#include <span>

#ifdef WRONG
using number = const float;
#else
using number = float;
#endif

void fold_batch_norm_to_const(hone::batch_norm_view<number> const& norm, hone::matrix_view<number> weight,
                              std::span<number> bias) {
  hone::fold_batch_norm(norm, weight, bias);
}
