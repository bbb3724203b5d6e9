// SPDX-License-Identifier: MIT
/// Zero-γ: residual blocks that start as identities.
#pragma once

#include <hone/core/name_pattern.hpp>
#include <hone/core/tensor_overlap.hpp>

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <type_traits>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Fills the tensors (in host memory) whose names match a pattern with 0, and returns their number. For zero-γ the
/// caller must name the last norm of every residual block, because hone does not know the network.
///
///     hone::zero_fill(weights, names, {"layer?.*.bn2.weight"});  // a ResNet of basic blocks; bn3 with bottlenecks
///
/// `names[i]` is the name of `tensors[i]`: a container of std::string or std::string_view. See matches for patterns.
/// Throws hone::invalid_argument, and writes nothing, if the numbers of names and tensors differ, a tensor has no data,
/// two share memory, or a pattern matches no name.
/// Source: Goyal et al., 2017, arXiv 1706.02677, section 5.1; He et al., Bag of Tricks, 2018, arXiv 1812.01187.
template <class T, class Names, class Patterns = std::initializer_list<std::string_view>>
  requires(!std::is_const_v<T>)
index zero_fill(tensor_list<T> const& tensors, Names const& names, Patterns const& patterns) {
  detail::require_tensors("zero_fill", "tensors", tensors);
  detail::require_apart("zero_fill", "tensors", tensors);
  const std::vector<bool> chosen = detail::matching("zero_fill", names, tensors.size(), patterns);
  for (std::size_t i = 0; i < chosen.size(); ++i)
    if (chosen[i]) std::fill_n(tensors[i].data, tensors[i].size, static_cast<T>(0.0f));
  return static_cast<index>(std::count(chosen.begin(), chosen.end(), true));
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
