// SPDX-License-Identifier: MIT
/// The same work by PyTorch's C++ library, value and gradient. Everything here is a no-op where it was not found.
#pragma once

#include <hone/core/tensor_list.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bench::peer {

struct batch {  // all row-major rows × columns
  float* logits;
  float const* teacher;
  float const* targets;
  std::int64_t const* labels;
  std::int64_t const* other_labels;
  float const* lambda;
  std::int64_t rows, columns;
};

bool available();
std::string version();
void set_threads(int threads);

std::function<void()> cross_entropy(batch b, double smoothing);
std::function<void()> distillation(batch b, double temperature);
std::function<void()> soft_targets(batch b);
std::function<void()> sigmoid_focal(batch b);

/// Of predicted boxes in `logits` and wanted ones in `targets`, n x 4 corners; and all overlaps of two sets.
std::function<void()> giou(batch b);
std::function<void()> diou(batch b);
std::function<void()> ciou(batch b);
std::function<void()> pairwise_iou(float* a, std::int64_t rows, float* b, std::int64_t columns);

/// Images, row-major rows × features, mixed with those of their partners: a λ each, one λ for all and the batch turned
/// round or by one, as timm and torchvision do, and timm's way in place.
struct images {
  float *from, *to;
  float const* lambda;
  std::int64_t const* partner;
  std::int64_t rows, features;
};
std::vector<std::function<void()>> mixup(images b);
std::vector<std::function<void()>> mixup_of_batch(images b);
std::vector<std::function<void()>> mixup_in_place(images b);

/// One step of an average in each of the ways that PyTorch offers: tensor by tensor, and all at once.
std::vector<std::function<void()>> averages(hone::tensor_list<float> const& shadow,
                                            hone::tensor_list<float> const& parameters, double decay);

/// Clipping by the global norm, likewise: torch::nn::utils, and all at once. And the norm alone.
std::vector<std::function<void()>> clips(hone::tensor_list<float> const& gradients);
std::vector<std::function<void()>> norms(hone::tensor_list<float> const& gradients);

/// All that follows a backward pass, likewise: g times `unscaling()`, the norm and whether it is finite, clipping,
/// m = momentum m + g, p -= rate m, and an average. unscaling() is asked for once in each step.
struct training {
  hone::tensor_list<float> parameters, gradients, momenta, shadow;
  std::function<double()> unscaling;
  double max_norm, rate, momentum, decay;
};
std::vector<std::function<void()>> steps(training const& t);

}  // namespace bench::peer
