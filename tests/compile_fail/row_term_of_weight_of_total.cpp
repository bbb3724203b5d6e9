// SPDX-License-Identifier: MIT
// wrong: row term: weight<I> reads statistic I of the term, which must be a row::softmax or row::tempered
#include <hone/hone.hpp>

struct row_term_of_weight_of_total_term : hone::row_term_base {
  using statistics = hone::row::list<hone::row::softmax<>, hone::row::total<0, hone::row::column>>;

  template <hone::operand V>
  struct result {
    V loss, rate;
  };

  template <hone::operand V>
  HONE_HD result<V> finish(hone::row::normaliser<V> const& p, V total) const {
    return {total * p.inverse, p.inverse};
  }
  template <hone::operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const& e) const {
#ifdef WRONG
    return r.rate * hone::row::weight<1>(e);
#else
    return r.rate * hone::row::weight<0>(e);
#endif
  }
};

void row_term_of_weight_of_total(const hone::cpu& cpu, hone::matrix_view<const float> logits) {
  hone::evaluate(cpu, row_term_of_weight_of_total_term(), logits);
}
