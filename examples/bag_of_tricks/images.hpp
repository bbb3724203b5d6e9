// SPDX-License-Identifier: MIT
/// Which images are for what.
#pragma once

#include "batches.hpp"
#include "plan.hpp"

namespace ladder {

/// The first images of the training set are trained on, the last sixth is held out: to watch, to choose temperatures
/// and biases on, and, with plan.validation, to measure on. Otherwise the test set is measured on.
struct images {
  demo::image_set train, watched, held_out, measured;
  demo::standardisation standard;

  images(const demo::dataset& data, const plan& plan);
};

/// The logits of a network for a set, n x 10.
matrix<float> logits_of(network& net, const demo::image_set& set, const demo::standardisation& standard);

/// The part of rows whose first largest logit is not the label's.
double error_of(const matrix<float>& logits, const std::vector<int>& labels);

}  // namespace ladder
