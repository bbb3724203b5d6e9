// SPDX-License-Identifier: MIT
/// The node of autograd whose backward pass multiplies a gradient that the forward pass computed.
#pragma once

#include <hone/core/config.hpp>

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/basic_ops.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>

#include <memory>
#include <mutex>
#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::adapt::detail {

/// Makes a node; LibTorch counts references by std::shared_ptr or, in newer versions, in the node itself.
template <class N, class... X>
auto make_node(X&&... x) {
  using pointer = decltype(torch::autograd::Edge::function);
  if constexpr (std::is_same_v<pointer, std::shared_ptr<torch::autograd::Node>>) {
    return std::shared_ptr<N>(new N(std::forward<X>(x)...), [](N* node) { deleteNode(node); });  // of LibTorch
  } else {
    return c10::make_intrusive<N>(std::forward<X>(x)...);
  }
}

/// times(gradient, factor, in_place) of a backend.
using multiplication = at::Tensor (*)(at::Tensor const& gradient, at::Tensor const& factor, bool in_place);

/// The gradient of a loss: grad_output times the gradient that the forward pass computed. grad_output is read on its
/// own device. A factor of 1 on the CPU costs no pass.
struct loss_node : torch::autograd::Node {
  loss_node(at::Tensor const& logits, at::Tensor const& gradient, multiplication times)
      : Node(torch::autograd::collect_next_edges(logits)), gradient_(gradient, false), times_(times) {}

  std::string name() const override { return "HoneLossBackward"; }
  void will_release_variables() override { last_ = true; }
  void release_variables() override {
    const std::lock_guard lock(mutex_);
    gradient_.reset_data();
  }

 protected:
  torch::autograd::variable_list apply(torch::autograd::variable_list&& factors) override {
    const std::lock_guard lock(mutex_);
    at::Tensor const& factor = factors[0];
    if (!factor.defined() || !task_should_compute_output(0)) return {at::Tensor()};
    at::Tensor gradient = gradient_.unpack();  // fails after release_variables, and if someone wrote to it
    const bool differentiates = at::GradMode::is_enabled();
    {
      const at::NoGradGuard no_grad;
      const at::Tensor saved = gradient;
      gradient = times_(saved, factor, std::exchange(last_, false) && !given_);
      given_ = given_ || gradient.is_same(saved);
    }
    if (differentiates) refuse_derivative(gradient, factor);
    return {std::move(gradient)};
  }

 private:
  /// Lets a derivative of the gradient fail, instead of being 0: it leads to the logits and to grad_output.
  void refuse_derivative(at::Tensor& gradient, at::Tensor const& factor) {
    gradient = gradient.detach();
    const auto error = make_node<torch::autograd::Error>(
        "hone::adapt::loss: a loss of hone has no second derivative; its gradient was differentiated",
        torch::autograd::edge_list{next_edge(0), torch::autograd::impl::gradient_edge(factor)});
    torch::autograd::set_history(gradient, error);
  }

  torch::autograd::SavedVariable gradient_;
  multiplication times_;
  bool last_ = false;   // this backward pass is the last one that reads the saved gradient
  bool given_ = false;  // an earlier one returned it, and others may hold it
};

/// Makes `value` the result of a node that returns `gradient` for the logits.
inline void set_gradient(at::Tensor& value, at::Tensor const& gradient, at::Tensor const& logits,
                         multiplication times) {
  torch::autograd::set_history(value, make_node<loss_node>(logits, gradient, times));
}

}  // namespace hone::inline HONE_ABI::adapt::detail

#include <hone/core/macros_pop.hpp>
