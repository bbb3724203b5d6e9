// SPDX-License-Identifier: MIT
/// What baseline.cpp and refined.cpp share: images, and the test.
#pragma once

#include "trainer_program.hpp"

#include <mlpack/core.hpp>
#include <mlpack/methods/ann/ann.hpp>

#include <cstdint>

namespace trainer {

using options = demo::trainer_options;
using demo::stopwatch;

struct images {
  arma::mat x, y;  // 784 x N of mean 0 and deviation 1; 1 x N labels
};
struct dataset {
  images train, test;

  /// The steps of a training: the last batch of an epoch may be incomplete.
  std::int64_t steps(options const& o) const {
    return o.epochs * ((static_cast<std::int64_t>(train.x.n_cols) + o.batch - 1) / o.batch);
  }
};

/// Steps of descent with momentum, never ended before `epochs` epochs.
inline ens::MomentumSGD descent(options const& o, dataset const& data) {
  const auto batch = static_cast<std::size_t>(o.batch), epochs = static_cast<std::size_t>(o.epochs);
  return {o.rate, batch, epochs * data.train.x.n_cols, 0, true, ens::MomentumUpdate(0.9)};
}

/// The share of the images that are classified rightly.
template <class Network>
double accuracy(Network& net, images const& all) {
  arma::mat output;
  net.Predict(all.x, output);
  const arma::rowvec guess = arma::conv_to<arma::rowvec>::from(arma::index_max(output, 0));
  return static_cast<double>(arma::accu(guess == all.y)) / static_cast<double>(all.y.n_cols);
}

/// What main() does: reads the options and the images, and calls train.
int program(const char* name, int count, const char* const* arguments, double rate,
            void (*train)(options const&, dataset const&));

}  // namespace trainer
