// SPDX-License-Identifier: MIT
// wrong: scheduled_rate: this optimiser has no StepSize to set
#include <ensmallen.hpp>

#include <hone/adapt/mlpack.hpp>

#include <hone/schedule.hpp>

#ifdef WRONG
using optimizer = ens::L_BFGS;
#else
using optimizer = ens::GradientDescent;
#endif

void train(optimizer& by, ens::test::SphereFunction& of, arma::mat& x) {
  by.Optimize(of, x, hone::adapt::scheduled_rate(hone::constant{.value = 0.1}));
}
