// SPDX-License-Identifier: MIT
// The two losses that CONTRIBUTING.md adds step by step, checked by finite differences.
#include <hone/hone.hpp>

#include <cmath>
#include <cstdio>
#include <vector>

namespace {

// [element_formula]
struct poly_options {
  hone::real epsilon = 2;  ///< how much the first term of the series counts more
};

/// PolyLoss on a sigmoid (Leng et al. 2022, arXiv 2204.12511). With p = σ(x) and u = p (1-t) + (1-p) t = 1 - p_t:
///   value  BCE(x, t) + ε u        gradient  p - t + ε p (1-p) (1-2t)
struct poly_formula {
  double epsilon;

  template <hone::operand V>
  HONE_HD hone::value_grad<V> operator()(V x, V t) const {
    const hone::logistic<V> s(x);
    const V missed = s.p * (V(1) - t) + s.rest * t, e(epsilon);
    return {s.cross_entropy(x, t) + e * missed, s.p - t + e * s.p * s.rest * (V(1) - t - t)};
  }
};

/// Targets as binary_cross_entropy takes them. ε finite.
template <class Targets>
auto poly_loss(Targets targets, poly_options options = {}) {
  static_assert(hone::detail::element_targets<Targets>,
                "poly_loss: the targets must be a hone::matrix_view or hone::classes(labels)");
  const double epsilon = options.epsilon;
  hone::detail::require(hone::detail::finite(epsilon), "poly_loss", "epsilon", epsilon, "finite");
  return hone::detail::element_loss(poly_formula{epsilon}, targets);
}

static_assert(hone::element_formula<poly_formula>);
// [/element_formula]

// [row_term]
/// The confidence penalty (Pereyra et al. 2017, arXiv 1701.06548). With p = softmax(z), m = Σ p z:
///   value  β Σ p log p  =  β (m - log Σ exp z)        gradient  β p (z - m)
struct confidence_penalty_term : hone::row_term_base {
  static constexpr bool needs_softmax = false, needs_logits = true;
  static constexpr int sums = 2, kept = 1;

  double beta;

  explicit confidence_penalty_term(double beta_) : beta(beta_) {}

  template <hone::operand V>
  struct row {
    V loss, rate, mean;
  };

  template <hone::operand V>
  HONE_HD void first(hone::row_element<V>& e, V (&sums_)[3]) const {  // z is less the row's maximum: at most 0
    e.kept[0] = exp_of_nonpositive(e.z);
    sums_[0] = sums_[0] + e.kept[0];
    sums_[1] = sums_[1] + select(e.kept[0] == V(0), V(0), e.kept[0] * e.z);  // 0 where z is -inf
  }
  template <hone::operand V>
  HONE_HD row<V> finish(hone::row_statistics<V> const& s) const {
    const V mean = s.sums[1] / s.sums[0];
    return {V(beta) * (mean - log(s.sums[0])), V(beta) / s.sums[0], mean};
  }
  template <hone::operand V>
  HONE_HD V gradient(row<V> const& r, hone::row_element<V> const& e) const {
    return select(e.kept[0] == V(0), V(0), r.rate * e.kept[0] * (e.z - r.mean));
  }
};

static_assert(hone::row_term<confidence_penalty_term>);
// [/row_term]

int failures = 0;

/// The gradient of an objective against the differences of its value.
void prove(auto const& objective, std::vector<double> z, hone::index rows, hone::index columns, const char* what) {
  const hone::cpu cpu{1};
  std::vector<double> gradient(z.size());
  const hone::matrix_view view{z.data(), rows, columns};
  hone::evaluate(cpu, objective, view, {.gradient = {gradient.data(), rows, columns}});
  for (std::size_t i = 0; i < z.size(); ++i) {
    const double x = z[i], h = 1e-5;
    z[i] = x + h;
    const double above = hone::evaluate(cpu, objective, view);
    z[i] = x - h;
    const double below = hone::evaluate(cpu, objective, view);
    z[i] = x;
    if (std::abs((above - below) / (2 * h) - gradient[i]) > 1e-8) std::printf("wrong: %s\n", what), ++failures;
  }
}

}  // namespace

int main() {
  const std::vector<int> labels = {0, 2};
  const std::vector<double> z = {2, 0, -1, 0.5, 1, -3};
  prove(poly_loss(hone::classes(labels), {.epsilon = 2}), z, 2, 3, "poly_loss");
  prove(hone::cross_entropy(hone::classes(labels)) + confidence_penalty_term(0.1), z, 2, 3, "confidence penalty");
  return failures;
}
