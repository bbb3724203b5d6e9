// SPDX-License-Identifier: MIT
/// The numbers of a state that is cut over ranks, in the order of the whole: piece by piece, each broadcast by those
/// who have it.
#pragma once

#include <hone/average/ema_state.hpp>
#include <hone/distributed/broadcast.hpp>
#include <hone/distributed/sharded_list.hpp>

#include <algorithm>
#include <bit>
#include <exception>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// Keeps the first error of this rank, which goes on taking part, until all ranks throw it together.
class held_error {
 public:
  template <class F>
  void run(F const& f) {
#if HONE_HAS_EXCEPTIONS
    if (error_) return;
    try {
      f();
    } catch (...) {
      error_ = std::current_exception();
    }
#else
    f();
#endif
  }
  template <communicator C>
  void agree_on(C const& ranks, const char* function) const {
    agree(ranks, function, [&] {
#if HONE_HAS_EXCEPTIONS
      if (error_) std::rethrow_exception(error_);
#endif
    });
  }

 private:
#if HONE_HAS_EXCEPTIONS
  std::exception_ptr error_;
#endif
};

/// What a rank has of a tensor, as ranks tell each other.
struct gathered_part {
  static constexpr std::size_t words = 7;
  enum : std::uint8_t { replicated, copy, numbers, columns_of_rows };

  index kind = replicated;
  index first = 0, count = 0;  // numbers of the whole, or columns of each of its rows
  index replica = 0;
  index rows = 0, columns = 0, copied = 0;  // of the whole

  void write(std::int64_t* to) const noexcept {
    const index all[] = {kind, first, count, replica, rows, columns, copied};
    std::copy(std::begin(all), std::end(all), to);
  }
  static gathered_part read(std::int64_t const* w) noexcept { return {w[0], w[1], w[2], w[3], w[4], w[5], w[6]}; }
  const char* name() const noexcept {
    constexpr const char* names[] = {"replicated", "a replica", "cut by numbers", "cut by columns"};
    return names[kind];
  }
};

/// Numbers, or columns, [begin, end) of the whole tensor are those of a rank.
struct owned_numbers {
  std::int64_t begin, end;
  int rank;
};

/// Fails unless the parts, which are sorted, are the whole.
inline void require_covered(const char* function, std::size_t tensor, const char* what,
                            std::vector<owned_numbers> const& parts, index whole) {
  index at = 0;
  int before = -1;
  for (owned_numbers const& p : parts) {
    if (p.begin > at) break;
    if (p.begin < at)
      fail("%s: tensor %zu has %jd %s, rank %d and rank %d have that at %jd", function, tensor, std::intmax_t(whole),
           what, before, p.rank, std::intmax_t(p.begin));
    at = p.end, before = p.rank;
  }
  if (at == whole) return;
  const auto next = std::find_if(parts.begin(), parts.end(), [&](owned_numbers const& p) { return p.begin > at; });
  fail("%s: tensor %zu has %jd %s, no rank has those from %jd to %jd", function, tensor, std::intmax_t(whole), what,
       std::intmax_t(at), std::intmax_t(next == parts.end() ? whole : next->begin));
}

/// Numbers [at, at + count) of a whole tensor: those of one rank, or whole rows whose columns are those of several.
struct whole_piece {
  std::size_t tensor;
  index at, count;
  int owner;  // -1: several ranks
};

/// A state of shards, and what a state of the whole model would save before its numbers.
template <communicator C, class T, class P>
class gathered_state {
 public:
  /// Checks the arguments on every rank, that all ranks describe the same whole, and that they cover it.
  gathered_state(const char* function, C const& ranks, ema_state<T> const& state, sharded_list<P> const& places,
                 std::span<const index> columns)
      : function_(function), ranks_(&ranks), state_(&state) {
    agree(ranks, function, [&] { describe(places, columns); });
    state_header first = header_;
    ranks.broadcast(std::as_writable_bytes(std::span(&first, 1)), 0);
    agree(ranks, function, [&] { require_same(first); });
    for (std::size_t i = 0; i < own_.size(); ++i) {
      read_parts(i);
      records_[i] = {rows_, columns_, state.copies(i)};
    }
  }

  state_header const& header() const noexcept { return header_; }
  std::vector<tensor_record> const& records() const noexcept { return records_; }
  std::span<T> memory() noexcept { return piece_; }

