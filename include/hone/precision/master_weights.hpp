// SPDX-License-Identifier: MIT
/// What an optimiser updates where a network's parameters are narrow.
#pragma once

#include <hone/core/owned_tensors.hpp>
#include <hone/core/tensor_overlap.hpp>

#include <concepts>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Copies of narrow parameters that an optimiser updates in their stead. A number does not move where less than half
/// the distance to its neighbour is added: a bfloat16 of 1 stays 1 up to additions of 2^-8 and subtractions of 2^-9,
/// and a training's updates are mostly smaller than that. Masters take them, and hone::refresh rounds what they add up
/// to.
///
///     hone::master_weights<float> masters(parameters);    // of bfloat16 or half; double masters of float too
///     optimiser.step(masters.tensors(), gradients);
///     hone::refresh(cpu, masters, parameters);
///
/// Owns its numbers; a copy has its own. The optimiser's state (momentum, second moments) belongs to the masters.
/// Source: Micikevicius et al., Mixed Precision Training, 2018, arXiv 1710.03740, section 3.1.
template <class T, class Memory = host_memory>
class master_weights {
  static_assert(std::same_as<T, float> || std::same_as<T, double>, "master_weights: a master is float or double");

 public:
  /// Begins with the numbers of the parameters. Throws hone::invalid_argument where a tensor is no memory.
  template <class P>
  explicit master_weights(tensor_list<P> const& parameters, Memory memory = {})
      : tensors_(checked(parameters), memory) {
    static_assert(sizeof(P) < sizeof(T), "master_weights: a master is wider than its parameters");
    tensors_.assign(parameters);
  }

  /// The masters, of the sizes and shapes of the parameters, each tensor aligned to 64 bytes. They stay where they are
  /// as long as the object lives.
  tensor_list<T> const& tensors() const noexcept { return tensors_.list(); }

 private:
  template <class P>
  static tensor_list<P> checked(tensor_list<P> const& parameters) {
    static_assert(element<std::remove_const_t<P>>, "master_weights: the parameters are floating-point numbers");
    detail::require_tensors("master_weights", "parameters", parameters);
    return parameters;
  }

  detail::owned_tensors<T, Memory> tensors_;
};

namespace detail {

/// What refresh asks on every backend.
template <class T, class Memory, class P>
void require_refresh(master_weights<T, Memory> const& masters, tensor_list<P> const& parameters) {
  static_assert(!std::is_const_v<P>, "refresh: the parameters are written, their type is const");
  static_assert(element<P> && sizeof(P) < sizeof(T),
                "refresh: the parameters are floating-point numbers narrower than their masters");
  require_tensors("refresh", "parameters", parameters);
  require_sizes_like("refresh", "parameters", parameters, "master_weights", masters.tensors());
  require_apart("refresh", "parameters", parameters);
  require_outside("refresh", "parameters", parameters, "the masters", masters.tensors());
}

}  // namespace detail

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
