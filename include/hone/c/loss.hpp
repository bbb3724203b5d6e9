// SPDX-License-Identifier: MIT
/// The handle of an objective, and the arguments of one call of hone_evaluate.
#pragma once

#include <hone.h>
#include <hone/c/arrays.hpp>
#include <hone/core/outputs.hpp>
#include <hone/core/reduction.hpp>
#include <hone/cpu/evaluate.hpp>

#include <cstddef>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::c {

/// The arguments of hone_evaluate, with options of the caller's version read.
struct call {
  cpu const& backend;
  hone_array const& prediction;
  hone_targets targets;
  hone_outputs out;

  hone::reduction reduction() const {
    require_kind("reduction", out.reduction, HONE_ELEMENT_MEAN);
    if (out.reduction == HONE_MEAN_OVER) {
      require(out.count >= 0 && detail::finite(out.count), "count", out.count, "finite and not negative");
      return {reduction::kind::mean_over, out.count};
    }
    return {static_cast<reduction::kind>(out.reduction), 1};
  }
  /// Evaluates an objective on the prediction, whose view is of this type.
  template <class View, class Objective>
  double evaluate(View logits, Objective const& objective) const {
    using T = detail::number_of<View>;
    typename detail::outputs_of<View>::type to;
    if (out.gradient) {
      hone_array gradient = prediction;
      gradient.data = out.gradient;
      if (prediction.layout == HONE_MATRIX)
        gradient.stride = out.gradient_stride != 0 ? out.gradient_stride : prediction.columns;
      to.gradient = view_of<decltype(to.gradient)>(gradient);
    }
    to.unreduced = static_cast<accumulator_t<T>*>(out.unreduced);
    return hone::evaluate(backend, objective, logits, to, reduction());
  }
  /// The numbers beside the prediction, of its layout.
  template <class View>
  View beside(hone_array const* a, const char* name) const {
    require_alike(given(a, name), name, prediction);
    return view_of<View>(*a);
  }
  /// The weights of rows, or 1 for every row.
  numbers row_weights() const {
    static constexpr double one = 1;
    return is_present(targets.row_weights) ? numbers_of(targets.row_weights, "row_weights") : numbers::repeated(&one);
  }
  /// Fails if a member of the targets is given that the loss does not read.
  void refuse(bool is_given, const char* member, const char* loss) const {
    if (is_given) detail::fail("%s of the targets are given, but %s does not read them", member, loss);
  }
  void refuse_mixing(const char* loss) const {
    refuse(is_present(targets.mixed_labels), "mixed_labels", loss);
    refuse(is_present(targets.partners), "partners", loss);
    refuse(is_present(targets.lambdas), "lambdas", loss);
  }
};

/// Calls body(view) with the prediction as a view of const numbers. Images of 16-bit numbers are refused: their loops
/// would be a quarter of the library.
template <class Body>
double with_view(hone_array const& a, Body const& body) {
  double value = 0;
  if (a.layout != HONE_MATRIX && a.layout != HONE_IMAGES)
    detail::fail("layout of prediction is %d, must be HONE_MATRIX or HONE_IMAGES", int(a.layout));
  with_type(a.dtype, "prediction", [&]<class T>(of_type<T>) {
    if (a.layout == HONE_MATRIX)
      value = body(matrix_of<const T>(a));
    else if constexpr (sizeof(T) > 2)
      value = body(images_of<const T>(a));
    else
      detail::fail("dtype of prediction is %s, must be float32 or float64 for HONE_IMAGES", name_of(a.dtype));
  });
  return value;
}

/// A copy of a vector of numbers, as double; numbers as hone views them.
inline std::vector<double> copied(hone_vector const& v, const char* name) {
  const numbers n = numbers_of(v, name);
  if (is_present(v) && n.size() == 0) detail::fail("%s has 0 numbers", name);
  std::vector<double> copy(static_cast<std::size_t>(n.size()));
  for (index i = 0; i < n.size(); ++i) copy[static_cast<std::size_t>(i)] = n[i];
  return copy;
}

/// Fails for a 16-bit prediction, whose loops would double those of this kind of loss.
[[noreturn]] inline void refuse_narrow(hone_array const& prediction, const char* loss) {
  detail::fail("dtype of prediction is %s, must be float32 or float64 for %s", name_of(prediction.dtype), loss);
}

inline optional_label ignored(std::int32_t ignores, std::int64_t label) noexcept {
  return ignores != 0 ? optional_label(label) : optional_label();
}

}  // namespace hone::inline HONE_ABI::c

/// The opaque type of hone.h.
struct hone_loss {
  hone_loss() = default;
  hone_loss(hone_loss const&) = delete;
  hone_loss& operator=(hone_loss const&) = delete;
  virtual ~hone_loss() = default;
  virtual double evaluate(hone::c::call const& call) const = 0;
};

#include <hone/core/macros_pop.hpp>
