// SPDX-License-Identifier: MIT
/// The copies that an optimiser updates if a network's parameters are narrow.
#pragma once

#include <hone/core/owned_tensors.hpp>
#include <hone/core/tensor_overlap.hpp>

#include <concepts>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Copies of narrow parameters, which an optimiser updates in their place. A number does not change if less than half
/// the distance to its neighbour is added: a bfloat16 of 1 stays 1 up to additions of 2^-8 and subtractions of 2^-9,
/// and most updates of a training are smaller. Masters accumulate them, and hone::refresh rounds the masters to the
/// parameters.
///
///     hone::master_weights<float> masters(parameters);    // of bfloat16 or half; double masters of float too
///     optimiser.step(masters.tensors(), gradients);
///     hone::refresh(cpu, masters, parameters);
///
/// Owns its numbers; a copy is independent. The optimiser's state (momentum, second moments) belongs to the masters.
/// Source: Micikevicius et al., Mixed Precision Training, 2018, arXiv 1710.03740, section 3.1.
template <class T, class Memory = host_memory>
class master_weights {
  static_assert(std::same_as<T, float> || std::same_as<T, double>, "master_weights: a master is float or double");

 public:
  /// Copies the parameters. Throws hone::invalid_argument if a tensor is not valid memory.
  template <class P>
  explicit master_weights(tensor_list<P> const& parameters, Memory memory = {})
      : tensors_(checked(parameters), memory) {
    static_assert(sizeof(P) < sizeof(T), "master_weights: a master is wider than its parameters");
    tensors_.assign(parameters);
  }

  /// Returns the masters, with the sizes and shapes of the parameters, each tensor aligned to 64 bytes. They do not
  /// move during the life of the object.
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

/// Checks the arguments of refresh for all backends.
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
