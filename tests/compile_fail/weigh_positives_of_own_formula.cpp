// SPDX-License-Identifier: MIT
// wrong: weigh_positives: a formula of this objective has no weight of positives
#include <hone/hone.hpp>

#include <vector>

struct squared_formula {
#ifdef WRONG
  template <hone::operand V>
  HONE_HD hone::value_grad<V> operator()(V x, V t) const {
    return {(x - t) * (x - t), V(2) * (x - t)};
  }
#else
  template <hone::operand V, class W = hone::unweighed>
  HONE_HD hone::value_grad<V> operator()(V x, V t, W w = {}) const {
    return {w * (x - t) * (x - t), w * (V(2) * (x - t))};
  }
#endif
};

auto weigh_positives_of_own_formula(const std::vector<int>& labels) {
  return hone::weigh_positives(hone::detail::element_loss(squared_formula{}, hone::classes(labels)), 2);
}
