// SPDX-License-Identifier: MIT
// wrong: row term: total<I, x> needs a softmax at place I, before it in the list
#include <hone/hone.hpp>

struct row_term_of_total_before_softmax_term : hone::row_term_base {
#ifdef WRONG
  using statistics = hone::row::list<hone::row::total<1, hone::row::column>, hone::row::tempered<>>;
#else
  using statistics = hone::row::list<hone::row::tempered<>, hone::row::total<0, hone::row::column>>;
#endif
  double temperature = 2;

  template <hone::operand V>
  struct result {
    V loss;
  };

  template <hone::operand V>
  HONE_HD result<V> finish(hone::row::exponentials<V> const& p, V total) const {
    return {total / p.sum};
  }
  template <hone::operand V>
  HONE_HD result<V> finish(V total, hone::row::exponentials<V> const& p) const {
    return {total / p.sum};
  }
  template <hone::operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const&) const {
    return r.loss;
  }
};

void row_term_of_total_before_softmax(const hone::cpu& cpu, hone::matrix_view<const float> logits) {
  hone::evaluate(cpu, row_term_of_total_before_softmax_term(), logits);
}
