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
/// For an objective of losses of rows without a region loss, also what is known of the logits of each row. A row counts
/// for nothing if it is ignored or its weight is 0: its logits are not read, and it has 0 and -1.
///   log_sum_exp  one per row: log Σ exp(logit). NaN if a logit is NaN or +∞, -∞ if all are -∞. Needs a term with a
///                softmax of the logits themselves, such as cross_entropy or z_loss
///   predicted    one per row: the class with the largest logit, the first of equal ones, not counting NaN; 0 if all
///                are NaN
///   correct      the number of rows that are counted and whose predicted class is their label. Needs `predicted`, and
///                hone::classes, smoothed or weighed or neither, in the first term whose target has labels
///   counted      the number of rows that count and whose label this target does not ignore. Needs `predicted`
/// And how the gradient is written:
///   zero_padding  0 in the columns between the last class and row_stride, in every row, so that a product over all
///                 columns may read them: a vocabulary that is padded. The memory is rows × row_stride numbers
template <class T, template <class> class View = matrix_view>
struct outputs {
  View<T> gradient = {};
  accumulator_t<T>* unreduced = nullptr;
  accumulator_t<T>* value = nullptr;
  accumulator_t<T>* log_sum_exp = nullptr;
  int* predicted = nullptr;
  index* correct = nullptr;
  index* counted = nullptr;
  bool zero_padding = false;
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
