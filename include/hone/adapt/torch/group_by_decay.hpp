// SPDX-License-Identifier: MIT
/// Splits the parameter groups of an optimiser: weight decay for weights, none for biases and norms.
#pragma once

#include <hone/adapt/torch/module_tensors.hpp>
#include <hone/large_batch/decay_groups.hpp>

#include <torch/optim/adagrad.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/optimizer.h>
#include <torch/optim/rmsprop.h>
#include <torch/optim/sgd.h>

#include <cstddef>
#include <memory>
#include <span>
#include <unordered_set>
#include <utility>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::adapt {

namespace detail {

template <class... Options>
bool set_no_decay(torch::optim::OptimizerOptions& options) {
  const auto set = [&]<class O>(O* its) { return its && (its->weight_decay(0), true); };
  return (set(dynamic_cast<Options*>(&options)) || ...);
}

}  // namespace detail

/// Moves those parameters of the module to which hone::decays says no (biases, norms, vectors; `rules` first) out of
/// each group of the optimiser into a new group with the same options and a weight decay of 0. The new groups come
/// last. Returns the number of tensors moved. The optimiser is SGD, Adam, AdamW, RMSprop or Adagrad.
///
///     torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(5e-4));
///     hone::adapt::group_by_decay(optimizer, net);
///
/// Groups made by hand lose a weight decay of 0 in LibTorch 2: an option that has the default of its type is taken from
/// the optimiser's. Call it once, before steps and before the optimiser is loaded. Throws hone::invalid_argument, and
/// changes nothing, if a rule matches no parameter or the optimiser has no weight decay.
template <detail::any_module Module>
index group_by_decay(torch::optim::Optimizer& optimizer, Module const& module, std::span<const decay_rule> rules = {}) {
  const std::vector<detail::named_tensor> parameters = detail::parameters_in(detail::module_of(module));
  std::vector<named_parameter> named;
  named.reserve(parameters.size());
  for (detail::named_tensor const& p : parameters) named.push_back({p.name, p.tensor.dim()});
  std::unordered_set<void const*> moving;
  for (const index i : hone::group_by_decay(named, rules).no_decay)
    moving.insert(parameters[static_cast<std::size_t>(i)].tensor.unsafeGetTensorImpl());

  namespace optim = torch::optim;
  std::vector<optim::OptimizerParamGroup> groups, without;
  index moved = 0;
  for (optim::OptimizerParamGroup const& group : optimizer.param_groups()) {
    std::vector<at::Tensor> stay, move;
    for (at::Tensor const& t : group.params()) (moving.count(t.unsafeGetTensorImpl()) ? move : stay).push_back(t);
    auto options = group.options().clone();
    if (!detail::set_no_decay<optim::SGDOptions, optim::AdamOptions, optim::AdamWOptions, optim::RMSpropOptions,
                              optim::AdagradOptions>(*options))
      hone::detail::fail("group_by_decay: the optimizer is none of SGD, Adam, AdamW, RMSprop and Adagrad");
    moved += static_cast<index>(move.size());
    if (!stay.empty()) groups.emplace_back(std::move(stay), group.options().clone());
    if (!move.empty()) without.emplace_back(std::move(move), std::move(options));
  }
  for (optim::OptimizerParamGroup& group : without) groups.push_back(std::move(group));
  optimizer.param_groups().swap(groups);
  return moved;
}

}  // namespace hone::inline HONE_ABI::adapt

#include <hone/core/macros_pop.hpp>
