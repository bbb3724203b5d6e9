// SPDX-License-Identifier: MIT
/// What a call evaluates, as its threads share it.
#pragma once

#include <hone/core/evaluation.hpp>
#include <hone/cpu/rows/group_losses.hpp>

#include <array>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// The data that all threads of a call share.
template <class View, class... Leaf>
struct row_job : detail::evaluation<View, Leaf...> {
  std::array<double, sizeof...(Leaf)> scales;  // factor of the reduction, per leaf
  index columns;
  typename row_job::A const* class_weights[sizeof...(Leaf)] = {};  // of full targets, in the type of the arithmetic
  bool streaming = false;                                          // the gradient goes past the caches

  using losses_type = group_losses<typename row_job::A, sizeof...(Leaf)>;
  losses_type losses() const noexcept { return losses_type(this->out.unreduced != nullptr); }  // of one thread
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
