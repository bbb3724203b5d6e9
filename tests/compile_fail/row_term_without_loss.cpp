// SPDX-License-Identifier: MIT
// wrong: row term: finish must return a struct with the row's `loss`
#include <hone/hone.hpp>

struct row_term_without_loss_term : hone::row_term_base {
  using statistics = hone::row::list<hone::row::softmax<>>;

  template <hone::operand V>
  struct result {
#ifdef WRONG
    V value, rate;
#else
    V loss, rate;
#endif
  };

  template <hone::operand V>
  HONE_HD result<V> finish(hone::row::normaliser<V> const& p) const {
    return {p.log_sum, p.inverse};
  }
  template <hone::operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const& e) const {
    return r.rate * hone::row::weight(e);
  }
};

void row_term_without_loss(const hone::cpu& cpu, hone::matrix_view<const float> logits) {
  hone::evaluate(cpu, row_term_without_loss_term(), logits);
}
