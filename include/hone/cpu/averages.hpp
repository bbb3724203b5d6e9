// SPDX-License-Identifier: MIT
/// The loops of averages on the CPU: pieces of tensors, one after the other.
#pragma once

#include <hone/average/averaging.hpp>
#include <hone/cpu/math.hpp>
#include <hone/cpu/tensors.hpp>

#include <algorithm>
#include <type_traits>

namespace hone::on_cpu {

/// As many numbers as a pack of T has, converted.
template <class T, class P>
pack<T> load_as(P const* p) noexcept {
  using traits = Eigen::internal::packet_traits<P>;
  if constexpr (std::is_same_v<T, P>) {
    return pack<T>::load(p);
  } else if constexpr (sizeof(P) == 2 && traits::Vectorizable && int(traits::size) == pack<T>::size) {
    using narrow = typename traits::type;
    return pack<T>::of(Eigen::internal::pcast<narrow, typename pack<T>::packet>(Eigen::internal::ploadu<narrow>(p)));
  } else {
    T lanes[pack<T>::size];
    for (int k = 0; k < pack<T>::size; ++k) lanes[k] = static_cast<T>(p[k]);
    return pack<T>::load(lanes);
  }
}

/// s = averaged(s, p, w). The numbers of the last pack go through one too, so that the bits do not depend on where a
/// number lies.
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

}  // namespace hone::on_cpu
