// SPDX-License-Identifier: MIT
/// Losses of hone in LibTorch: docs/torch.md.
///
/// Every function takes a backend, an objective and logits. The logits are Float, Double, Half or BFloat16, with any
/// strides: N (elements), N x C, or N x C x H x W with any number of dimensions of pixels. Those that have no view of
/// hone are copied. The objective's views (rows_of, pixels_of, labels_of) are in the number type of the logits or
/// another, and in their form. In place of the objective stands a function of `view` that returns one:
///
///     [&](auto view) { return hone::cross_entropy(hone::probabilities(view(q))) + hone::distillation(view(t), 4); }
///
/// Number types before the arguments, loss<float>(…), are those that are compiled and taken; without them, all four.
///
/// view(x) is a tensor like the logits, of any strides; view.labels(y) are labels of any integer dtype. Both may be
/// temporaries. Throws hone::invalid_argument for undefined logits, another dtype or device, and what evaluate refuses.
#pragma once

#include <hone/adapt/torch/evaluate.hpp>
#include <hone/adapt/torch/node.hpp>

#include <ATen/core/grad_mode.h>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::adapt {

/// Returns the loss, a tensor of no dimensions in Float, or Double for Double. If autograd records and the logits
/// require a gradient, the same sweep computes it, and backward() multiplies it by grad_output. A second derivative is
/// an error.
template <class... Numbers, detail::backend Backend, class Source>
at::Tensor loss(Backend&& backend, Source const& objective, at::Tensor const& logits, reduction how = mean) {
  const bool differentiable = logits.defined() && logits.requires_grad() && at::GradMode::is_enabled();
  detail::outcome all = detail::evaluate_tensor<Numbers...>("loss", backend, objective, logits, how,
                                                            {.scalar = true, .gradient = differentiable});
  if (differentiable) detail::set_gradient(all.scalar, all.gradient, logits, detail::traits_of<Backend>::times);
  return all.scalar;
}

/// Returns the loss and calls logits.backward(gradient): as loss(...).backward(), without a node, and the usual choice.
/// A double on the CPU; a tensor of no dimensions on CUDA. Throws hone::invalid_argument if the logits require no
/// gradient.
template <class... Numbers, detail::backend Backend, class Source>
auto backward(Backend&& backend, Source const& objective, at::Tensor const& logits, reduction how = mean) {
  constexpr bool on_host = detail::traits_of<Backend>::returns_value;
  if (logits.defined() && !logits.requires_grad())
    hone::detail::fail("backward: logits requires no gradient, so there is nothing to compute: see value");
  detail::outcome all = detail::evaluate_tensor<Numbers...>("backward", backend, objective, logits, how,
                                                            {.scalar = !on_host, .gradient = true});
  logits.backward(all.gradient);
  if constexpr (on_host) {
    return all.value;
  } else {
    return all.scalar;
  }
}

/// Returns the loss without its gradient: a double on the CPU, a tensor of no dimensions on CUDA.
template <class... Numbers, detail::backend Backend, class Source>
auto value(Backend&& backend, Source const& objective, at::Tensor const& logits, reduction how = mean) {
  constexpr bool on_host = detail::traits_of<Backend>::returns_value;
  detail::outcome all =
      detail::evaluate_tensor<Numbers...>("value", backend, objective, logits, how, {.scalar = !on_host});
  if constexpr (on_host) {
    return all.value;
  } else {
    return all.scalar;
  }
}

/// Returns the losses before the reduction, without gradient: one per row, N or N x H x W, or, for losses of elements,
/// one per element in the shape of the logits. Float, or Double for Double.
template <class... Numbers, detail::backend Backend, class Source>
at::Tensor losses(Backend&& backend, Source const& objective, at::Tensor const& logits) {
  return detail::evaluate_tensor<Numbers...>("losses", backend, objective, logits, mean, {.losses = true}).losses;
}

}  // namespace hone::inline HONE_ABI::adapt

#include <hone/core/macros_pop.hpp>
