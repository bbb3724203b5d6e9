// SPDX-License-Identifier: MIT
/// Writes a teacher's outputs on a data set to a file, once for all students.
#pragma once

#include <hone/core/view_check.hpp>
#include <hone/distil/teacher_file.hpp>
#include <hone/io/file.hpp>
#include <hone/io/half.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct teacher_writer_options {
  integer classes = 0;   ///< number of classes of the logits, in [1, 2^30]; required
  integer k = 0;         ///< number of classes to store per row, in [1, classes]; required
  real temperature = 1;  ///< finite, > 0; fixed in the file, as the unlisted classes are stored as one sum
};

/// A file of the k likeliest classes of every row, in half, and the joint probability of all others:
///
///     hone::teacher_writer writer("teacher.hone", {.classes = 1000, .k = 16, .temperature = 2});
///     for (…) writer.append(logits);  // in the order of the data set
///     writer.finish();
///
/// finish() moves the complete file to its name; until then it is PATH.PROCESS.NUMBER.partial beside it. Of equal
/// logits, the class with the smaller number is stored. Throws hone::invalid_argument if an option is out of range or
/// logits do not fit, and hone::io_error if the disk does not take the bytes.
class teacher_writer {
 public:
  teacher_writer(std::string path, teacher_writer_options options)
      : path_(detail::path_to_write("teacher_writer", std::move(path))),
        header_(checked(options)),
        file_(detail::file::beside("teacher_writer", path_)) {
    const unsigned char nothing[detail::teacher_header::bytes] = {};
    file_.write(nothing, sizeof nothing);
  }

  index rows() const noexcept { return header_.rows; }

  /// Appends rows of logits in host memory; rows() returns their number so far. Throws, and appends none of them, if
  /// the classes differ, a logit is NaN or +inf, a row has only -inf, or the disk does not take the bytes.
  template <class T>
  void append(matrix_view<T> logits) {
    const char* const me = "teacher_writer::append";
    if (finished_) detail::fail("%s: %s is finished", me, path_.c_str());
    detail::require_sizes(me, "logits", logits.rows, logits.columns);
    detail::require_memory(me, "logits", logits);
    if (logits.columns != header_.classes)
      detail::fail("%s: logits is %jd x %jd, the file has %jd classes", me, std::intmax_t(logits.rows),
                   std::intmax_t(logits.columns), std::intmax_t(header_.classes));
    bytes_.resize(std::size_t(logits.rows) * header_.record_bytes());
    unsigned char* at = bytes_.data();
    for (index i = 0; i < logits.rows; ++i) {
      row_.resize(std::size_t(header_.classes));
      for (index c = 0; c < header_.classes; ++c)
        row_[std::size_t(c)] = static_cast<double>(static_cast<accumulator_t<T>>(logits.row(i)[c]));
      add_row(i, at);
    }
    file_.write_at(header_.place_of(header_.rows), bytes_.data(), bytes_.size());
    header_.rows += logits.rows;
  }

  /// Writes the file to disk and moves it to its name before it returns, replacing an existing file. The file contains
  /// the rows of those calls of append that returned, and nothing of calls that threw.
  void finish() {
    if (finished_) detail::fail("teacher_writer::finish: %s is finished", path_.c_str());
    detail::file folder = detail::folder_of("teacher_writer::finish", path_);
    unsigned char head[detail::teacher_header::bytes];
    header_.write(head);
    file_.truncate(header_.place_of(header_.rows));
    file_.write_at(0, head, sizeof head);
    file_.sync();
    finished_ = true;
    file_.close();
    file_.move_to(path_);
    folder.sync();
  }

 private:
  static detail::teacher_header checked(teacher_writer_options const& o) {
    const std::int64_t classes = o.classes, k = o.k;
    const double T = o.temperature;
    detail::require(classes >= 1 && classes <= detail::teacher_header::max_classes, "teacher_writer", "classes",
                    classes, "in [1, 2^30]");
    detail::require(k >= 1 && k <= classes, "teacher_writer", "k", k, "at least 1 and at most classes");
    detail::require_positive("teacher_writer", "temperature", T);
    return {0, classes, k, T};
  }

  HONE_IF_CALLED
  void add_row(index i, unsigned char*& at) {
    const std::size_t k = std::size_t(header_.k);
    bool numbers = true;
    for (const double x : row_) numbers &= x < std::numeric_limits<double>::infinity();  // false for NaN too
    const double maximum = *std::max_element(row_.begin(), row_.end());
    if (!numbers || maximum == -std::numeric_limits<double>::infinity())
      detail::fail("teacher_writer::append: row %jd has a logit that is NaN or +inf, or none above -inf",
                   std::intmax_t(i));
    order_.resize(row_.size());
    std::iota(order_.begin(), order_.end(), std::uint32_t(0));
    const auto likelier = [&](std::uint32_t a, std::uint32_t b) {
      return row_[a] > row_[b] || (row_[a] == row_[b] && a < b);
    };
    if (k < order_.size()) std::nth_element(order_.begin(), order_.begin() + long(k), order_.end(), likelier);
    double all = 0, others = 0;
    const auto weight = [&](std::uint32_t c) { return std::exp((row_[c] - maximum) / header_.temperature); };
    // Relative to the unlisted maximum, because beside the largest logit all their exponentials could be 0.
    double unlisted_maximum = std::numeric_limits<double>::lowest();
    for (std::size_t j = k; j < order_.size(); ++j) unlisted_maximum = std::max(unlisted_maximum, row_[order_[j]]);
    for (std::size_t j = 0; j < order_.size(); ++j) all += weight(order_[j]);
    for (std::size_t j = k; j < order_.size(); ++j)
      others += std::exp((row_[order_[j]] - unlisted_maximum) / header_.temperature);
    const double log_all = std::log(all);
    const double log_unlisted = k == order_.size()
                                    ? -std::numeric_limits<double>::infinity()
                                    : (unlisted_maximum - maximum) / header_.temperature + std::log(others) - log_all;
    std::sort(order_.begin(), order_.begin() + long(k));

    unsigned char const* const begin = at;
    detail::put(at, std::bit_cast<std::uint32_t>(static_cast<float>(std::min(log_unlisted, 0.0))));
    for (std::size_t j = 0; j < k; ++j) {
      const double x = (row_[order_[j]] - maximum) / header_.temperature - log_all;
      detail::put(at, to_half(static_cast<float>(std::max(std::min(x, 0.0), -65504.0))));
    }
    for (std::size_t j = 0; j < k; ++j)
      if (header_.class_bytes() == 2) {
        detail::put(at, static_cast<std::uint16_t>(order_[j]));
      } else {
        detail::put(at, order_[j]);
      }
    detail::put(at, detail::checksum_of(begin, std::size_t(at - begin)));
  }

  std::string path_;
  detail::teacher_header header_;
  detail::file file_;
  bool finished_ = false;
  std::vector<double> row_;
  std::vector<std::uint32_t> order_;
  std::vector<unsigned char> bytes_;
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
