// SPDX-License-Identifier: MIT
/// Labels of samples that say more than a class. dlib passes a loss the labels of a batch and nothing else, on a thread
/// of its own, so what a loss needs to know of a sample is part of the sample's label.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/view.hpp>

#include <cstddef>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::adapt {

/// The label of a mixed sample: λ of one class and 1-λ of another.
struct mixed_label {
  unsigned long label = 0, partner = 0;
  float lambda = 1;
};

/// The labels of a batch of mixed samples, as an objective reads them:
///
///     hone::mix(hone::classes(y.labels), hone::classes(y.partners), y.lambda)
struct mixed_labels {
  using label_type = mixed_label;

  std::vector<unsigned long> labels, partners;
  std::vector<float> lambda;

  void clear() noexcept { labels.clear(), partners.clear(), lambda.clear(); }
  void add(mixed_label const& y) {
    labels.push_back(y.label), partners.push_back(y.partner), lambda.push_back(y.lambda);
  }
};

/// Returns the labels of a batch that hone::blend has mixed by a draw. Throws hone::invalid_argument if the draw is of
/// another number of samples.
///
///     const auto draw = hone::mixup{.alpha = 0.2}.draw(seed, step, n);
///     hone::blend(cpu, draw, hone::adapt::rows_of(x), hone::adapt::rows_of(x));
///     double loss = net.compute_parameter_gradients(x, hone::adapt::mixed(y, draw).begin());
template <class Draw>
std::vector<mixed_label> mixed(std::vector<unsigned long> const& labels, Draw const& draw) {
  const std::size_t n = labels.size();
  if (draw.lambda.size() != n || draw.partner.size() != n)
    hone::detail::fail("mixed: %zu labels, the draw has %zu samples", n, draw.lambda.size());
  std::vector<mixed_label> all;
  all.reserve(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto partner = static_cast<std::size_t>(draw.partner[i]);
    if (partner >= n)
      hone::detail::fail("mixed: the partner of sample %zu is %jd, must be in [0, %zu)", i,
                         std::intmax_t(draw.partner[i]), n);
    all.push_back({labels[i], labels[partner], draw.lambda[i]});
  }
  return all;
}

/// The label of a sample with the logits of a teacher, one per class.
struct taught_label {
  unsigned long label = 0;
  std::vector<float> logits = {};
};

/// The labels of a batch with the teacher's logits, row by row:
///
///     hone::cross_entropy(hone::classes(y.labels)) + hone::distillation(y.teacher(), 4)
struct taught_labels {
  using label_type = taught_label;

  std::vector<unsigned long> labels;
  std::vector<float> logits;
  std::size_t columns = 0;

  matrix_view<const float> teacher() const noexcept { return {logits.data(), index(labels.size()), index(columns)}; }

  void clear() noexcept { labels.clear(), logits.clear(), columns = 0; }
  /// Throws hone::invalid_argument if the teacher of this sample has another number of classes.
  void add(taught_label const& y) {
    if (labels.empty()) columns = y.logits.size();
    if (y.logits.size() != columns)
      hone::detail::fail("dlib_loss: the teacher's logits of sample %zu are %zu numbers, those of sample 0 are %zu",
                         labels.size(), y.logits.size(), columns);
    labels.push_back(y.label);
    logits.insert(logits.end(), y.logits.begin(), y.logits.end());
  }
};

}  // namespace hone::inline HONE_ABI::adapt

#include <hone/core/macros_pop.hpp>
