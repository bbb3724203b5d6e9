// SPDX-License-Identifier: MIT
// The values of the CPU with which those of CUDA are compared. No program of nvcc includes both.
#include "batches.hpp"

#include <hone/hone.hpp>

namespace batches {
namespace {

template <class ObjectiveOf>
double value_of(ObjectiveOf const& objective_of, batch<float> const& of, hone::reduction how,
                std::vector<float>& gradient) {
  gradient.resize(of.z.size());
  return hone::evaluate(hone::cpu(1), objective_of(of.all()), of.all().view(of.z.data()),
                        {.gradient = {gradient.data(), of.rows, of.columns}},
                        hone::over_ranks(hone::self(), how, hone::rank_gradients::summed));
}

}  // namespace

double on_cpu(smoothed o, batch<float> const& of, hone::reduction how, std::vector<float>& g) {
  return value_of(o, of, how, g);
}
double on_cpu(three_terms o, batch<float> const& of, hone::reduction how, std::vector<float>& g) {
  return value_of(o, of, how, g);
}
double on_cpu(focal o, batch<float> const& of, hone::reduction how, std::vector<float>& g) {
  return value_of(o, of, how, g);
}
double on_cpu(two_of_elements o, batch<float> const& of, hone::reduction how, std::vector<float>& g) {
  return value_of(o, of, how, g);
}
double on_cpu(boxes o, batch<float> const& of, hone::reduction how, std::vector<float>& g) {
  return value_of(o, of, how, g);
}

}  // namespace batches
