// SPDX-License-Identifier: MIT
// wrong: formula: a comparison has one answer per lane: use select
#include <hone/hone.hpp>

struct box_formula_with_choice_formula {
  template <hone::operand V>
  HONE_HD hone::box_grad<V> operator()(hone::box<V> const& b, hone::box<V> const& t) const {
    const V apart = b.x1 - t.x1;
#ifdef WRONG
    const V value = apart < V(0) ? -apart : apart;
#else
    const V value = abs(apart);
#endif
    return {value, {select(apart < V(0), V(-1), V(1)), V(0), V(0), V(0)}};
  }
};

static_assert(hone::corner_formula<box_formula_with_choice_formula>);