  /// Calls body(piece) for all numbers of the whole in order, no more of them at once than memory() holds. The table of
  /// a tensor is made anew, because the tables of all tensors of thousands of ranks would be large.
  template <class Body>
  void for_pieces(Body const& body) {
    for (std::size_t i = 0; i < own_.size(); ++i) {
      read_parts(i);
      const index rows_at_once = by_columns_ && columns_ > 0 ? most / columns_ : 0;
      if (rows_at_once > 0)
        for (index r = 0; r < rows_; r += rows_at_once)
          body(whole_piece{i, r * columns_, std::min(rows_at_once, rows_ - r) * columns_, -1});
      else
        for (index r = 0; r < (by_columns_ ? rows_ : 1); ++r)
          for (owned_numbers const& part : parts_)
            for (index at = part.begin; at < part.end; at += most)
              body(whole_piece{i, r * columns_ + at, std::min(most, part.end - at), part.rank});
    }
  }

  /// Copies the numbers of a piece from the ranks that have them to memory() of rank 0.
  void collect(whole_piece const& piece) {
    const int rank = ranks_->rank();
    T const* const own = state_->tensors()[piece.tensor].data;
    gathered_part const& mine = own_[piece.tensor];
    if (piece.owner >= 0) {
      if (piece.owner == rank)
        copy_own(piece, [&](index at, index place, index n) { std::copy_n(own + place, n, piece_.data() + at); });
      return broadcast(piece_, piece.count, piece.owner);
    }
    const index rows = piece.count / columns_;
    for (owned_numbers const& part : parts_) {
      const index wide = part.end - part.begin;
      if (part.rank == rank) std::copy_n(own + piece.at / columns_ * mine.count, rows * wide, packed_.data());
      broadcast(packed_, rows * wide, part.rank);
      if (rank == 0)
        for (index r = 0; r < rows; ++r)
          std::copy_n(packed_.data() + r * wide, wide, piece_.data() + r * columns_ + part.begin);
    }
  }
  /// Copies the numbers of a piece from memory() of rank 0 to the tensors of all ranks that have them.
  void distribute(whole_piece const& piece, T* own) {
    broadcast(piece_, piece.count, 0);
    copy_own(piece, [&](index at, index place, index n) { std::copy_n(piece_.data() + at, n, own + place); });
  }

 private:
  static constexpr index most = broadcast_bytes / sizeof(T);

