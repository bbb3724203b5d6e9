// SPDX-License-Identifier: MIT
/// What every backend must answer for the divergences from a teacher: one list of cases, against the formulas in
/// double.
#pragma once

#include <conformance/rows.hpp>

namespace conformance {

inline row_of_numbers log_softmax(row_of_numbers z, double T) {
  for (double& x : z) x /= T;
  const double lse = logsumexp(z);
  for (double& x : z) x -= lse;
  return z;
}
inline row_answer reverse_distillation_of(row_of_numbers const& z, row_of_numbers const& teacher, double T) {
  const row_of_numbers s = log_softmax(z, T), t = log_softmax(teacher, T);
  row_answer a{0, row_of_numbers(z.size())};
  double divergence = 0;
  for (std::size_t c = 0; c < z.size(); ++c) divergence += std::exp(s[c]) * (s[c] - t[c]);
  for (std::size_t c = 0; c < z.size(); ++c) a.gradient[c] = T * std::exp(s[c]) * (s[c] - t[c] - divergence);
  a.loss = T * T * divergence;
  return a;
}
inline row_answer jensen_shannon_of(row_of_numbers const& z, row_of_numbers const& teacher, double T, double beta) {
  const row_of_numbers s = log_softmax(z, T), t = log_softmax(teacher, T);
  row_answer a{0, row_of_numbers(z.size())};
  double of_teacher = 0, of_student = 0;
  row_of_numbers m;
  for (std::size_t c = 0; c < z.size(); ++c) {
    m.push_back(std::log(beta * std::exp(t[c]) + (1 - beta) * std::exp(s[c])));
    of_teacher += std::exp(t[c]) * (t[c] - m[c]);
    of_student += std::exp(s[c]) * (s[c] - m[c]);
  }
  for (std::size_t c = 0; c < z.size(); ++c)
    a.gradient[c] = T * (1 - beta) * std::exp(s[c]) * (s[c] - m[c] - of_student);
  a.loss = T * T * (beta * of_teacher + (1 - beta) * of_student);
  return a;
}

/// Divergences beside labels, some of them ignored, and alone.
template <class Device, class T>
void rows_of_divergences(std::vector<shape> const& shapes) {
  each_batch<row_batch<Device, T>>(shapes, [](auto const& b) {
    const double kept = b.kept();
    const auto times = [&b](double factor) { return [&b, factor](index i) { return b.ignored(i) ? 0 : factor; }; };
    const auto reversed = [&](index i) { return reverse_distillation_of(b.row(b.z, i), b.row(b.taught, i), 3); };
    const auto between = [&](index i) { return jensen_shannon_of(b.row(b.z, i), b.row(b.taught, i), 2, 0.25); };
    const auto labelled = [&](index i) { return cross_entropy_of(b.row(b.z, i), b.one_hot(b.labels[std::size_t(i)])); };
    const auto teacher = b.view(b.device_taught);
    expect_rows(b,
                0.25 * hone::cross_entropy(hone::classes(b.device_labels, {.ignore = -7})) +
                    0.5 * hone::reverse_distillation(teacher, 3) +
                    hone::jensen_shannon_distillation(teacher, 2, {.beta = 0.25}),
                {{labelled, times(0.25), kept}, {reversed, times(0.5), kept}, {between, times(1), kept}}, hone::mean);
    const auto weight = [&](index i) { return double(b.weights[std::size_t(i)]); };
    expect_rows(b, hone::weigh_rows(hone::jensen_shannon_distillation(teacher, 2, {.beta = 0.25}), b.device_weights),
                {{between, weight, 3}}, hone::mean_over(3), true);
    expect_rows(b, hone::reverse_distillation(teacher, 3), {{reversed, [](index) { return 1.0; }, 1}}, hone::sum);
  });
}

template <class Device>
void row_losses_of_divergences() {
  rows_of_divergences<Device, float>(row_shapes());
  rows_of_divergences<Device, double>(some_row_shapes());
  rows_of_divergences<Device, typename Device::half>(some_row_shapes());
}

}  // namespace conformance
