// SPDX-License-Identifier: MIT
// wrong: row term: close_sweep may replace the weights of a row::tempered
#include <hone/hone.hpp>

struct row_term_that_replaces_softmax_term : hone::row_term_base {
  using statistics = hone::row::list<hone::row::softmax<>, hone::row::tempered<>>;
#ifdef WRONG
  using close_sweep = hone::row::sweep<1, hone::row::all, 0>;
#else
  using close_sweep = hone::row::sweep<1, hone::row::all, 1>;
#endif
  double temperature = 2;

  template <hone::operand V>
  struct result {
    V loss;
  };

  template <hone::operand V>
  HONE_HD V start(hone::row::normaliser<V> const& p, hone::row::exponentials<V> const& q) const {
    return p.inverse / q.sum;
  }
  template <hone::operand V>
  HONE_HD auto is_close(V s) const {
    return s > V(0);
  }
  template <hone::operand V, class E>
  HONE_HD hone::row::replaced<V, 1> close(V s, E const& e) const {
    return {{{s}}, hone::row::weight<1>(e)};
  }
  template <hone::operand V>
  HONE_HD result<V> finish(V s, hone::bundle<V, 1> const& close) const {
    return {s + close[0]};
  }
  template <hone::operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const& e) const {
    return r.loss * hone::row::weight<1>(e);
  }
};

void row_term_that_replaces_softmax(const hone::cpu& cpu, hone::matrix_view<const float> logits) {
  hone::evaluate(cpu, row_term_that_replaces_softmax_term(), logits);
}
