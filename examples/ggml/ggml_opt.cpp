// SPDX-License-Identifier: MIT
/// A step of ggml-opt on smoothed labels of a padded vocabulary: its loss and the change of its weights are those of
/// hone.
#include "labels.hpp"

#include <ggml-alloc.h>
#include <ggml-backend.h>
#include <ggml-cpu.h>
#include <ggml-opt.h>
#include <ggml.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

namespace {

constexpr std::int64_t features = 3, classes = 5, padded = 8, samples = 4;
constexpr float rate = 0.5f;

struct step {
  double loss = 0;
  std::vector<float> change;  // of the weights, padded x features
};

/// Makes one step of SGD from these weights.
template <class WriteLabels>
step step_of(std::vector<float> const& weights, std::vector<float> const& x, WriteLabels const& write_labels) {
  ggml_backend_t backend = ggml_backend_cpu_init();
  ggml_backend_sched_t schedule = ggml_backend_sched_new(&backend, nullptr, 1, GGML_DEFAULT_GRAPH_SIZE, false, true);
  const ggml_init_params memory = {1 << 20, nullptr, true};
  ggml_context* const model = ggml_init(memory);
  ggml_context* const compute = ggml_init(memory);
  ggml_tensor* const w = ggml_new_tensor_2d(model, GGML_TYPE_F32, features, padded);
  ggml_set_param(w);
  ggml_tensor* const inputs = ggml_new_tensor_2d(model, GGML_TYPE_F32, features, samples);
  ggml_set_input(inputs);
  ggml_backend_buffer_t const buffer = ggml_backend_alloc_ctx_tensors(model, backend);
  ggml_backend_tensor_set(w, weights.data(), 0, weights.size() * sizeof(float));
  ggml_backend_tensor_set(inputs, x.data(), 0, x.size() * sizeof(float));

  ggml_opt_optimizer_params sgd = ggml_opt_get_default_optimizer_params(nullptr);
  sgd.sgd.alpha = rate, sgd.sgd.wd = 0;
  ggml_opt_params params = ggml_opt_default_params(schedule, GGML_OPT_LOSS_TYPE_CROSS_ENTROPY);
  params.ctx_compute = compute;
  params.inputs = inputs;
  params.outputs = ggml_mul_mat(compute, w, inputs);
  params.optimizer = GGML_OPT_OPTIMIZER_TYPE_SGD;
  params.get_opt_pars = ggml_opt_get_constant_optimizer_params;
  params.get_opt_pars_ud = &sgd;
  ggml_opt_context_t const opt = ggml_opt_init(params);
  ggml_opt_result_t const result = ggml_opt_result_init();

  ggml_opt_alloc(opt, true);
  // [ggml]
  ggml_tensor* labels = ggml_opt_labels(opt);  // or ggml_opt_dataset_labels(dataset), for all samples at once
  std::fill_n(static_cast<float*>(labels->data), labels->ne[0] * labels->ne[1], 0.0f);  // the padding: no class
  write_labels(example::label_rows(*labels, classes));
  // [/ggml]
  ggml_opt_eval(opt, result);

  step s{0, std::vector<float>(weights.size())};
  ggml_opt_result_loss(result, &s.loss, nullptr);
  ggml_backend_tensor_get(w, s.change.data(), 0, weights.size() * sizeof(float));
  for (std::size_t i = 0; i < weights.size(); ++i) s.change[i] -= weights[i];
  ggml_opt_result_free(result);
  ggml_opt_free(opt);
  ggml_backend_buffer_free(buffer);
  ggml_free(compute), ggml_free(model);
  ggml_backend_sched_free(schedule);
  ggml_backend_free(backend);
  return s;
}

/// The same step by hone: the softmax is over the padded row, as ggml's is.
step expected_step(std::vector<float> const& weights, std::vector<float> const& x, std::vector<float> const& labels) {
  std::vector<float> logits(padded * samples), by_logits(logits.size());
  for (std::size_t i = 0; i < std::size_t(samples); ++i)
    for (std::size_t c = 0; c < std::size_t(padded); ++c)
      for (std::size_t f = 0; f < std::size_t(features); ++f)
        logits[i * padded + c] += weights[c * features + f] * x[i * features + f];
  const auto objective = hone::cross_entropy(hone::probabilities(hone::matrix_view{labels.data(), samples, padded}));
  step s{0, std::vector<float>(weights.size())};
  s.loss = hone::evaluate(hone::cpu(), objective, hone::matrix_view{logits.data(), samples, padded},
                          {.gradient = {by_logits.data(), samples, padded}});
  for (std::size_t i = 0; i < std::size_t(samples); ++i)
    for (std::size_t c = 0; c < std::size_t(padded); ++c)
      for (std::size_t f = 0; f < std::size_t(features); ++f)
        s.change[c * features + f] -= rate * by_logits[i * padded + c] * x[i * features + f];
  return s;
}

double apart(std::vector<float> const& a, std::vector<float> const& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(double(a[i]) - double(b[i])));
  return most;
}

}  // namespace

int main() {
  std::vector<float> weights(features * padded), x(features * samples), soft(padded * samples, 0.0f);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = std::sin(float(i));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::cos(2 * float(i));
  const std::vector<int> y = {4, 0, 2, 2};
  const auto target = hone::smooth(hone::classes(y), 0.1);
  const auto write = [&](hone::matrix_view<float> rows) { hone::adapt::write_soft_labels(target, rows); };
  write({soft.data(), samples, classes, padded});

  const step ggml = step_of(weights, x, write), hone = expected_step(weights, x, soft);
  int wrong = std::abs(ggml.loss - hone.loss) > 1e-5;
  wrong += apart(ggml.change, hone.change) > 1e-5;

  // Why an ignored row has no soft labels: without them, a sample has no loss in ggml, and yet the gradient of softmax.
  const auto nothing = [&](hone::matrix_view<float> rows) { (write(rows), std::fill_n(rows.row(1), classes, 0.0f)); };
  std::vector<float> without = soft;
  std::fill_n(without.data() + padded, classes, 0.0f);
  const step ignored = step_of(weights, x, nothing), right = expected_step(weights, x, without);
  wrong += std::abs(ignored.loss - right.loss) > 1e-5;
  const bool moves = apart(ignored.change, right.change) > 1e-3;
  std::printf("loss %.6f, %s; a row of zeros %s\n", ggml.loss, wrong == 0 ? "as hone has it" : "WRONG",
              moves ? "still moves the weights" : "does not move the weights");
  return wrong;
}
