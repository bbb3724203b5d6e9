// SPDX-License-Identifier: MIT
// wrong: formula: a comparison has one answer per lane: use select
#include <hone/hone.hpp>

struct row_term_with_if_term : hone::row_term_base {
  using statistics = hone::row::list<hone::row::softmax<>>;

  template <hone::operand V>
  struct result {
    V loss, rate;
  };

  template <hone::operand V>
  HONE_HD result<V> finish(hone::row::normaliser<V> const& p) const {
    return {p.log_sum, p.inverse};
  }
  template <hone::operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const& e) const {
#ifdef WRONG
    if (hone::row::weight(e) > V(0.5)) return V(0);
    return r.rate * hone::row::weight(e);
#else
    const V w = hone::row::weight(e);
    return r.rate * select(w > V(0.5), V(0), w);
#endif
  }
};

void row_term_with_if(const hone::cpu& cpu, hone::matrix_view<const float> logits) {
  hone::evaluate(cpu, row_term_with_if_term(), logits);
}
