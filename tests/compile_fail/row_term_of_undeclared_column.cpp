// SPDX-License-Identifier: MIT
// wrong: row term: column_of needs reads_column = true
#include <hone/hone.hpp>

struct row_term_of_undeclared_column_term : hone::row_term_base {
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
    return r.rate * hone::row::weight(e) * hone::row::column_of(e);
#else
    return r.rate * hone::row::weight(e);
#endif
  }
};

void row_term_of_undeclared_column(const hone::cpu& cpu, hone::matrix_view<const float> logits) {
  hone::evaluate(cpu, row_term_of_undeclared_column_term(), logits);
}
