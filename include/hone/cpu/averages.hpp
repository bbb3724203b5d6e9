// SPDX-License-Identifier: MIT
/// The loops of averages on the CPU: pieces of tensors, one after the other.
#pragma once

#include <hone/average/averaging.hpp>
#include <hone/cpu/math.hpp>
#include <hone/cpu/tensors.hpp>
#include <hone/cpu/tile.hpp>

#include <algorithm>
#include <type_traits>

namespace hone::on_cpu {

inline constexpr index converted_elements = 1024;  // of a narrower type, at a time

/// body(tensor, begin, end) for every piece of a list.
template <class T, class Body>
void for_tensors(cpu const& backend, tensor_list<T> const& list, Body const& body) {
  const tensor_cut cut(list);
  for_chunks(backend, cut.pieces(), 0, [&](index piece, std::byte*) {
    const auto [tensor, begin, end] = cut(piece, list);
    body(tensor, begin, end);
  });
}

/// s = averaged(s, p, w). The numbers of the last pack go through one too, so that the bits do not depend on where a
/// number lies.
template <class T>
void average_numbers(T* __restrict s, T const* __restrict p, index n, T weight) noexcept {
  using V = pack<T>;
  const V w(weight);
  index i = 0;
  for (; i + V::size <= n; i += V::size) averaged(V::load(s + i), V::load(p + i), w).store(s + i);
  if (i == n) return;
  T shadow[V::size] = {}, parameter[V::size] = {};
  std::copy(s + i, s + n, shadow);
  std::copy(p + i, p + n, parameter);
  averaged(V::load(shadow), V::load(parameter), w).store(shadow);
  std::copy(shadow, shadow + (n - i), s + i);
}

/// The same of parameters of any type.
template <class T, class P>
void average_piece(T* s, P const* p, index n, T weight) noexcept {
  if constexpr (std::is_same_v<T, P>) {
    average_numbers(s, p, n, weight);
  } else {
    T wide[converted_elements];
    for (index i = 0; i < n; i += converted_elements) {
      const index m = std::min(converted_elements, n - i);
      convert(p + i, wide, m);
      average_numbers(s + i, static_cast<T const*>(wide), m, weight);
    }
  }
}

}  // namespace hone::on_cpu
