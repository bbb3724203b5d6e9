// SPDX-License-Identifier: MIT
/// Gates: how a number of a plane becomes the factor of all its pixels.
#pragma once

#include <hone/core/operand.hpp>
#include <hone/structure/activation.hpp>

#include <concepts>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// A formula of the number e of a plane: its value is the factor, with its derivative by e.
template <class G>
concept plane_gate = std::is_trivially_copyable_v<G> && requires(G gate, double e) {
  { gate(e) } -> std::same_as<value_grad<double>>;
};

/// The number is the factor.
struct identity_gate_formula {
  template <operand V>
  HONE_HD value_grad<V> operator()(V e) const {
    return {e, V(1)};
  }
};

/// value σ(e), gradient σ(e) (1 - σ(e)): the gate of squeeze-and-excitation (Hu et al. 2018, arXiv 1709.01507).
struct sigmoid_gate_formula {
  template <operand V>
  HONE_HD value_grad<V> operator()(V e) const {
    const sigmoid_pair<V> s(e);
    return {s.p, s.p * s.complement};
  }
};

/// value clamp(e/6 + 1/2, 0, 1), gradient 1/6 between -3 and 3, else 0: the gate of MobileNetV3 (Howard et al. 2019,
/// arXiv 1905.02244). NaN stays NaN.
struct hard_sigmoid_gate_formula {
  template <operand V>
  HONE_HD value_grad<V> operator()(V e) const {
    const V line = e * V(1.0 / 6) + V(0.5);
    const auto between = [&](V low, V x, V high) {
      return select(V(-3) < e, select(e < V(3), x, high), select(e == exact(e), low, e));
    };
    return {between(V(0), line, V(1)), between(V(0), V(1.0 / 6), V(0))};
  }
};

inline constexpr identity_gate_formula identity_gate;
inline constexpr sigmoid_gate_formula sigmoid_gate;
inline constexpr hard_sigmoid_gate_formula hard_sigmoid_gate;

static_assert(plane_gate<identity_gate_formula> && plane_gate<sigmoid_gate_formula> &&
              plane_gate<hard_sigmoid_gate_formula>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
