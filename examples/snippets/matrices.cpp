// SPDX-License-Identifier: MIT
// The examples of docs/matrices.md: Eigen.
#include <hone/adapt/eigen.hpp>
#include <hone/hone.hpp>

#include "expect.hpp"

#include <cmath>

namespace {

/// A network of one layer, as one would write it with Eigen: a row of x is a sample.
struct network {
  Eigen::MatrixXf w;
  Eigen::RowVectorXf b;
  Eigen::MatrixXf dw;
  Eigen::RowVectorXf db;

  Eigen::MatrixXf forward(const Eigen::MatrixXf& x) const { return (x * w).rowwise() + b; }
  void backward(const Eigen::MatrixXf& x, const Eigen::MatrixXf& gradient) {
    dw = x.transpose() * gradient;
    db = gradient.colwise().sum();
  }
};

}  // namespace

int main() {
  constexpr int samples = 8, features = 4, classes = 3;
  const hone::cpu cpu;
  network net{Eigen::MatrixXf::Random(features, classes), Eigen::RowVectorXf::Zero(classes), {}, {}};
  const Eigen::MatrixXf x = Eigen::MatrixXf::Random(samples, features);
  Eigen::VectorXi labels(samples);
  for (int i = 0; i < samples; ++i) labels(i) = i % classes;
  net.dw.resize(features, classes), net.db.resize(classes);
  hone::ema_state<float> shadow(hone::adapt::tensors_of(net.w, net.b));
  const auto average = hone::ema{.decay = 0.9};

  double first = 0, last = 0;
  for (int step = 0; step < 20; ++step) {
    // [eigen]
    const Eigen::MatrixXf logits = net.forward(x);  // samples x classes
    Eigen::MatrixXf gradient(logits.rows(), logits.cols());
    const auto objective = hone::cross_entropy(hone::smooth(hone::classes(labels), 0.1));
    const double loss =
        hone::evaluate(cpu, objective, hone::adapt::rows_of(logits), {.gradient = hone::adapt::rows_of(gradient)});
    net.backward(x, gradient);
    hone::transform(cpu, hone::clip_by_global_norm(5), hone::adapt::tensors_of(net.dw, net.db));
    net.w -= 0.5f * net.dw, net.b -= 0.5f * net.db;
    hone::update(cpu, average, shadow, hone::adapt::tensors_of(net.w, net.b));
    // [/eigen]
    (step == 0 ? first : last) = loss;
  }
  expect(last < first, "a network of Eigen learns");

  // [columns]
  const Eigen::MatrixXf columns = net.forward(x).transpose();  // classes x samples: a column is a sample
  Eigen::MatrixXf slopes(classes, samples);
  const double same = hone::evaluate(cpu, hone::cross_entropy(hone::classes(labels)), hone::adapt::columns_of(columns),
                                     {.gradient = hone::adapt::columns_of(slopes)});
  // [/columns]
  const Eigen::MatrixXf rows = net.forward(x);
  expect(same, hone::evaluate(cpu, hone::cross_entropy(hone::classes(labels)), hone::adapt::rows_of(rows)),
         "columns are the rows of the transposed matrix");
  return failures;
}
