// SPDX-License-Identifier: MIT
/// The node of autograd whose backward pass multiplies a gradient that the forward pass computed.
#pragma once

#include <hone/adapt/torch/backend.hpp>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
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

/// to[i] = factor · from[i], in float for 16-bit numbers; to may be from. Not a torch operator: after one, the threads
/// of OpenMP spin for milliseconds.
inline void multiply_on_cpu(at::Tensor const& from, double factor, at::Tensor const& to) {
  with_number("backward", "the gradient", from.scalar_type(), [&]<class T>(std::type_identity<T>) {
    using A = accumulator_t<T>;
    T const* const x = numbers_of<const T>(from);
    T* const y = numbers_of<T>(to);
    const index n = from.numel(), each = index(1) << 15;
    const A f = static_cast<A>(factor);
    on_cpu::for_chunks(torch_cpu(), (n + each - 1) / each, 0, [&](index chunk, std::byte*) {
      const index end = std::min(n, (chunk + 1) * each);
      for (index i = chunk * each; i < end; ++i) y[i] = static_cast<T>(static_cast<A>(x[i]) * f);
    });
  });
}

/// The gradient of a loss: grad_output times the gradient that the forward pass computed. grad_output is read on its
/// own device. A factor of 1 on the CPU costs no pass.
struct loss_node : torch::autograd::Node {
  explicit loss_node(torch::autograd::edge_list&& next) : Node(std::move(next)) {}

  void save(at::Tensor const& gradient) { gradient_ = torch::autograd::SavedVariable(gradient, false); }
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
      gradient = times(saved, factor, std::exchange(last_, false) && !given_);
      given_ = given_ || gradient.is_same(saved);
    }
    if (differentiates) refuse_derivative(gradient, factor);
    return {std::move(gradient)};
  }

 private:
  static at::Tensor times(at::Tensor const& gradient, at::Tensor const& factor, bool in_place) {
    if (!gradient.is_cpu()) {
      const at::Tensor f = factor.detach();
      return in_place ? at::Tensor(gradient.detach()).mul_(f) : gradient.mul(f);
    }
    const double f = factor.scalar_type() == at::kDouble ? *numbers_of<const double>(factor)
                                                         : static_cast<double>(*numbers_of<const float>(factor));
    if (f == 1) return gradient;
    const at::Tensor to = in_place ? gradient : at::empty_like(gradient);
    multiply_on_cpu(gradient, f, to);
    return to;
  }

  /// Lets a derivative of the gradient fail, instead of being 0: it leads to the logits and to grad_output.
  void refuse_derivative(at::Tensor& gradient, at::Tensor const& factor) {
    gradient = gradient.detach();
    const auto error = make_node<torch::autograd::Error>(
        "hone::adapt::loss: a loss of hone has no second derivative; its gradient was differentiated",
        torch::autograd::edge_list{next_edge(0), torch::autograd::impl::gradient_edge(factor)});
    torch::autograd::set_history(gradient, error);
  }

  torch::autograd::SavedVariable gradient_;
  bool last_ = false;   // this backward pass is the last one that reads the saved gradient
  bool given_ = false;  // an earlier one returned it, and others may hold it
};

/// Makes `value` the result of a node that returns `gradient` for the logits.
inline void set_gradient(at::Tensor& value, at::Tensor const& gradient, at::Tensor const& logits) {
  const auto node = make_node<loss_node>(torch::autograd::collect_next_edges(logits));
  node->save(gradient);
  torch::autograd::set_history(value, node);
}

}  // namespace hone::inline HONE_ABI::adapt::detail

#include <hone/core/macros_pop.hpp>
