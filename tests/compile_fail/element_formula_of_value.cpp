// SPDX-License-Identifier: MIT
// wrong: element_loss: the formula must be a function \(V x, V t\) of a logit and its target, for every hone::operand
#include <hone/extend.hpp>
#include <hone/hone.hpp>

struct element_formula_of_value_formula {
  template <hone::operand V>
#ifdef WRONG
  HONE_HD V operator()(V x, V t) const {
    return (x - t) * (x - t);
  }
#else
  HONE_HD hone::value_grad<V> operator()(V x, V t) const {
    return {(x - t) * (x - t), V(2) * (x - t)};
  }
#endif
};

void element_formula_of_value(const hone::cpu& cpu, hone::matrix_view<const float> logits) {
  hone::evaluate(cpu, hone::extend::element_loss(element_formula_of_value_formula{}, logits), logits);
}
