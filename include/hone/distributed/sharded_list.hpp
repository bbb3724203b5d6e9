// SPDX-License-Identifier: MIT
/// Gradients of a model that lies on several ranks: tensors that say which numbers of the whole model they are.
#pragma once

#include <hone/core/tensor_list.hpp>
#include <hone/core/tensor_part.hpp>
#include <hone/distributed/communicator.hpp>
#include <hone/distributed/shard.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <type_traits>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Rows [first, first + rows of the tensor) of a matrix of `rows` rows, as FSDP and row-parallel layers cut them.
struct row_shard {
  index first = 0, rows = 0;
  index replica = 0;
};
/// Columns [first, first + columns of the tensor) of a matrix of `columns` columns. The columns of the shard are
/// contiguous in memory, row by row.
struct column_shard {
  index first = 0, columns = 0;
  index replica = 0;
};
/// A whole tensor, of which this is copy `number`; copy 0 is counted. A tensor that one rank alone has, as in a
/// pipeline, is {0}. Tied weights with memory of their own on another rank are {1}.
struct replica {
  index number = 0;
};
struct replicated_t {};
struct tied_t {};
/// A whole tensor that is the same on every rank: rank 0 counts it.
inline constexpr replicated_t replicated{};
/// Another name of a tensor that stands earlier in the list, with the same memory. It is neither counted nor changed.
inline constexpr tied_t tied{};

/// The numbers that shard_of gives to a rank.
struct shard_range {
  index first, count;
};

/// The numbers of a block: shards that begin at a multiple of it have sums of the same bits for every cut.
inline constexpr index shard_block = 1024;

/// Returns the numbers of rank `rank` if `ranks` ranks cut a tensor of `whole` numbers evenly, in blocks. A rank has
/// none if there are fewer blocks than ranks. Throws hone::invalid_argument unless whole >= 0 and 0 <= rank < ranks.
inline shard_range shard_of(index whole, index rank, index ranks) {
  detail::require(whole >= 0 && whole <= detail::max_numbers, "shard_of", "whole", whole,
                  "at least 0, and no more than memory can hold");
  detail::require(ranks >= 1, "shard_of", "ranks", ranks, "at least 1");
  detail::require(rank >= 0 && rank < ranks, "shard_of", "rank", rank, "in [0, ranks)");
  const index blocks = whole / shard_block + (whole % shard_block != 0);
  const auto begin = [&](index r) {
    const index block = blocks / ranks * r + blocks % ranks * r / ranks;
    return std::min(block * shard_block, whole);
  };
  return {begin(rank), begin(rank + 1) - begin(rank)};
}
template <communicator C>
shard_range shard_of(index whole, C const& ranks) {
  return shard_of(whole, ranks.rank(), ranks.size());
}

namespace detail {

enum class placed : unsigned char { replicated, copy, shard, row_shard, column_shard, tied };

/// How a tensor lies in the whole model. `whole` counts numbers, rows or columns, as the kind does.
struct placement {
  placed kind = placed::replicated;
  index first = 0, whole = 0, replica = 0;

  /// Returns whether this rank counts the tensor's numbers.
  bool counted(int rank) const noexcept {
    return kind == placed::replicated ? rank == 0 : kind != placed::tied && replica == 0;
  }
  bool cut() const noexcept {
    return kind == placed::shard || kind == placed::row_shard || kind == placed::column_shard;
  }
};

}  // namespace detail

/// A tensor_list whose tensors say how they lie in the whole model. Reads like a tensor_list; a tied tensor is empty.
///
///     hone::sharded_list<float> gradients;
///     gradients.push_back({weight, 3, 16}, hone::row_shard{.first = 3 * rank, .rows = 12});
///     gradients.push_back({flat, count}, hone::shard{.first = first, .whole = 40000});
///     gradients.push_back({bias, 12}, hone::replicated);
///
/// A rank without a part of a tensor lists it with a size of 0, or not at all where no norm of single tensors or units
/// is taken. A rank may have an empty list.
template <class T>
class sharded_list {
 public:
  sharded_list() = default;
  template <class U>
    requires std::same_as<const U, T>
  sharded_list(sharded_list<U> const& other) : tensors_(other.tensors()) {
    places_.reserve(other.size()), own_.reserve(other.size());
    for (std::size_t i = 0; i < other.size(); ++i) places_.push_back(other.place(i)), own_.push_back(other.named(i));
  }

