// SPDX-License-Identifier: MIT
// Calibration against the results of torchmetrics, netcal and scikit-learn for the same logits (parity_values.py).
#include <hone/hone.hpp>

#include <calibration/parity_values.hpp>
#include <calibration/reference.hpp>

#include <doctest/doctest.h>

namespace {

using calibration::about, calibration::cpu;
namespace values = parity_values;

const hone::matrix_view logits{values::logits, values::rows, values::columns};

}  // namespace

TEST_CASE("calibration errors match torchmetrics and netcal") {
  const double in_float = 1e-6;  // torchmetrics converts
  const auto ten = hone::reliability(cpu, logits, values::labels, {.bins = 10});
  CHECK(ten.expected_calibration_error() == about{values::torchmetrics_expected_10, in_float});
  CHECK(ten.maximum_calibration_error() == about{values::torchmetrics_maximum_10, in_float});
  CHECK(ten.expected_calibration_error() == about{values::netcal_expected_10});
  CHECK(ten.maximum_calibration_error() == about{values::netcal_maximum_10});
  const auto fifteen = hone::reliability(cpu, logits, values::labels);
  CHECK(fifteen.expected_calibration_error() == about{values::torchmetrics_expected_15, in_float});
  CHECK(fifteen.maximum_calibration_error() == about{values::torchmetrics_maximum_15, in_float});
  CHECK(fifteen.expected_calibration_error() == about{values::netcal_expected_15});
  CHECK(fifteen.maximum_calibration_error() == about{values::netcal_maximum_15});
}

TEST_CASE("the scores and the fitted temperature match scikit-learn") {
  const auto d = hone::reliability(cpu, logits, values::labels);
  CHECK(d.negative_log_likelihood() == about{values::sklearn_log_loss});
  CHECK(d.brier_score() == about{values::sklearn_brier});
  const auto fit = hone::fit_temperature(cpu, logits, values::labels);
  CHECK(fit.temperature == about{values::sklearn_temperature, 1e-7});  // it compares values, which are flat there
  CHECK(fit.before == about{values::sklearn_log_loss});
}
