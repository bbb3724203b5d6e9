// SPDX-License-Identifier: MIT
/// Divides all tensors of a list into pieces for the threads (core/unit_cut.hpp), in scratch of the calling thread.
#pragma once

#include <hone/core/tensor_list.hpp>
#include <hone/core/unit_cut.hpp>
#include <hone/cpu/run/backend.hpp>

#include <algorithm>
#include <span>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

class unit_cuts {
 public:
  template <class UnitsOf>
  unit_cuts(std::size_t tensors, UnitsOf const& units_of)
      : memory_((tensors + 1) * sizeof(detail::unit_cut)),
        all_(reinterpret_cast<detail::unit_cut*>(memory_.data()), tensors + 1) {
    detail::cut_units(all_.data(), tensors, units_of);
  }

  std::size_t tensors() const noexcept { return all_.size() - 1; }
  index pieces() const noexcept { return all_.back().first_piece; }
  index units() const noexcept { return all_.back().first_unit; }
  index slots() const noexcept { return all_.back().first_slot; }

  /// The cut of tensor i. Its units are [first_unit, first_unit of tensor i + 1), each of `parts` adjacent slots.
  detail::unit_cut const& operator[](std::size_t i) const noexcept { return all_[i]; }

  std::size_t tensor_of(index piece) const noexcept {
    const auto next = std::upper_bound(all_.begin(), all_.end(), piece,
                                       [](index p, detail::unit_cut const& c) { return p < c.first_piece; });
    return static_cast<std::size_t>(next - all_.begin() - 1);
  }

 private:
  scratch<scratch_for::tensors> memory_;
  std::span<detail::unit_cut> all_;
};

/// Calls body(tensor, begin, end) for every piece of a list.
template <class T, class Body>
void for_tensors(cpu const& backend, tensor_list<T> const& list, Body const& body) {
  const unit_cuts cuts(list.size(), [&](std::size_t i) { return detail::tensor_units{1, list[i].size, false}; });
  for_chunks(backend, cuts.pieces(), 0, [&](index piece, std::byte*) {
    const std::size_t i = cuts.tensor_of(piece);
    cuts[i].visit(
        piece, [&](index, index, index first, index n) { body(i, first, first + n); },
        [](index, index, index, index) {});
  });
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
