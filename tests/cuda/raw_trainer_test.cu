// SPDX-License-Identifier: MIT
// The trainer of examples/cuda_raw: its graph does what its steps do, and both what the same training in double on the
// host does.
#include "../../examples/cuda_raw/trainer.cuh"

#include <conformance/averages.hpp>
#include <cuda/device.cuh>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace {

using numbers = std::vector<double>;
constexpr int columns = 12, classes = raw::trainer::classes;

raw::images made_up(int count) {
  std::vector<std::uint8_t> pixels;
  std::vector<int> labels;
  for (int i = 0; i < count; ++i) labels.push_back(i * 7 % classes);
  for (int i = 0; i < count * columns; ++i) pixels.push_back(static_cast<std::uint8_t>(i * 37 % 256));
  return {pixels, labels};
}

/// The same network and its training, in double.
struct host_training {
  raw::options o;
  std::vector<std::uint8_t> pixels;
  std::vector<int> labels;
  numbers p, momentum = numbers(p.size()), average = p;
  int h = o.hidden, b1 = h * columns, w2 = b1 + h, b2 = w2 + classes * h;
  double loss = 0;

  void step(int s) {
    const int rows = o.batch;
    const auto drawn = hone::mixup{.alpha = 0.2}.draw(o.seed, s, rows);
    numbers x(std::size_t(rows) * columns), target(std::size_t(rows) * classes), g(p.size());
    const auto image = [&](int row) { return (s * rows + row) % int(labels.size()); };
    for (int row = 0; row < rows; ++row) {
      const double lambda = o.refined ? double(drawn.lambda[std::size_t(row)]) : 1;
      const int own = image(row), other = image(int(drawn.partner[std::size_t(row)]));
      for (int k = 0; k < columns; ++k)
        x[std::size_t(row * columns + k)] = (lambda * pixels[std::size_t(own * columns + k)] +
                                             (1 - lambda) * pixels[std::size_t(other * columns + k)]) /
                                            255;
      double* const q = &target[std::size_t(row * classes)];
      const double smooth = o.refined ? 0.1 : 0;
      q[labels[std::size_t(own)]] += (1 - smooth) * lambda;
      q[labels[std::size_t(other)]] += (1 - smooth) * (1 - lambda);
      for (int j = 0; j < classes; ++j) q[j] += smooth / classes;
    }
    loss = 0;
    for (int row = 0; row < rows; ++row)
      add_row(&x[std::size_t(row * columns)], &target[std::size_t(row * classes)], g);
    double norm = 0;
    for (const double d : g) norm += d * d;
    const double factor = o.refined ? std::min(1.0, 1 / std::sqrt(norm)) : 1;
    const double rate =
        o.refined ? hone::warmup_cosine{.peak = o.rate, .warmup = o.steps / 20, .total = o.steps}.rate(s) : o.rate / 2;
    for (std::size_t i = 0; i < p.size(); ++i) {
      momentum[i] = 0.9 * momentum[i] + factor * g[i];
      p[i] -= rate * momentum[i];
      average[i] = 0.99 * average[i] + 0.01 * p[i];
    }
  }

  void add_row(double const* x, double const* q, numbers& g) {
    numbers hidden(std::size_t(h), 0), dhidden(std::size_t(h), 0), z(classes);
    for (int j = 0; j < h; ++j) {
      double sum = p[std::size_t(b1 + j)];
      for (int k = 0; k < columns; ++k) sum += x[k] * p[std::size_t(j * columns + k)];
      hidden[std::size_t(j)] = std::max(sum, 0.0);
    }
    double most = -1e300, total = 0;
    for (int c = 0; c < classes; ++c) {
      z[std::size_t(c)] = p[std::size_t(b2 + c)];
      for (int j = 0; j < h; ++j) z[std::size_t(c)] += hidden[std::size_t(j)] * p[std::size_t(w2 + c * h + j)];
      most = std::max(most, z[std::size_t(c)]);
    }
    for (const double v : z) total += std::exp(v - most);
    for (int c = 0; c < classes; ++c) {
      const double log_p = z[std::size_t(c)] - most - std::log(total), d = (std::exp(log_p) - q[c]) / o.batch;
      loss -= q[c] * log_p / o.batch;
      g[std::size_t(b2 + c)] += d;
      for (int j = 0; j < h; ++j) {
        g[std::size_t(w2 + c * h + j)] += d * hidden[std::size_t(j)];
        dhidden[std::size_t(j)] += d * p[std::size_t(w2 + c * h + j)];
      }
    }
    for (int j = 0; j < h; ++j) {
      if (hidden[std::size_t(j)] <= 0) continue;
      g[std::size_t(b1 + j)] += dhidden[std::size_t(j)];
      for (int k = 0; k < columns; ++k) g[std::size_t(j * columns + k)] += dhidden[std::size_t(j)] * x[k];
    }
  }
};

numbers in_double(std::vector<float> const& from) { return {from.begin(), from.end()}; }

}  // namespace

TEST_CASE("a trainer of raw CUDA: steps in a graph are those of the host, plain and refined") {
  const raw::images images = made_up(23);
  for (const bool refined : {false, true}) {
    CAPTURE(refined);
    const raw::options o{.batch = 5, .hidden = 4, .steps = 20, .seed = 3, .refined = refined};
    const device::stream stream;
    raw::trainer one_by_one(o, images, stream), replayed(o, images, stream);
    host_training host{
        .o = o, .pixels = images.pixels.host(), .labels = images.labels.host(), .p = in_double(replayed.parameters())};
    for (int step = 0; step < 6; ++step) {
      one_by_one.step();
      replayed.run(1);
      host.step(step);
      CHECK(replayed.loss() == doctest::Approx(host.loss).epsilon(1e-5));
    }
    CHECK(replayed.parameters() == one_by_one.parameters());
    CHECK(conformance::distance(in_double(replayed.parameters()), host.p) <= 1e-5);
    if (refined) CHECK(conformance::distance(in_double(replayed.averages()), host.average) <= 1e-5);
  }
}

TEST_CASE("a trainer of raw CUDA: a step whose gradient is not finite changes neither the network nor its average") {
  const raw::images images = made_up(20);
  const device::stream stream;
  raw::trainer trainer({.batch = 5, .hidden = 4, .steps = 20, .rate = 1e30}, images, stream);
  trainer.run(8);  // the rate makes the parameters so large that the logits overflow
  const auto parameters = trainer.parameters(), averages = trainer.averages();
  trainer.run(3);
  CHECK(trainer.parameters() == parameters);
  CHECK(trainer.averages() == averages);
  for (const float p : parameters) CHECK(std::isfinite(p));
  CHECK(*std::max_element(parameters.begin(), parameters.end()) > 1e20f);
}
