// SPDX-License-Identifier: MIT
/// Calibration as its papers define it: plain loops, in long double where a minimum is sought. And data for it.
#pragma once

#include <hone/hone.hpp>

#include <support/numbers.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <ostream>
#include <vector>

namespace calibration {

inline const hone::cpu cpu(2);
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN(),
                        infinity = std::numeric_limits<double>::infinity();

template <class T>
hone::matrix_view<T const> view(std::vector<T> const& z, std::size_t columns) {
  return {z.data(), columns > 0 ? z.size() / columns : 0, columns};
}

/// A number up to a relative error (doctest::Approx adds 1 to the scale, which says nothing of small ones).
struct about {
  double value, epsilon = 1e-12;

  friend bool operator==(double x, about const& a) { return std::abs(x - a.value) <= a.epsilon * std::abs(a.value); }
  friend std::ostream& operator<<(std::ostream& to, about const& a) { return to << "about " << a.value; }
};

struct data {
  hone::index rows = 0, columns = 0;
  std::vector<double> z;
  std::vector<int> y;  // -1: ignored

  /// Logits that know something of the labels, but for every fifth row, which knows of another. All are multiples of
  /// 1/16, so that 16-bit types hold them.
  data(hone::index n, hone::index K, double sharpness = 1) : rows(n), columns(K), y(support::labels(n, K)) {
    for (hone::index i = 0; i < n; ++i)
      for (hone::index k = 0; k < K; ++k) {
        const double lift = k == (y[static_cast<std::size_t>(i)] + (i % 5 == 4)) % K ? 2 : 0;
        z.push_back(std::round(16 * sharpness * (support::noise(i * K + k) + lift)) / 16);
      }
    for (hone::index i = 3; i < n; i += 11) y[static_cast<std::size_t>(i)] = -1;
  }
  double logit(hone::index i, hone::index k) const { return z[static_cast<std::size_t>(i * columns + k)]; }
  int label(hone::index i) const { return y[static_cast<std::size_t>(i)]; }
  std::size_t counted() const {
    return static_cast<std::size_t>(std::count_if(y.begin(), y.end(), [](int label) { return label >= 0; }));
  }

  std::vector<double> softmax(hone::index i, double T) const {
    std::vector<double> p;
    double largest = -HUGE_VAL, sum = 0;
    for (hone::index k = 0; k < columns; ++k) largest = std::max(largest, logit(i, k));
    for (hone::index k = 0; k < columns; ++k) p.push_back(std::exp((logit(i, k) - largest) / T)), sum += p.back();
    for (double& x : p) x /= sum;
    return p;
  }

  /// The mean of -log softmax(β z)[label], and its derivative by β.
  long double loss(long double beta) const {
    long double total = 0;
    each([&](hone::index i, int label) {
      long double sum = 0;
      for (hone::index k = 0; k < columns; ++k) sum += std::exp(beta * (logit(i, k) - logit(i, label)));
      total += std::log(sum);
    });
    return total / static_cast<long double>(counted());
  }
  long double slope(long double beta) const {
    long double total = 0;
    each([&](hone::index i, int label) {
      long double sum = 0, weighed = 0;
      for (hone::index k = 0; k < columns; ++k) {
        const long double e = std::exp(beta * (logit(i, k) - logit(i, label)));
        sum += e, weighed += e * (logit(i, k) - logit(i, label));
      }
      total += weighed / sum;
    });
    return total / static_cast<long double>(counted());
  }

 private:
  void each(auto const& body) const {
    for (hone::index i = 0; i < rows; ++i)
      if (label(i) >= 0) body(i, label(i));
  }
};

struct measures {
  std::vector<hone::index> count, correct;
  std::vector<double> confidence;  // sums
  double ece = 0, mce = 0, accuracy = 0, mean_confidence = 0, loss = 0, brier = 0;
};

/// Bins of equal width, (lower, upper].
inline measures measure(data const& d, int bins, double T) {
  measures m{std::vector<hone::index>(static_cast<std::size_t>(bins)),
             std::vector<hone::index>(static_cast<std::size_t>(bins)),
             std::vector<double>(static_cast<std::size_t>(bins))};
  const auto n = static_cast<double>(d.counted());
  for (hone::index i = 0; i < d.rows; ++i) {
    if (d.label(i) < 0) continue;
    const auto p = d.softmax(i, T);
    const auto top = std::max_element(p.begin(), p.end());
    for (int b = 0; b < bins; ++b) {
      if (!(*top > double(b) / bins && *top <= double(b + 1) / bins)) continue;
      const auto at = static_cast<std::size_t>(b);
      ++m.count[at], m.correct[at] += top - p.begin() == d.label(i), m.confidence[at] += *top;
    }
    m.mean_confidence += *top / n;
    m.accuracy += (top - p.begin() == d.label(i)) / n;
    m.loss -= std::log(p[static_cast<std::size_t>(d.label(i))]) / n;
    for (hone::index k = 0; k < d.columns; ++k)
      m.brier += std::pow(p[static_cast<std::size_t>(k)] - (k == d.label(i)), 2) / n;
  }
  for (std::size_t b = 0; b < m.count.size(); ++b) {
    if (m.count[b] == 0) continue;
    const auto size = static_cast<double>(m.count[b]);
    const double gap = std::abs(static_cast<double>(m.correct[b]) / size - m.confidence[b] / size);
    m.ece += size / n * gap, m.mce = std::max(m.mce, gap);
  }
  return m;
}

/// Nixon et al. 2019, equation 2 (SCE).
inline double static_error(data const& d, int bins, double T) {
  double total = 0;
  for (hone::index k = 0; k < d.columns; ++k)
    for (int b = 0; b < bins; ++b) {
      double count = 0, hits = 0, confidence = 0;
      for (hone::index i = 0; i < d.rows; ++i) {
        if (d.label(i) < 0) continue;
        const double p = d.softmax(i, T)[static_cast<std::size_t>(k)];
        if (p > double(b) / bins && p <= double(b + 1) / bins) ++count, hits += d.label(i) == k, confidence += p;
      }
      if (count > 0) total += count / static_cast<double>(d.counted()) * std::abs(hits / count - confidence / count);
    }
  return total / static_cast<double>(d.columns);
}

}  // namespace calibration
