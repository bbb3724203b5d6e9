// SPDX-License-Identifier: MIT
/// Applies a user-defined function to the numbers of tensor lists, on the CPU.
#pragma once

#include <hone/cpu/memory/convert.hpp>
#include <hone/cpu/tensors/tensors.hpp>
#include <hone/gradient/each_number.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// The loop count of a block, a constant so that the compiler vectorises the loop at -O2 too.
inline constexpr index numbers_at_once = 64;

/// A block of a tensor in the type of the arithmetic: in place, or a copy that write_back() writes back.
template <class T>
class stretch {
  using number = std::remove_const_t<T>;
  using A = accumulator_t<number>;
  static constexpr bool in_place = std::is_same_v<number, A>;
  struct none {};

 public:
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

template <class F, class... A>
[[gnu::always_inline]] inline void call_for_each(F const& f, index n, A*... x) noexcept {
  HONE_INDEPENDENT
  for (index i = 0; i < n; ++i) f(x[i]...);
}
template <class F, class... T>
void call_for_stretch(F const& f, index n, stretch<T>... x) noexcept {
  if (n == numbers_at_once) {
    call_for_each(f, numbers_at_once, x.numbers()...);
  } else {
    call_for_each(f, n, x.numbers()...);
  }
  (x.write_back(), ...);
}

}  // namespace on_cpu

/// Calls f(x, y, …) with the i-th numbers of several lists, for every i. All lists are read and written in one pass, on
/// hone's threads. x, y, … are references to float or double, const if the list is const; 16-bit numbers are converted
/// and written back. A user-defined optimiser is a function of five lines:
///
///     hone::for_each_number(cpu, [=](float& p, float& m, float const& g) { p -= rate * (m = 0.9f * m + g); },
///                           parameters, momenta, gradients);
///
/// f must not throw, and its result must not depend on the calling thread. Throws hone::invalid_argument, before f is
/// called, if the lists have different sizes, or if a written list shares memory with another list.
template <class F, class T, class... More>
void for_each_number(cpu const& backend, F const& f, tensor_list<T> const& first, tensor_list<More> const&... more) {
  static_assert(std::is_invocable_v<F const&, detail::number_reference<T>, detail::number_reference<More>...>,
                "for_each_number: f must take a reference to a number of each list: float or double, const where the "
                "list is");
  detail::require_number_lists("for_each_number", first, more...);
  on_cpu::for_tensors(backend, first, [&](std::size_t i, index begin, index end) {
    for (index at = begin; at < end; at += on_cpu::numbers_at_once) {
      const index n = std::min(on_cpu::numbers_at_once, end - at);
      on_cpu::call_for_stretch(f, n, on_cpu::stretch<T>(first[i].data + at, n),
                               on_cpu::stretch<More>(more[i].data + at, n)...);
    }
  });
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
