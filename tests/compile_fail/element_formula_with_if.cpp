// SPDX-License-Identifier: MIT
// wrong: formula: a comparison has one answer per lane: use select
#include <hone/hone.hpp>

struct element_formula_with_if_formula {
  template <hone::operand V>
  HONE_HD hone::value_grad<V> operator()(V x, V t) const {
    const V apart = t - x;
#ifdef WRONG
    if (apart < V(0)) return {V(0), V(0)};
    return {apart, V(-1)};
#else
    return {max(apart, V(0)), select(apart < V(0), V(0), V(-1))};
#endif
  }
};

static_assert(hone::element_formula<element_formula_with_if_formula>);
