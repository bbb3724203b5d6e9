// SPDX-License-Identifier: MIT
/// The loop of averages on the CPU, over one piece of a tensor.
#pragma once

#include <hone/average/averaging.hpp>
#include <hone/cpu/memory/convert.hpp>
#include <hone/cpu/simd/math.hpp>
#include <hone/cpu/tensors/tensors.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// Sets s = averaged(s, p, w) for n numbers. The remainder goes through a pack too, so that the bits do not depend on
/// the position of a number.
template <class T, class P>
void average_piece(T* __restrict s, P const* __restrict p, index n, T weight) noexcept {
  using V = pack<T>;
  const V w(weight);
  index i = 0;
  for (; i + V::size <= n; i += V::size) averaged(V::load(s + i), load_as<T>(p + i), w).store(s + i);
  if (i == n) return;
  T shadow[V::size] = {};
  P parameter[V::size] = {};
  std::copy(s + i, s + n, shadow);
  std::copy(p + i, p + n, parameter);
  averaged(V::load(shadow), load_as<T>(parameter), w).store(shadow);
  std::copy(shadow, shadow + (n - i), s + i);
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
