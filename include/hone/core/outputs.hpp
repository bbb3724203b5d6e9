// SPDX-License-Identifier: MIT
/// The outputs of evaluate.
#pragma once

#include <hone/core/view.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The caller's buffers, each optional. The gradient of an image_view of logits is an image_view too.
///   gradient   d value / d prediction, of the prediction's shape; may be the prediction itself
///   unreduced  one loss per row (per element for element-wise losses), contiguous, before the reduction
///   value      the reduced value
template <class T, template <class> class View = matrix_view>
struct outputs {
  View<T> gradient = {};
  accumulator_t<T>* unreduced = nullptr;
  accumulator_t<T>* value = nullptr;
};

namespace detail {

/// The type of the outputs for a prediction of type View.
template <class View>
struct outputs_of;
template <class T>
struct outputs_of<matrix_view<T>> {
  using type = outputs<std::remove_const_t<T>, matrix_view>;
};
template <class T>
struct outputs_of<image_view<T>> {
  using type = outputs<std::remove_const_t<T>, image_view>;
};

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
