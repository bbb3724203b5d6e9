// SPDX-License-Identifier: MIT
/// The works in double, a row at a time, naively: no result is timed that does not agree with them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace bench::reference {

using numbers = std::vector<double>;

/// A row of the data; `others` are a teacher's logits or dense targets.
struct row {
  numbers logits, others;
  std::size_t label;
};

struct answer {
  double loss = 0;
  numbers gradient;
};

inline numbers log_softmax(numbers z, double temperature) {
  const double most = *std::max_element(z.begin(), z.end()) / temperature;
  double total = 0;
  for (double& x : z) x = x / temperature - most, total += std::exp(x);
  for (double& x : z) x -= std::log(total);
  return z;
}

/// q = 1 - ε at the label, and ε / K everywhere:  -Σ q log p,  p - q.
inline answer cross_entropy(row const& r, double smoothing) {
  const numbers log_p = log_softmax(r.logits, 1);
  answer a{0, numbers(log_p.size())};
  for (std::size_t c = 0; c < log_p.size(); ++c) {
    const double q = (c == r.label ? 1 - smoothing : 0) + smoothing / double(log_p.size());
    a.loss -= q * log_p[c];
    a.gradient[c] = std::exp(log_p[c]) - q;
  }
  return a;
}

/// .7 cross entropy + .3 T² KL(teacher || student), both softened by T (Hinton et al. 2015, arXiv 1503.02531).
inline answer distillation(row const& r, double temperature) {
  const numbers student = log_softmax(r.logits, temperature), teacher = log_softmax(r.others, temperature);
  answer a = cross_entropy(r, 0);
  a.loss *= 0.7;
  for (std::size_t c = 0; c < student.size(); ++c) {
    const double s = std::exp(student[c]), t = std::exp(teacher[c]);
    a.loss += 0.3 * temperature * temperature * t * (teacher[c] - student[c]);
    a.gradient[c] = 0.7 * a.gradient[c] + 0.3 * temperature * (s - t);
  }
  return a;
}

/// Targets of 0 or 1:  -α_t (1 - p_t)² log p_t,  α = 1/4 (Lin et al. 2017, arXiv 1708.02002).
inline answer sigmoid_focal(row const& r) {
  answer a{0, numbers(r.logits.size())};
  for (std::size_t c = 0; c < a.gradient.size(); ++c) {
    const double sign = r.others[c] == 1 ? 1 : -1, alpha = sign > 0 ? 0.25 : 0.75;
    const double x = sign * r.logits[c], missed = 1 / (1 + std::exp(x)), p = 1 - missed;
    const double log_p = x > 0 ? -std::log1p(std::exp(-x)) : x - std::log1p(std::exp(x));
    a.loss -= alpha * missed * missed * log_p;
    a.gradient[c] = sign * alpha * missed * missed * (2 * p * log_p - missed);
  }
  return a;
}

inline answer binary_cross_entropy(row const& r) {
  answer a{0, numbers(r.logits.size())};
  for (std::size_t c = 0; c < a.gradient.size(); ++c) {
    const double x = r.logits[c], t = r.others[c];
    a.loss += std::max(x, 0.0) - t * x + std::log1p(std::exp(-std::abs(x)));
    a.gradient[c] = 1 / (1 + std::exp(-x)) - t;
  }
  return a;
}

}  // namespace bench::reference
