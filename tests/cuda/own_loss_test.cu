// SPDX-License-Identifier: MIT
// The losses that CONTRIBUTING.md adds, of elements and of rows, and one of rows with a number between the sweeps. Rows
// are such as a thread, a warp and a block hold, and streamed ones.
#include <hone/hone.cuh>

#include <../examples/snippets/own_loss.hpp>

#include <conformance/elements.hpp>
#include <conformance/rows.hpp>
#include <cuda/device.cuh>

namespace own {

struct penalty_with_mean_between : hone::row_term_base {
  static constexpr bool needs_softmax = false, needs_logits = true;
  static constexpr int sums = 2, kept = 1;

  template <hone::operand V>
  struct row {
    V loss, rate, mean;
  };

  template <hone::operand V>
  HONE_HD void first(hone::row_element<V>& e, V (&sums_)[3]) const {
    e.kept[0] = exp_of_nonpositive(e.z);
    sums_[0] = sums_[0] + e.kept[0];
    sums_[1] = sums_[1] + select(e.kept[0] == V(0), V(0), e.kept[0] * e.z);
  }
  template <hone::operand V>
  HONE_HD V between(hone::row_statistics<V> const& s) const {
    return s.sums[1] / s.sums[0];
  }
  template <hone::operand V>
  HONE_HD row<V> finish(hone::row_statistics<V> const& s) const {
    return {s.given - log(s.sums[0]), V(1) / s.sums[0], s.given};
  }
  template <hone::operand V>
  HONE_HD V gradient(row<V> const& r, hone::row_element<V> const& e) const {
    return select(e.kept[0] == V(0), V(0), r.rate * e.kept[0] * (e.z - r.mean));
  }
};
static_assert(hone::row_term<penalty_with_mean_between>);

conformance::row_answer penalty_of(conformance::row_of_numbers const& z, double beta) {
  const conformance::row_of_numbers p = conformance::softmax(z, 1);
  const double lse = conformance::logsumexp(z);
  conformance::row_answer a{0, conformance::row_of_numbers(z.size())};
  double sum = 0;
  for (std::size_t c = 0; c < z.size(); ++c) sum += p[c] * (z[c] - lse);
  for (std::size_t c = 0; c < z.size(); ++c) a.gradient[c] = beta * p[c] * (z[c] - lse - sum);
  a.loss = beta * sum;
  return a;
}

/// The term against β Σ p log p, in rows of every length.
template <class Term>
void is_a_penalty(Term const& term, double beta) {
  conformance::each_batch<conformance::row_batch<device::conformance, float>>(
      {{5, 7}, {5, 300}, {3, 5000}, {2, 40000}}, [&](auto const& b) {
        conformance::expect_rows(
            b, term,
            {{[&](hone::index i) { return penalty_of(b.row(b.z, i), beta); }, [](hone::index) { return 1.0; }, 1}},
            hone::sum);
      });
}

}  // namespace own

TEST_CASE("a row loss of one's own answers as its formula, in rows of every length") {
  own::is_a_penalty(own::confidence_penalty_term(0.25), 0.25);
  own::is_a_penalty(own::penalty_with_mean_between(), 1);
}

TEST_CASE("an element loss of one's own answers as its formula, with targets of both kinds") {
  const auto loss = [](auto targets) { return own::squared_hinge_loss(targets, {.margin = 1.5}); };
  const auto formula = [](double x, double t) {
    const double y = 2 * t - 1, u = std::max(1.5 - y * x, 0.0);
    return hone::value_grad<double>{u * u, -2 * y * u};
  };
  conformance::element_loss<device::conformance, float>(loss, formula, {{1, 1}, {5, 7}, {4, 300}});
  conformance::element_loss<device::conformance, double>(loss, formula, {{5, 7}});
}