  void push_back(tensor<T> t, shard where) {
    if (where.is_cut() || where.first != 0)
      return add(t, {detail::placed::shard, where.first, where.whole, where.replica});
    return where.replica == 0 ? push_back(t, replicated) : push_back(t, hone::replica{where.replica});
  }
  void push_back(tensor<T> t, row_shard where) {
    add(t, {detail::placed::row_shard, where.first, where.rows, where.replica});
  }
  void push_back(tensor<T> t, column_shard where) {
    add(t, {detail::placed::column_shard, where.first, where.columns, where.replica});
  }
  void push_back(tensor<T> t, replica where) { add(t, {detail::placed::copy, 0, t.size, where.number}); }
  void push_back(tensor<T> t, replicated_t) { add(t, {detail::placed::replicated, 0, t.size, 0}); }
  void push_back(tensor<T> t, tied_t) { add(t, {detail::placed::tied, 0, 0, 0}); }
  void reserve(std::size_t tensors) { tensors_.reserve(tensors), own_.reserve(tensors), places_.reserve(tensors); }

  std::size_t size() const noexcept { return tensors_.size(); }
  tensor<T> const& operator[](std::size_t i) const noexcept { return tensors_[i]; }
  tensor<T> const* begin() const noexcept { return tensors_.begin(); }
  tensor<T> const* end() const noexcept { return tensors_.end(); }

  /// The tensors without their places; tied ones are empty.
  tensor_list<T> const& tensors() const noexcept { return tensors_; }
  detail::placement const& place(std::size_t i) const noexcept { return places_[i]; }
  /// Tensor i as it was pushed, tied or not.
  tensor<T> const& named(std::size_t i) const noexcept { return own_[i]; }

 private:
  void add(tensor<T> t, detail::placement where) {
    reserve_one();
    own_.push_back(t), places_.push_back(where);
    tensors_.push_back(where.kind == detail::placed::tied ? tensor<T>{} : t);
  }
  /// Makes room, so that no push_back fails between the others.
  void reserve_one() {
    if (own_.size() == own_.capacity()) reserve(std::max<std::size_t>(8, 2 * own_.size()));
  }

  tensor_list<T> tensors_;
  std::vector<tensor<T>> own_;
  std::vector<detail::placement> places_;
};

namespace detail {

/// Every list of gradients as tensors with places: a tensor_list is the same on every rank.
template <class T>
tensor_list<T> const& tensors_of(tensor_list<T> const& list) noexcept {
  // NOLINTNEXTLINE(bugprone-return-const-ref-from-parameter): verbs pass their caller's list, which outlives the call
  return list;
}
template <class T>
tensor_list<T> const& tensors_of(sharded_list<T> const& list) noexcept {
  return list.tensors();
}
template <class T>
placement place_of(tensor_list<T> const&, std::size_t) noexcept {
  return {};
}
template <class T>
placement place_of(sharded_list<T> const& list, std::size_t i) noexcept {
  return list.place(i);
}
/// Returns which numbers of the whole tensor i are on this rank.
template <class T>
tensor_part part_of(tensor_list<T> const&, std::size_t) noexcept {
  return {};
}
template <class T>
tensor_part part_of(sharded_list<T> const& list, std::size_t i) noexcept {
  placement const& p = list.place(i);
  if (p.kind == placed::column_shard) return {p.first, list[i].columns, p.whole};
  return {p.kind == placed::row_shard ? p.first * list[i].columns : p.first, 0, 0};
}
template <class T>
void require_places(const char*, const char*, tensor_list<T> const&) noexcept {}

/// Fails if a tensor is no part of its whole, or is tied to none. Takes a list that passed require_tensors.
template <class T>
void require_places(const char* function, const char* name, sharded_list<T> const& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    placement const& p = list.place(i);
    tensor<T> const& t = list.named(i);
    if (p.replica < 0)
      fail("%s: tensor %zu of %s is replica %jd, must be at least 0", function, i, name, std::intmax_t(p.replica));
    if (p.cut()) {
      const bool rows = p.kind == placed::row_shard, columns = p.kind == placed::column_shard;
      const index size = rows ? t.rows : columns ? t.columns : t.size;
      const char* const what = rows ? "rows" : columns ? "columns" : "numbers";
      if (p.first < 0 || p.whole < 0 || p.whole > max_numbers || p.first > p.whole || size > p.whole - p.first)
        fail("%s: tensor %zu of %s is %s [%jd, %jd + %jd) of %jd, must lie within", function, i, name, what,
             std::intmax_t(p.first), std::intmax_t(p.first), std::intmax_t(size), std::intmax_t(p.whole));
    } else if (p.kind == placed::tied && t.size > 0) {
      bool earlier = false;
      for (std::size_t k = 0; k < i && !earlier; ++k) earlier = list[k].data == t.data && list[k].size == t.size;
      if (!earlier)
        fail("%s: tensor %zu of %s is tied, but no earlier tensor has its memory: hone::replica{1} is a copy", function,
             i, name);
    }
  }
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
