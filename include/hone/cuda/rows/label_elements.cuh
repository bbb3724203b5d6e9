// SPDX-License-Identifier: MIT
/// Elements for a gradient that is written first as if no class were a label, and then once more at the labels.
#pragma once

#include <hone/core/config.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// An element of a row whose target has no part of the labels, whatever its column is.
template <class Element>
struct without_labels : Element {
  static constexpr bool is_unlabelled = true;
};
/// An element of the prediction that is not held in registers.
template <class A>
struct lone_element {
  A logit;
  int column;

  __device__ static constexpr bool is_in_row() { return true; }
  template <int I>
  __device__ A number() const {
    static_assert(I == 0, "only the prediction");
    return logit;
  }
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
