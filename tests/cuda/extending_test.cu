// SPDX-License-Identifier: MIT
// The element-wise, row and box losses that CONTRIBUTING.md defines, and a row loss with a later sweep, on CUDA. Row
// lengths cover a thread, a warp and a block per row, and streamed rows.
#include <hone/hone.cuh>

#include <../examples/snippets/extending.hpp>

#include <conformance/elements.hpp>
#include <conformance/rows.hpp>
#include <cuda/device.cuh>

namespace own {

/// The same with β = 1 by a later sweep: Σ p log p of all classes.
struct penalty_by_later_sweep : hone::row_term_base {
  using statistics = hone::row::list<hone::row::softmax<>>;
  using later_sweep = hone::row::sweep<1>;
  static constexpr bool gradient_reads_coordinates = true;

  template <hone::operand V>
  struct result {
    V loss;
    hone::row::normaliser<V> softmax;
  };

  /// p log p of an element.
  template <hone::operand V, class E>
  HONE_HD static V at(hone::row::normaliser<V> const& softmax, E const& e) {
    const V p = hone::row::weight(e) * softmax.inverse;
    return select(p == V(0), V(0), p * (hone::row::coordinate_of(e) - softmax.log_sum));
  }
  template <hone::operand V, class E>
  HONE_HD hone::bundle<V, 1> later(hone::row::normaliser<V> const& softmax, E const& e) const {
    return {{at(softmax, e)}};
  }
  template <hone::operand V>
  HONE_HD result<V> finish(hone::row::normaliser<V> const& softmax, hone::bundle<V, 1> const& later) const {
    return {later[0], softmax};
  }
  template <hone::operand V, class E>
  HONE_HD V gradient(result<V> const& r, E const& e) const {
    return at(r.softmax, e) - hone::row::weight(e) * r.softmax.inverse * r.loss;
  }
};
static_assert(hone::row_term<penalty_by_later_sweep>);

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

TEST_CASE("a user-defined row loss matches its formula for rows of every length") {
  own::is_a_penalty(own::confidence_penalty_term(0.25), 0.25);
  own::is_a_penalty(own::penalty_by_later_sweep(), 1);
}

TEST_CASE("a user-defined box loss matches its formula") {
  const std::vector<float> boxes = {0, 0, 4, 4, 1, 1, 3, 5, 2, 2, 9, 3},
                           targets = {0.5, -2, 4.25, 4, 1, 2.5, 3, 5.5, 2, 2.5, 9, 3};
  const device::buffer<float> z(boxes), t(targets), gradient(boxes), losses(std::size_t(3));
  device::conformance::evaluate(own::smooth_l1_loss(hone::matrix_view<const float>{t.data(), 3, 4}),
                                hone::matrix_view<const float>{z.data(), 3, 4},
                                hone::outputs<float>{.gradient = {gradient.data(), 3, 4}, .unreduced = losses.data()},
                                hone::sum);
  const auto g = gradient.host(), u = losses.host();
  for (std::size_t i = 0; i < 3; ++i) {
    const auto box_at = [i](std::vector<float> const& v) {
      return hone::box<double>{v[4 * i], v[4 * i + 1], v[4 * i + 2], v[4 * i + 3]};
    };
    const auto expected = own::smooth_l1_formula()(box_at(boxes), box_at(targets));
    CHECK(double(u[i]) == doctest::Approx(expected.value));
    CHECK(double(g[4 * i]) == expected.grad.x1);
    CHECK(double(g[4 * i + 1]) == expected.grad.y1);
    CHECK(double(g[4 * i + 2]) == expected.grad.x2);
    CHECK(double(g[4 * i + 3]) == expected.grad.y2);
  }
}

TEST_CASE("a user-defined target gives the same loss as the probabilities it stands for") {
  conformance::each_batch<conformance::row_batch<device::conformance, float>>(
      {{5, 7}, {5, 300}, {2, 40000}}, [&](auto const& b) {
        const double K = double(b.size.columns);
        const own::trusted_labels<int> target{hone::classes(b.device_others), b.device_lambda};
        const auto row = [&](hone::index i) {
          const double c = double(b.lambda[std::size_t(i)]);
          conformance::row_of_numbers q = b.one_hot(b.others[std::size_t(i)]);
          for (double& x : q) x = c * x + (1 - c) / K;
          return conformance::cross_entropy_of(b.row(b.z, i), q);
        };
        conformance::expect_rows(b, hone::cross_entropy(target),
                                 {{row, [](hone::index) { return 1.0; }, double(b.size.rows)}}, hone::mean);
      });
}

TEST_CASE("a user-defined average and a user-defined schedule are computed on the device") {
  const device::stream stream;
  hone::cuda gpu(stream);
  const auto list_of = [](device::buffer<float> const& x) { return hone::tensor_list<float>{{x.data(), 2}}; };
  const device::buffer<float> p(std::vector<float>{4, 2}), q(std::vector<float>{8, 6}), seen(std::vector<float>{0, 0});
  hone::device_ema_state<float> state(gpu, list_of(p));
  for (device::buffer<float> const* now : {&q, &p, &p})
    hone::update(gpu, own::mean_then_ema{.decay = 0.5, .means = 2}, state,
                 hone::device_list<float>(gpu, list_of(*now)));
  hone::copy(gpu, state, hone::device_list<float>(gpu, list_of(seen)));
  REQUIRE(cudaStreamSynchronize(stream) == cudaSuccess);
  CHECK(seen.host() == std::vector<float>{5, 3});  // (8 + 4) / 2, then half of the way to 4

  const own::triangular cycles{.low = 1, .high = 3, .period = 8};
  const hone::device_schedule rate(gpu, cycles, 4);
  CHECK(rate.host().rate == 3);
  rate.advance(gpu);
  CHECK(rate.host().rate == cycles.rate(5));
}

TEST_CASE("a user-defined element-wise loss matches its formula, with probabilities and with labels") {
  const auto loss = [](auto targets) { return own::squared_hinge_loss(targets, {.margin = 1.5}); };
  const auto formula = [](double x, double t) {
    const double y = 2 * t - 1, u = std::max(1.5 - y * x, 0.0);
    return hone::value_grad<double>{u * u, -2 * y * u};
  };
  conformance::element_loss<device::conformance, float>(loss, formula, {{1, 1}, {5, 7}, {4, 300}});
  conformance::element_loss<device::conformance, double>(loss, formula, {{5, 7}});
}
