// SPDX-License-Identifier: MIT
/// Evaluates an objective on a tensor of logits of any floating dtype and any strides.
#pragma once

#include <hone/adapt/torch/backend.hpp>
#include <hone/adapt/torch/form.hpp>
#include <hone/core/outputs.hpp>
#include <hone/core/reduction.hpp>
#include <hone/loss/evaluable.hpp>

#include <ATen/ops/empty.h>

#include <utility>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::adapt {

namespace detail {

/// What a call computes. Tensors that are not wanted are undefined.
struct outcome {
  double value = 0;  ///< if the backend returns it
  at::Tensor scalar, gradient, losses;
};
struct wanted {
  bool scalar = false, gradient = false, losses = false;
};

/// An objective, or a function of a call_view that returns one.
template <class Source, class View>
auto objective_of(Source const& source, View const& view) {
  if constexpr (objective<Source>) {
    return source;
  } else {
    return source(view);
  }
}
template <class Source, class T, form Form, at::DeviceType Device>
using objective_type =
    decltype(objective_of(std::declval<Source const&>(), std::declval<call_view<T, Form, Device> const&>()));

template <class Source>
concept objective_or_function =
    objective<Source> || requires(Source const& f, call_view<float, form::rows, at::kCPU> const& view) {
      { f(view) } -> objective;
    } || requires(Source const& f, call_view<float, form::rows, at::kCUDA> const& view) {
      { f(view) } -> objective;
    };

/// One loss per row, N or N x H x W, or per element, in the shape of the logits.
template <class Objective>
at::Tensor empty_losses(at::Tensor const& logits, at::TensorOptions const& options) {
  using first = std::remove_cvref_t<decltype(hone::detail::all_leaves(std::declval<Objective const&>())
                                                 .apply([](auto const& l, auto const&...) { return l; }))>;
  if constexpr (hone::elementwise<typename first::term_type>) {
    return empty_in_form(form::rows, logits.sizes(), options);
  } else {
    return at::empty(sizes_of_rows(logits), options);
  }
}

template <class T, form Form, class Backend, class Source>
outcome evaluate_in_form(const char* function, Backend& backend, Source const& source, at::Tensor const& logits,
                         reduction how, wanted want) {
  using traits = traits_of<Backend>;
  using A = accumulator_t<T>;
  std::vector<at::Tensor> kept;
  const auto objective =
      objective_of(source, call_view<T, Form, traits::device>(function, logits, want.gradient, kept));
  if constexpr (Form == form::rows && forms_of<decltype(objective)>.pixels)
    if (logits.dim() > 2 && has_regions_of_images(objective))
      return evaluate_in_form<T, form::pixels>(function, backend, source, logits, how, want);

  const at::Tensor x = in_form(Form, logits);
  const auto view = view_in_form<const T, Form>(x);
  outcome all;
  typename hone::detail::outputs_of<std::remove_const_t<decltype(view)>>::type to;
  if (want.gradient) {
    all.gradient = empty_in_form(Form, logits.sizes(), logits.options().requires_grad(false));
    to.gradient = view_in_form<T, Form>(all.gradient);
  }
  const auto options = logits.options().dtype(dtype_of<A>).requires_grad(false);
  if (want.losses) {
    all.losses = empty_losses<decltype(objective)>(logits, options);
    to.unreduced = numbers_of<A>(all.losses);
  }
  if (want.scalar) {
    all.scalar = at::empty({}, options);
    to.value = numbers_of<A>(all.scalar);
  }
  if constexpr (traits::returns_value) {
    all.value = traits::evaluate(backend, objective, view, to, how);
  } else {
    traits::evaluate(backend, objective, view, to, how);
  }
  return all;
}

template <class T, class Backend, class Source>
outcome evaluate_as(const char* function, Backend& backend, Source const& source, at::Tensor const& logits,
                    reduction how, wanted want) {
  constexpr at::DeviceType device = traits_of<Backend>::device;
  constexpr bool rows = forms_of<objective_type<Source, T, form::rows, device>>.rows;
  constexpr bool pixels = forms_of<objective_type<Source, T, form::pixels, device>>.pixels;
  static_assert(rows || pixels, "hone::adapt: the views of an objective must all be matrices or all be images");
  if constexpr (rows && pixels) {
    return form_of(logits) == form::rows
               ? evaluate_in_form<T, form::rows>(function, backend, source, logits, how, want)
               : evaluate_in_form<T, form::pixels>(function, backend, source, logits, how, want);
  } else {
    return evaluate_in_form<T, rows ? form::rows : form::pixels>(function, backend, source, logits, how, want);
  }
}

/// Evaluates an objective on a tensor of any strides and any floating dtype, or one of those of Numbers.
template <class... Numbers, class Backend, class Source>
outcome evaluate_tensor(const char* function, Backend& backend, Source const& source, at::Tensor const& logits,
                        reduction how, wanted want) {
  using traits = traits_of<Backend>;
  static_assert(objective_or_function<Source>,
                "hone::adapt: this argument must be an objective, such as hone::cross_entropy(target), or a function "
                "that returns one: [&](auto view) { return hone::cross_entropy(hone::probabilities(view(q))); }");
  require_device(function, "logits", logits, traits::device);
  traits::require_stream(function, backend, logits);
  if (logits.dim() == 0) hone::detail::fail("%s: logits is a scalar, must be N, N x C or N x C x H x W", function);
  if (logits._fw_grad(0).defined())
    hone::detail::fail("%s: logits has a tangent: a loss of hone has no forward-mode derivative", function);
  const auto evaluate = [&]<class T>(std::type_identity<T>) {
    return evaluate_as<T>(function, backend, source, logits, how, want);
  };
  if constexpr (!objective_or_function<Source>) {
    return {};  // avoids further compiler errors
  } else if constexpr (sizeof...(Numbers) > 0) {
    return with_number_among<Numbers...>(function, "logits", logits.scalar_type(), evaluate);
  } else {
    return with_number<typename traits::numbers>(function, "logits", logits.scalar_type(), evaluate);
  }
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI::adapt

#include <hone/core/macros_pop.hpp>
