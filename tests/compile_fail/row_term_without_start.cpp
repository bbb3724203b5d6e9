// SPDX-License-Identifier: MIT
// wrong: row term: a term with later sweeps needs start
#include <hone/hone.hpp>

struct row_term_without_start_term : hone::row_term_base {
  using statistics = hone::row::list<hone::row::softmax<>, hone::row::total<0, hone::row::column>>;
  using later_sweep = hone::row::sweep<1>;

  template <hone::operand V>
  struct result {
    V loss, rate;
  };

#ifndef WRONG
  template <hone::operand V>
  HONE_HD V start(hone::row::normaliser<V> const& p, V) const {
    return p.inverse;
  }
#endif
  template <hone::operand V, class E>
  HONE_HD hone::bundle<V, 1> later(V inverse, E const& e) const {
    return {{hone::row::weight(e) * inverse}};
  }
  template <hone::operand V>
  HONE_HD result<V> finish(V inverse, hone::bundle<V, 1> const& later) const {
    return {later[0], inverse};
  }
  template <hone::operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const& e) const {
    return r.rate * hone::row::weight(e);
  }
};

void row_term_without_start(const hone::cpu& cpu, hone::matrix_view<const float> logits) {
  hone::evaluate(cpu, row_term_without_start_term(), logits);
}
