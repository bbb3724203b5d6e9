// SPDX-License-Identifier: MIT
#include "measure.hpp"

namespace ladder {
namespace {

constexpr int bins = 15;

hone::matrix_view<const float> view_of(const matrix<float>& m) { return {m.data(), m.rows(), m.cols()}; }

void calibration(const matrix<float>& held_out, const matrix<float>& measured, const images& data, record& r) {
  const hone::cpu one{1};
  r.temperature = hone::fit_temperature(one, view_of(held_out), data.held_out.labels).temperature;  // hone
  const hone::reliability_diagram plain =
      hone::reliability(one, view_of(measured), data.measured.labels, {.bins = bins});  // hone
  const hone::reliability_diagram scaled = hone::reliability(one, view_of(measured), data.measured.labels,
                                                             {.bins = bins, .temperature = r.temperature});  // hone
  r.calibration_error = plain.expected_calibration_error();
  r.likelihood = plain.negative_log_likelihood();
  r.scaled_calibration_error = scaled.expected_calibration_error();
  for (const hone::reliability_bin& b : plain.bins) {
    r.bin_count.push_back(static_cast<double>(b.count));
    r.bin_correct.push_back(static_cast<double>(b.correct));
    r.bin_confidence.push_back(b.confidence_sum);
  }
}

double recall_of(int wanted, const matrix<float>& logits, const std::vector<int>& labels) {
  double all = 0, found = 0;
  Eigen::Index top = 0;
  for (Eigen::Index i = 0; i < logits.rows(); ++i) {
    if (labels[static_cast<std::size_t>(i)] != wanted) continue;
    logits.row(i).maxCoeff(&top);
    ++all;
    found += top == wanted ? 1 : 0;
  }
  return all > 0 ? found / all : 0;
}

/// The bias of a class that a network never saw, by which it errs least on held-out images (Hinton et al., section 3).
double bias_for(int missing, matrix<float> logits, const std::vector<int>& labels) {
  constexpr float step = 0.25f;
  double best = 0, least = error_of(logits, labels);
  for (int i = 1; i <= 60; ++i) {
    logits.col(missing).array() += step;
    const double error = error_of(logits, labels);
    if (error < least) best = i * static_cast<double>(step), least = error;
  }
  return best;
}

}  // namespace

void measure(network& net, const images& data, std::optional<int> missing, record& r) {
  const matrix<float> held_out = logits_of(net, data.held_out, data.standard);
  matrix<float> measured = logits_of(net, data.measured, data.standard);
  const std::vector<int>& labels = data.measured.labels;
  r.error = error_of(measured, labels);
  calibration(held_out, measured, data, r);
  Eigen::Index top = 0;
  for (Eigen::Index i = 0; i < measured.rows(); ++i) {
    measured.row(i).maxCoeff(&top);
    r.confusion[static_cast<std::size_t>(10 * labels[static_cast<std::size_t>(i)] + top)] += 1;
  }
  if (!missing) return;
  r.recall = recall_of(*missing, measured, labels);
  r.bias = bias_for(*missing, held_out, data.held_out.labels);
  measured.col(*missing).array() += static_cast<float>(r.bias);
  r.lifted_recall = recall_of(*missing, measured, labels);
}

}  // namespace ladder
