// SPDX-License-Identifier: MIT
/// The integers beside a pack of float: conversions, and the bits of the numbers themselves.
#pragma once

#include <hone/cpu/pack.hpp>

#include <concepts>

namespace hone::on_cpu {

template <std::same_as<float> T>
struct bits {
  using packet = typename pack<T>::packet;
  using integers = integers_of<T>;

  integers v;

  explicit bits(integers i) noexcept : v(i) {}
  explicit bits(int i) noexcept : v(Eigen::internal::pset1<integers>(i)) {}

  static bits of(pack<T> x) noexcept { return bits(Eigen::internal::preinterpret<integers, packet>(x.v)); }
  static bits truncated(pack<T> x) noexcept { return bits(Eigen::internal::pcast<packet, integers>(x.v)); }

  /// The number that has these bits, and the number that has this value.
  pack<T> as_number() const noexcept { return pack<T>::of(Eigen::internal::preinterpret<packet, integers>(v)); }
  pack<T> to_number() const noexcept { return pack<T>::of(Eigen::internal::pcast<integers, packet>(v)); }

  friend bits operator+(bits a, bits b) noexcept { return bits(Eigen::internal::padd(a.v, b.v)); }
  friend bits operator-(bits a, bits b) noexcept { return bits(Eigen::internal::psub(a.v, b.v)); }
  friend bits operator&(bits a, bits b) noexcept { return bits(Eigen::internal::pand(a.v, b.v)); }

  template <int N>
  bits left() const noexcept {
    return bits(Eigen::internal::plogical_shift_left<N>(v));
  }
  /// Keeps the sign.
  template <int N>
  bits right() const noexcept {
    return bits(Eigen::internal::parithmetic_shift_right<N>(v));
  }
};

}  // namespace hone::on_cpu
