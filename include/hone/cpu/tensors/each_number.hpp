// SPDX-License-Identifier: MIT
/// Applies a user-defined function to the numbers of tensor lists, on the CPU.
#pragma once

#include <hone/cpu/memory/convert.hpp>
#include <hone/cpu/simd/partial_moves.hpp>
#include <hone/cpu/tensors/round_numbers.hpp>
#include <hone/cpu/tensors/tensors.hpp>
#include <hone/gradient/each_number.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// The numbers that are converted at a time if a list has 16-bit numbers. For a function of single numbers it is also
/// the loop count, a constant so that the compiler vectorises the loop at -O2 too.
inline constexpr index numbers_at_once = 64;

/// A block of a tensor in the type of the arithmetic: in place, or a copy that write_back() writes back.
template <class T>
class stretch {
  using number = std::remove_const_t<T>;
  using A = accumulator_t<number>;
  struct none {};

 public:
  static constexpr bool in_place = std::is_same_v<number, A>;

  stretch(T* data, index n) noexcept : data_(data), n_(n) {
    if constexpr (!in_place) convert(data, copy_, n);
  }
  auto* numbers() noexcept {
    if constexpr (in_place) {
      return data_;
    } else {
      return static_cast<std::conditional_t<std::is_const_v<T>, A const, A>*>(copy_);
    }
  }
  void write_back() const noexcept {
    if constexpr (!in_place && !std::is_const_v<T>) convert(static_cast<A const*>(copy_), data_, n_);
  }

 private:
  T* data_;
  index n_;
  [[no_unique_address]] std::conditional_t<in_place, none, A[std::size_t(numbers_at_once)]> copy_;
};

/// A pack of adjacent numbers, or of the first n; the other lanes then repeat the first one.
template <class A>
class held_pack {
  using V = pack<std::remove_const_t<A>>;

 public:
  explicit held_pack(A* at) noexcept : v_(V::load(at)), at_(at) {}
  held_pack(A* at, index n) noexcept
      : v_(load_first(static_cast<std::remove_const_t<A> const*>(at), n, *at)), at_(at) {}

  detail::operand_reference<V, A> numbers() noexcept { return v_; }
  void store() const noexcept {
    if constexpr (!std::is_const_v<A>) v_.store(at_);
  }
  void store(index n) const noexcept {
    if constexpr (!std::is_const_v<A>) store_first(v_, at_, n);
  }

 private:
  V v_;
  A* at_;
};

template <class F, class... A>
HONE_INLINE void call_with_packs(F const& f, held_pack<A>... x) noexcept {
  f(x.numbers()...);
  (x.store(), ...);
}
template <class F, class... A>
HONE_INLINE void call_with_packs(F const& f, index n, held_pack<A>... x) noexcept {
  f(x.numbers()...);
  (x.store(n), ...);
}
/// Calls f with packs of n numbers. The remainder is a pack too, so that the bits do not depend on the position of a
/// number. Everything is inlined, because packs in memory would take longer than the arithmetic.
template <class F, class A, class... More>
HONE_FLATTEN void call_for_packs(F const& f, index n, A* x, More*... more) noexcept {
  constexpr index W = pack<std::remove_const_t<A>>::size;
  index i = 0;
  for (; i + W <= n; i += W) call_with_packs(f, held_pack<A>(x + i), held_pack<More>(more + i)...);
  if (i < n) call_with_packs(f, n - i, held_pack<A>(x + i, n - i), held_pack<More>(more + i, n - i)...);
}

template <class F, class... A>
[[gnu::always_inline]] inline void call_for_numbers(F const& f, index n, A*... x) noexcept {
  HONE_INDEPENDENT
  for (index i = 0; i < n; ++i) f(x[i]...);
}
template <bool in_packs, class F, class... T>
void call_for_stretch(F const& f, index n, stretch<T>... x) noexcept {
  if constexpr (in_packs) {
    call_for_packs(f, n, x.numbers()...);
  } else if (n == numbers_at_once) {
    call_for_numbers(f, numbers_at_once, x.numbers()...);
  } else {
    call_for_numbers(f, n, x.numbers()...);
  }
  (x.write_back(), ...);
}

/// Calls f with n numbers of several arrays: with packs, or with references to single ones.
template <bool in_packs, class F, class... T>
void call_for_each(F const& f, index n, T*... x) noexcept {
  constexpr index most = in_packs && (stretch<T>::in_place && ...) ? detail::piece_elements : numbers_at_once;
  for (index at = 0; at < n; at += most) {
    const index m = std::min(most, n - at);
    call_for_stretch<in_packs>(f, m, stretch<T>(x + at, m)...);
  }
}

}  // namespace on_cpu

/// Calls f(x, y, …) with the i-th numbers of several lists, for every i. All lists are read and written in one pass, on
/// hone's threads. x, y, … are references to operands, const if the list is const: packs of numbers, in float or
/// double; 16-bit numbers are converted and written back. A user-defined optimiser is a function of three lines:
///
///     struct sgd {
///       double rate;
///       template <hone::operand V>
///       HONE_HD void operator()(V& p, V& m, V const& g) const { p -= V(rate) * (m = V(0.9) * m + g); }
///     };
///     hone::for_each_number(cpu, sgd{0.1}, parameters, momenta, gradients);
///
/// A function that is no template takes references to float or double, and is as fast as the compiler's own vectors
/// make it. f must not throw, and its result must not depend on the calling thread. Throws hone::invalid_argument,
/// before f is called, if the lists have different sizes, or if a written list shares memory with another list.
template <class F, class T, class... More>
void for_each_number(cpu const& backend, F const& f, tensor_list<T> const& first, tensor_list<More> const&... more) {
  constexpr bool in_packs = detail::takes_operands<F, T, More...>;
  detail::require_function_of_numbers<F, T, More...>();
  detail::require_number_lists("for_each_number", first, more...);
  on_cpu::for_tensors(backend, first, [&](std::size_t i, index begin, index end) {
    on_cpu::call_for_each<in_packs>(f, end - begin, first[i].data + begin, (more[i].data + begin)...);
  });
}

/// The same where the numbers of the first list are of 16 bits and are rounded stochastically when they are written.
///
///     const hone::stochastic_rounding rounding{.seed = 1, .step = step};
///     hone::for_each_number(cpu, sgd{0.1}, hone::rounded_by(rounding, parameters), momenta, gradients);
template <class F, class P, class... More>
void for_each_number(cpu const& backend, F const& f,
                     rounded_list<stochastic_rounding, tensor_list<P>> const& parameters,
                     tensor_list<More> const&... more) {
  constexpr bool in_packs = detail::takes_operands<F, P, More...>;
  tensor_list<P> const& first = *parameters.parameters;
  detail::require_function_of_numbers<F, P, More...>();
  detail::require_number_lists("for_each_number", first, more...);
  const on_cpu::stochastic_store store{parameters.rounding, on_cpu::whole_tensors()};
  store.require("for_each_number", first);
  on_cpu::for_tensors(backend, first, [&](std::size_t i, index begin, index end) {
    for (index at = begin; at < end; at += store.most) {
      const index n = std::min(store.most, end - at);
      store(i, at, n, first[i].data + at,
            [&](auto* p) { on_cpu::call_for_each<in_packs>(f, n, p, (more[i].data + at)...); });
    }
  });
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