  void broadcast(std::vector<T>& numbers, index n, int root) const {
    ranks_->broadcast(std::as_writable_bytes(std::span(numbers.data(), static_cast<std::size_t>(n))), root);
  }
  /// Calls copy(at, place, n) for the numbers of a piece that this rank has: where they are in the piece and here.
  template <class Copy>
  void copy_own(whole_piece const& piece, Copy const& copy) const {
    gathered_part const& mine = own_[piece.tensor];
    // A tensor that is not cut by columns is one row here.
    const index wide = by_columns_ ? columns_ : std::max<index>(rows_ * columns_, 1);
    for (index at = 0, n = 0; at < piece.count; at += n) {
      const index row = (piece.at + at) / wide, column = (piece.at + at) % wide;
      n = std::min(wide - column, piece.count - at);
      const index from = std::max(column, mine.first), to = std::min(column + n, mine.first + mine.count);
      if (from < to) copy(at + from - column, row * mine.count + from - mine.first, to - from);
    }
  }
  void describe(sharded_list<P> const& places, std::span<const index> columns) {
    tensor_list<T> const& own = state_->tensors();
    state_->require_averages(function_);
    require_tensors(function_, "parameters", places.tensors());
    require_sizes_like(function_, "parameters", places.tensors(), "the state", own);
    require_places(function_, "parameters", places);
    if (!columns.empty() && columns.size() != own.size())
      fail("%s: columns has %zu tensors, the state has %zu", function_, columns.size(), own.size());
    const average_progress now = state_->progress().get();
    header_.number_bytes = sizeof(T), header_.from_zero = state_->from_zero(), header_.tensors = own.size();
    header_.steps = now.steps, header_.start = now.start;
    bool packed = false;
    for (std::size_t i = 0; i < own.size(); ++i) {
      own_.push_back(part_of(i, places.place(i), own[i], columns.empty() ? index(-1) : columns[i]));
      packed = packed || own_[i].kind == gathered_part::columns_of_rows;
    }
    records_.resize(own.size());
    words_.resize(gathered_part::words * static_cast<std::size_t>(ranks_->size()));
    parts_.reserve(static_cast<std::size_t>(ranks_->size()));
    piece_.resize(std::size_t(most)), packed_.resize(packed ? std::size_t(most) : 0);
  }
  gathered_part part_of(std::size_t i, placement const& p, tensor<T> const& t, index columns) const {
    gathered_part part{gathered_part::replicated, 0, t.size, p.replica, t.rows, t.columns, state_->copies(i)};
    if (p.kind == placed::copy) {
      part.kind = gathered_part::copy;
    } else if (p.kind == placed::row_shard) {
      part.kind = gathered_part::numbers, part.first = p.first * t.columns, part.rows = p.whole;
    } else if (p.kind == placed::column_shard) {
      part.kind = gathered_part::columns_of_rows, part.first = p.first, part.columns = p.whole;
      part.count = t.size > 0 ? t.columns : 0;
    } else if (p.kind == placed::shard) {
      part.kind = gathered_part::numbers, part.first = p.first;
      part.columns = columns < 0 ? p.whole : columns;
      if (part.columns == 0 ? p.whole != 0 : p.whole % part.columns != 0)
        fail("%s: tensor %zu has %jd numbers, which are no rows of %jd columns", function_, i, std::intmax_t(p.whole),
             std::intmax_t(part.columns));
      part.rows = columns < 0 || part.columns == 0 ? 1 : p.whole / part.columns;
    }
    return part;
  }
  void require_same(state_header const& first) const {
    if (first.number_bytes != header_.number_bytes || first.from_zero != header_.from_zero ||
        first.tensors != header_.tensors)
      fail("%s: the state has %ju tensors of %u bytes a number from %s, that of rank 0 has %ju of %u from %s",
           function_, std::uintmax_t(header_.tensors), unsigned(header_.number_bytes),
           header_.from_zero ? "zero" : "a copy", std::uintmax_t(first.tensors), unsigned(first.number_bytes),
           first.from_zero ? "zero" : "a copy");
    if (first.steps != header_.steps ||
        std::bit_cast<std::uint64_t>(first.start) != std::bit_cast<std::uint64_t>(header_.start))
      fail("%s: the state has made %jd updates, that of rank 0 %jd", function_, std::intmax_t(header_.steps),
           std::intmax_t(first.steps));
  }
  /// Reads who has which numbers of a tensor, the same on all ranks. Fails on all ranks if that is no whole.
  void read_parts(std::size_t i) {
    std::fill(words_.begin(), words_.end(), std::int64_t(0));
    own_[i].write(words_.data() + static_cast<std::size_t>(ranks_->rank()) * gathered_part::words);
    ranks_->sum(std::span<std::int64_t>(words_));
    const auto of = [&](int r) { return gathered_part::read(words_.data() + std::size_t(r) * gathered_part::words); };
    int known = 0;  // the first rank that has numbers
    while (known + 1 < ranks_->size() && of(known).count == 0) ++known;
    if (of(known).count == 0) known = 0;
    const gathered_part whole = of(known);
    rows_ = whole.rows, columns_ = whole.columns, by_columns_ = whole.kind == gathered_part::columns_of_rows;
    parts_.clear();
    for (int r = 0; r < ranks_->size(); ++r) {
      const gathered_part part = of(r);
      require_like(i, r, part, known, whole);
      const bool owns = whole.kind == gathered_part::replicated ? r == known : part.replica == 0;
      if (part.count > 0 && owns) parts_.push_back({part.first, part.first + part.count, r});
    }
    std::sort(parts_.begin(), parts_.end(), [](auto const& a, auto const& b) { return a.begin < b.begin; });
    require_covered(function_, i, by_columns_ ? "columns" : "numbers", parts_,
                    by_columns_ ? columns_ : rows_ * columns_);
  }
  /// Fails if two ranks describe a tensor in different ways. The shape is what ranks with numbers say.
  void require_like(std::size_t i, int rank, gathered_part const& part, int known, gathered_part const& whole) const {
    const bool other_copy = part.copied != whole.copied;
    if (part.count > 0 && part.kind != whole.kind)
      fail("%s: tensor %zu is %s on rank %d and %s on rank %d", function_, i, whole.name(), known, part.name(), rank);
    if (other_copy || (part.count > 0 && (part.rows != whole.rows || part.columns != whole.columns)))
      fail("%s: the whole of tensor %zu is %jd x %jd, %s, on rank %d and %jd x %jd, %s, on rank %d", function_, i,
           std::intmax_t(whole.rows), std::intmax_t(whole.columns), whole.copied ? "copied" : "averaged", known,
           std::intmax_t(part.rows), std::intmax_t(part.columns), part.copied ? "copied" : "averaged", rank);
  }

  const char* function_;
  C const* ranks_;
  ema_state<T> const* state_;
  state_header header_;
  std::vector<tensor_record> records_;
  std::vector<gathered_part> own_;
  std::vector<std::int64_t> words_;
  std::vector<T> piece_, packed_;

  index rows_ = 0, columns_ = 0;  // of the tensor that read_parts read last
  bool by_columns_ = false;
  std::vector<owned_numbers> parts_;
};

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
