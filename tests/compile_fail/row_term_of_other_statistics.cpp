// SPDX-License-Identifier: MIT
// wrong: row term: finish must take what `statistics` lists
#include <hone/hone.hpp>

struct row_term_of_other_statistics_term : hone::row_term_base {
  using statistics = hone::row::list<hone::row::softmax<>>;

  template <hone::operand V>
  struct result {
    V loss, rate;
  };

#ifdef WRONG
  template <hone::operand V>
  HONE_HD result<V> finish(hone::row::normaliser<V> const& p, V total) const {
    return {p.log_sum + total, p.inverse};
  }
#else
  template <hone::operand V>
  HONE_HD result<V> finish(hone::row::normaliser<V> const& p) const {
    return {p.log_sum, p.inverse};
  }
#endif
  template <hone::operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const& e) const {
    return r.rate * hone::row::weight(e);
  }
};

void row_term_of_other_statistics(const hone::cpu& cpu, hone::matrix_view<const float> logits) {
  hone::evaluate(cpu, row_term_of_other_statistics_term(), logits);
}
