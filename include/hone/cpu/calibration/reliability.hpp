// SPDX-License-Identifier: MIT
/// Reliability diagrams on the CPU. Threads compute the answer of each row; then one thread counts the rows in order.
#pragma once

#include <hone/calibration/labels.hpp>
#include <hone/calibration/reliability.hpp>
#include <hone/cpu/calibration/logit_row.hpp>
#include <hone/cpu/run/chunks.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cpu {

inline constexpr index block_elements = 1 << 18;  // the number of probabilities per block, 2 MB

/// Whether the prediction of a row is its label, with the confidence and the losses at 1/T.
struct row_answer {
  enum class kind : unsigned char { ignored, undefined, wrong, right } is = kind::ignored;
  double confidence = 0, loss = 0, brier = 0;
};

inline row_answer answer_of(logit_row& row, index label, double inverse_temperature) noexcept {
  using V = pack<double>;
  const double d = inverse_temperature * row[label], own = std::exp(d);
  const bool right = row.is_top(label);
  row.set(label, -std::numeric_limits<double>::infinity());  // the sums are those of the other classes
  V sums(0), squares(0);
  row.for_packs([&](double const* p) {
    const V e = exp_of_nonpositive(V::load(p) * V(inverse_temperature));
    sums += e;
    squares = fma(e, e, squares);
  });
  const double others = sum(sums), all = others + own;
  if (!detail::finite(all)) return {.is = row_answer::kind::undefined};
  return {.is = right ? row_answer::kind::right : row_answer::kind::wrong,
          .confidence = 1 / all,
          .loss = label_loss(d, others, all),
          .brier = (sum(squares) + others * others) / (all * all)};
}

template <class View, class Label>
std::vector<row_answer> answers(cpu const& backend, View logits, classes_target<Label> const& labels,
                                double temperature) {
  std::vector<row_answer> all(static_cast<std::size_t>(labels.size));
  for_labelled_rows(backend, logits, labels, [&](index, index i, logit_row& row) {
    all[static_cast<std::size_t>(i)] = answer_of(row, labels.label(i), 1 / temperature);
  });
  return all;
}

