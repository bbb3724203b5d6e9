// SPDX-License-Identifier: MIT
/// Rejects lists that contain the same memory twice, such as lists of tied weights. Such a tensor would be scaled
/// twice, count twice in a norm, and be written by two threads at once.
#pragma once

#include <hone/core/tensor_list.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// The byte range of a tensor; empty for a tensor without numbers. The default constructor does not initialise it.
struct tensor_place {
  std::uintptr_t begin, end;
  std::size_t number;

  tensor_place() = default;
  template <class T>
  tensor_place(tensor<T> const& t, std::size_t number_) noexcept
      : begin(reinterpret_cast<std::uintptr_t>(t.data)),
        end(begin + static_cast<std::size_t>(t.size) * sizeof(T)),
        number(number_) {}

  bool empty() const noexcept { return begin == end; }
  bool meets(tensor_place const& other) const noexcept { return begin < other.end && other.begin < end; }
};

/// The tensors of a list, sorted by address: O(n) if the list is already sorted, otherwise O(n log n). Lists of up to
/// 1024 tensors need no heap memory.
class tensor_places {
 public:
  /// Takes a list that passed require_tensors. Fails if two of its tensors share memory.
  template <class T>
  tensor_places(const char* function, const char* name, tensor_list<T> const& list) : function_(function), name_(name) {
    tensor_place* const to = list.size() <= capacity_ ? few_ : (many_.resize(list.size()), many_.data());
    for (std::size_t i = 0; i < list.size(); ++i)
      if (const tensor_place p(list[i], i); !p.empty()) to[count_++] = p;
    sorted_ = to;
    sort(to);
  }
  tensor_places(tensor_places const&) = delete;
  tensor_places& operator=(tensor_places const&) = delete;
  ~tensor_places() = default;

  /// Fails if a tensor of `other` shares memory with one of these. With `or_same`, tensor i may equal tensor i.
  template <class T>
  void require_apart(const char* other_name, tensor_list<T> const& other, bool or_same = false) const {
    for (std::size_t i = 0; i < other.size(); ++i) {
      const tensor_place p(other[i], i);
      if (p.empty()) continue;
      tensor_place const* const found = std::partition_point(
          sorted_, sorted_ + count_, [&](tensor_place const& mine) { return mine.end <= p.begin; });
      if (found == sorted_ + count_ || !found->meets(p)) continue;
      if (or_same && found->number == i && found->begin == p.begin && found->end == p.end) continue;
      fail("%s: tensor %zu of %s shares memory with tensor %zu of %s", function_, found->number, name_, i, other_name);
    }
  }

 private:
  static constexpr std::size_t capacity_ = 1024;

  HONE_IF_CALLED
  void sort(tensor_place* places) const {
    const auto earlier = [](tensor_place const& a, tensor_place const& b) { return a.begin < b.begin; };
    if (!std::is_sorted(places, places + count_, earlier)) std::sort(places, places + count_, earlier);
    for (std::size_t k = 1; k < count_; ++k)
      if (places[k].meets(places[k - 1])) {
        const auto [a, b] = std::minmax(places[k - 1].number, places[k].number);
        fail("%s: tensors %zu and %zu of %s share memory: list tied weights once", function_, a, b, name_);
      }
  }

  const char *function_, *name_;
  std::size_t count_ = 0;
  tensor_place const* sorted_ = nullptr;
  std::vector<tensor_place> many_;
  tensor_place few_[capacity_];
};

/// Fails if two tensors of a list, which are written or summed up, share memory.
template <class T>
void require_apart(const char* function, const char* name, tensor_list<T> const& list) {
  if (list.size() > 1) tensor_places(function, name, list);
}

/// Fails if a tensor of the caller's list shares memory with the tensors that hone owns. Those lie in one block, in
/// list order.
template <class T, class U>
void require_outside(const char* function, const char* name, tensor_list<T> const& list, const char* owned_name,
                     tensor_list<U> const& owned) {
  if (owned.size() == 0) return;
  tensor_place block(owned[0], 0);
  block.end = tensor_place(owned[owned.size() - 1], 0).end;
  for (std::size_t i = 0; i < list.size(); ++i)
    if (const tensor_place p(list[i], i); !p.empty() && p.meets(block))
      fail("%s: tensor %zu of %s shares memory with %s", function, i, name, owned_name);
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
