// SPDX-License-Identifier: MIT
/// Reads the stored outputs of a teacher on a data set: any rows, in any order.
#pragma once

#include <hone/core/contiguous.hpp>
#include <hone/distil/teacher_file.hpp>
#include <hone/distil/top_k.hpp>
#include <hone/io/file.hpp>
#include <hone/io/half.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// A file that hone::teacher_writer wrote:
///
///     const hone::teacher_reader teacher("teacher.hone");
///     teacher.gather(rows_of_the_batch, batch);
///     hone::evaluate(cpu, hone::top_k_distillation(batch), logits, …);
///
/// Several threads may read at once, each into its own batch. Throws hone::io_error if the file cannot be read, and
/// hone::invalid_argument if it is not a teacher file, is truncated or is damaged.
class teacher_reader {
 public:
  explicit teacher_reader(std::string const& path) : where_("teacher_reader: " + path), file_("teacher_reader", path) {
    unsigned char head[detail::teacher_header::bytes];
    const std::size_t got = file_.read_at(0, head, sizeof head);
    if (got < sizeof head) detail::fail("%s: the file ends after %zu bytes, in its header", where_.c_str(), got);
    header_.read(where_.c_str(), head);
    const std::int64_t size = file_.size(), record = std::int64_t(header_.record_bytes());
    if (header_.rows > (std::numeric_limits<std::int64_t>::max() - 64) / record ||
        size != header_.place_of(header_.rows))
      detail::fail("%s: the file has %jd bytes, which is not %jd rows of %jd and the header", where_.c_str(),
                   std::intmax_t(size), std::intmax_t(header_.rows), std::intmax_t(record));
  }

  index rows() const noexcept { return header_.rows; }
  index classes() const noexcept { return header_.classes; }
  index k() const noexcept { return header_.k; }
  double temperature() const noexcept { return header_.temperature; }

  /// Reads these rows of the file, numbered from 0, into `to`, in this order; a row may occur more than once. Scales
  /// their probabilities to the sum 1, from which rounding to half moves them by up to 5e-4. Throws
  /// hone::invalid_argument, and leaves `to` unchanged, if a row is not in the file or its record is damaged.
  template <detail::contiguous_integers Rows>
  void gather(Rows&& rows, top_k_batch& to) const {
    const index count = detail::count_of(rows);
    for (index i = 0; i < count; ++i) {
      const auto row = detail::data_of(rows)[i];
      if (!std::in_range<index>(row) || index(row) < 0 || index(row) >= header_.rows)
        detail::fail("%s: gather: row %jd of the batch is %jd, must be in [0, %jd)", where_.c_str(), std::intmax_t(i),
                     std::intmax_t(row), std::intmax_t(header_.rows));
    }
    read(count, [&](index i) { return static_cast<index>(detail::data_of(rows)[i]); }, to);
  }
  /// Like gather, for `count` rows from `first` on. Throws hone::invalid_argument if one of them is not in the file.
  HONE_IF_CALLED
  void range(integer first, integer count, top_k_batch& to) const {
    if (first < 0 || count < 0 || first > header_.rows || count > header_.rows - first)
      detail::fail("%s: range: %jd rows from row %jd on, the file has %jd", where_.c_str(), std::intmax_t(count.value),
                   std::intmax_t(first.value), std::intmax_t(header_.rows));
    read(count, [first](index i) { return first.value + i; }, to);
  }

 private:
  template <class RowOf>
  void read(index count, RowOf const& row_of, top_k_batch& to) const {
    const std::size_t size = header_.record_bytes(), k = std::size_t(header_.k);
    top_k_batch made;
    made.rows = count, made.columns = header_.classes, made.k = header_.k, made.temperature = header_.temperature;
    made.classes.resize(std::size_t(count) * k);
    made.log_probabilities.resize(std::size_t(count) * k);
    made.rest.resize(std::size_t(count));
    std::vector<unsigned char> record(count > 0 ? size : 0);  // k may be huge in a file without rows
    for (index i = 0; i < count; ++i) {
      const index row = row_of(i);
      const std::size_t got = file_.read_at(header_.place_of(row), record.data(), size);
      if (got < size) detail::fail("%s: the file ends in the middle of row %jd", where_.c_str(), std::intmax_t(row));
      decode(record, row, std::size_t(i), made);
    }
    to = std::move(made);
  }

  void decode(std::vector<unsigned char> const& record, index row, std::size_t i, top_k_batch& to) const {
    const std::size_t k = std::size_t(header_.k), size = record.size() - 4;
    unsigned char const *at = record.data(), *end = at + size;
    const auto crc = detail::get<std::uint32_t>(end), own = detail::checksum_of(at, size);
    if (crc != own)
      detail::fail("%s: row %jd is damaged: its checksum is %08x, that of its bytes %08x", where_.c_str(),
                   std::intmax_t(row), unsigned(crc), unsigned(own));
    float& log_unlisted = to.rest[i];
    float* const logs = to.log_probabilities.data() + i * k;
    std::int32_t* const classes = to.classes.data() + i * k;
    log_unlisted = std::bit_cast<float>(detail::get<std::uint32_t>(at));
    double total = std::exp(double(log_unlisted));
    for (std::size_t j = 0; j < k; ++j) {
      logs[j] = from_half(detail::get<std::uint16_t>(at));
      total += std::exp(double(logs[j]));
    }
    const double log_total = std::log(total);
    const auto scaled = [&](float x) { return static_cast<float>(std::min(double(x) - log_total, 0.0)); };
    log_unlisted = scaled(log_unlisted);
    for (std::size_t j = 0; j < k; ++j) logs[j] = scaled(logs[j]);
    for (std::size_t j = 0; j < k; ++j)
      classes[j] = header_.class_bytes() == 2 ? std::int32_t(detail::get<std::uint16_t>(at))
                                              : std::int32_t(detail::get<std::uint32_t>(at));
  }

  std::string where_;
  detail::file file_;
  detail::teacher_header header_;
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