HONE_IF_CALLED
std::vector<double> sorted_confidences(std::vector<row_answer> const& answers) {
  std::vector<double> sorted;
  sorted.reserve(answers.size());
  for (row_answer const& a : answers)
    if (a.is >= row_answer::kind::wrong) sorted.push_back(a.confidence);
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

HONE_IF_CALLED
reliability_diagram diagram_of(std::vector<row_answer> const& answers, reliability_options const& options) {
  reliability_diagram d;
  d.equal_mass = options.equal_mass;
  d.bins = options.equal_mass ? detail::bins_of_equal_mass(options.bins, sorted_confidences(answers))
                              : detail::bins_of_equal_width(options.bins);
  for (row_answer const& a : answers) {
    if (a.is == row_answer::kind::undefined) ++d.undefined;
    if (a.is < row_answer::kind::wrong) continue;
    reliability_bin& bin = d.bins[detail::bin_of(d.bins, a.confidence)];
    ++bin.count;
    bin.correct += a.is == row_answer::kind::right;
    bin.confidence_sum += a.confidence;
    d.loss_sum += a.loss;
    d.brier_sum += a.brier;
  }
  return d;
}

/// Replaces the logits of a row by its probabilities at 1/T. Returns false if they are not defined.
inline bool to_probabilities(logit_row& row, double inverse_temperature) noexcept {
  using V = pack<double>;
  V sums(0);
  row.for_packs([&](double* p) {
    const V e = exp_of_nonpositive(V::load(p) * V(inverse_temperature));
    e.store(p);
    sums += e;
  });
  const double all = sum(sums);
  row.for_packs([&](double* p) { (V::load(p) / V(all)).store(p); });
  return detail::finite(all);
}

/// Returns Σ |Σ p - [class is the label]| / (rows · classes): the outer sum over classes and bins, the inner one over
/// the rows of a bin in order. Rows are read in blocks: threads share the rows of a block, then its classes.
template <class View, class Label>
double static_error(cpu const& backend, View logits, classes_target<Label> const& labels,
                    static_calibration_options const& options) {
  enum : unsigned char { ignored, undefined, counted };
  const index rows = labels.size, columns = detail::columns_of(logits);
  const index K = std::max<index>(columns, 1), block = std::max<index>(block_elements / K, 1);
  const index rows_at_once = std::max<index>(chunk_elements / K, 1);
  const index classes_at_once = std::max<index>(chunk_elements / block, 8);
  const std::vector<reliability_bin> bins = detail::bins_of_equal_width(options.bins);
  const auto room = static_cast<std::size_t>(std::min(block, rows));
  std::vector<double> gaps(bins.size() * static_cast<std::size_t>(K)), p(room * static_cast<std::size_t>(K));
  std::vector<unsigned char> is(room);
  index count = 0;
  for (index from = 0; from < rows; from += block) {
    const index n = std::min(block, rows - from);
    for_chunks(backend, (n + rows_at_once - 1) / rows_at_once, logit_row::bytes(K),
               [&](index chunk, std::byte* memory) {
                 logit_row row(memory, columns);
                 for (index i = chunk * rows_at_once; i < std::min((chunk + 1) * rows_at_once, n); ++i) {
                   auto& state = is[static_cast<std::size_t>(i)];
                   state = ignored;
                   if (labels.ignores(from + i)) continue;
                   row.read(logits, from + i);
                   state = to_probabilities(row, 1 / options.temperature) ? counted : undefined;
                   for (index k = 0; k < columns; ++k) p[static_cast<std::size_t>(i * K + k)] = row[k];
                 }
               });
    for_chunks(backend, (columns + classes_at_once - 1) / classes_at_once, 0, [&](index chunk, std::byte*) {
      const index begin = chunk * classes_at_once, end = std::min(begin + classes_at_once, columns);
      for (index i = 0; i < n; ++i) {
        if (is[static_cast<std::size_t>(i)] != counted) continue;
        for (index k = begin; k < end; ++k) {
          const double x = p[static_cast<std::size_t>(i * K + k)];
          gaps[static_cast<std::size_t>(k) * bins.size() + detail::bin_of(bins, x)] +=
              x - (labels.label(from + i) == k);
        }
      }
    });
    for (index i = 0; i < n; ++i) {
      if (is[static_cast<std::size_t>(i)] == undefined) return std::numeric_limits<double>::quiet_NaN();
      count += is[static_cast<std::size_t>(i)] == counted;
    }
  }
  double total = 0;
  for (const double gap : gaps) total += std::abs(gap);
  return count > 0 ? total / static_cast<double>(count) / static_cast<double>(K) : 0;
}

}  // namespace on_cpu

/// Returns the reliability diagram of a classifier's logits on labelled rows:
///
///     const hone::reliability_diagram d = hone::reliability(cpu, logits, labels, {.bins = 15});
///     d.expected_calibration_error();
///
/// The confidence is the largest number of softmax(z / temperature), in double; the predicted class is the first one
/// with the largest logit. Labels: hone::classes(labels), with its `.ignore`, or the integers themselves.
/// Throws hone::invalid_argument if a shape, a label or an option is not valid.
template <class Logits, class Labels>
reliability_diagram reliability(cpu const& backend, Logits const& logits, Labels const& labels,
                                reliability_options options = {}) {
  const auto rows = detail::labelled("reliability", logits, labels);
  detail::require_bins("reliability", options.bins, options.temperature);
  return on_cpu::diagram_of(on_cpu::answers(backend, rows.logits, rows.labels, options.temperature), options);
}

/// Returns the static calibration error (Nixon et al. 2019, arXiv 1904.01685): the mean over the classes of the
/// expected calibration error of the class's own probability, with bins of equal width. Returns 0 for no rows, NaN if
/// the softmax of a row is not defined. Takes the same arguments as reliability.
template <class Logits, class Labels>
double static_calibration_error(cpu const& backend, Logits const& logits, Labels const& labels,
                                static_calibration_options options = {}) {
  const auto rows = detail::labelled("static_calibration_error", logits, labels);
  detail::require_bins("static_calibration_error", options.bins, options.temperature);
  return on_cpu::static_error(backend, rows.logits, rows.labels, options);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
