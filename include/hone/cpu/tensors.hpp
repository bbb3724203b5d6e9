// SPDX-License-Identifier: MIT
/// All tensors of a list at once: cut into pieces for the threads, whatever the sizes are.
#pragma once

#include <hone/core/tensor_list.hpp>
#include <hone/cpu/backend.hpp>

#include <algorithm>

namespace hone::on_cpu {

/// Numbers [begin, end) of one tensor. Pieces depend on the sizes alone, never on the number of threads.
struct tensor_piece {
  std::size_t tensor;
  index begin, end;
};

inline constexpr index piece_elements = 32768;

/// How a list is cut, in scratch memory of this thread, until the next list is cut.
class tensor_cut {
 public:
  template <class T>
  explicit tensor_cut(tensor_list<T> const& list)
      : tensors_(list.size()),
        first_piece_(reinterpret_cast<index*>(scratch<scratch_for::tensors>((list.size() + 1) * sizeof(index)))) {
    first_piece_[0] = 0;
    for (std::size_t i = 0; i < tensors_; ++i)
      first_piece_[i + 1] = first_piece_[i] + (list[i].size + piece_elements - 1) / piece_elements;
  }

  index pieces() const noexcept { return first_piece_[tensors_]; }
  /// The pieces of a tensor are [first_piece(i), first_piece(i + 1)).
  index first_piece(std::size_t tensor) const noexcept { return first_piece_[tensor]; }

  template <class T>
  tensor_piece operator()(index piece, tensor_list<T> const& list) const noexcept {
    const auto i =
        static_cast<std::size_t>(std::upper_bound(first_piece_, first_piece_ + tensors_ + 1, piece) - first_piece_ - 1);
    const index begin = (piece - first_piece_[i]) * piece_elements;
    return {i, begin, std::min(begin + piece_elements, list[i].size)};
  }

 private:
  std::size_t tensors_;
  index* first_piece_;
};

}  // namespace hone::on_cpu
