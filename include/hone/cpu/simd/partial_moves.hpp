// SPDX-License-Identifier: MIT
/// Loads and stores of the first lanes of a pack.
#pragma once

#include <hone/cpu/simd/pack.hpp>

#include <hone/core/macros_push.hpp>

HONE_AVX512_BEGIN
namespace hone::inline HONE_ABI::on_cpu {

/// True if the processor loads and stores some lanes of a pack in one instruction.
template <class T>
inline constexpr bool has_masked_moves = false;

/// load_first: loads n numbers, 0 <= n < size, and sets the other lanes to `other`. store_first: stores the first n
/// lanes.
template <class T>
pack<T> load_first(T const* p, index n, T other = T(0)) noexcept {
  T lanes[std::size_t(pack<T>::size)];
  for (int lane = 0; lane < pack<T>::size; ++lane) lanes[lane] = lane < n ? p[lane] : other;
  return pack<T>::load(lanes);
}
template <class T>
void store_first(pack<T> x, T* p, index n) noexcept {
  T lanes[std::size_t(pack<T>::size)];
  x.store(lanes);
  for (index i = 0; i < n; ++i) p[i] = lanes[i];
}
#if defined(EIGEN_VECTORIZE_AVX512)
template <>
inline constexpr bool has_masked_moves<float> = true;
template <>
inline constexpr bool has_masked_moves<double> = true;

inline pack<float> load_first(float const* p, index n, float other = 0) noexcept {
  return pack<float>::of(_mm512_mask_loadu_ps(pack<float>(other).v, static_cast<__mmask16>((1u << n) - 1), p));
}
inline pack<double> load_first(double const* p, index n, double other = 0) noexcept {
  return pack<double>::of(_mm512_mask_loadu_pd(pack<double>(other).v, static_cast<__mmask8>((1u << n) - 1), p));
}
inline void store_first(pack<float> x, float* p, index n) noexcept {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), x.v);
}
inline void store_first(pack<double> x, double* p, index n) noexcept {
  _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << n) - 1), x.v);
}
#endif

}  // namespace hone::inline HONE_ABI::on_cpu
HONE_AVX512_END

#include <hone/core/macros_pop.hpp>
