// SPDX-License-Identifier: MIT
/// Contiguous numbers in the caller's memory that a call can view: labels, weights, λ.
#pragma once

#include <hone/core/number.hpp>

#include <span>  // also declares the concepts and functions of ranges; <ranges> would take longer to compile
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// A type of a linear algebra library that is a matrix, or a vector with strides between its numbers. Such types
/// define these constants.
template <class R>
concept has_steps =
    requires { requires R::InnerStrideAtCompileTime != 1; } || requires { requires !bool(R::IsVectorAtCompileTime); };
/// Has data() and size(), as the vectors of all libraries do, and no strides.
template <class R>
concept has_data = requires(R& r) {
  *r.data();
  { r.size() } -> std::convertible_to<index>;
} && !has_steps<std::remove_cv_t<R>>;

/// A std::vector, std::span, std::array, an array, or any vector that has data() and size(). R may be a reference.
template <class R>
concept contiguous = std::ranges::contiguous_range<R> || has_data<std::remove_reference_t<R>>;

template <contiguous R>
constexpr auto* data_of(R& r) noexcept {
  if constexpr (std::ranges::contiguous_range<R&>) {
    return std::ranges::data(r);
  } else {
    return r.data();
  }
}
template <contiguous R>
constexpr index count_of(R const& r) noexcept {
  if constexpr (std::ranges::contiguous_range<R const&>) {
    return static_cast<index>(std::ranges::size(r));
  } else {
    return static_cast<index>(r.size());
  }
}

/// referred_number: the type of the numbers, const if they cannot be written. number_in: the same type without const.
template <contiguous R>
using referred_number = std::remove_pointer_t<decltype(data_of(std::declval<std::remove_reference_t<R>&>()))>;
template <contiguous R>
using number_in = std::remove_cv_t<referred_number<R>>;

template <class R>
concept contiguous_integers = contiguous<R> && std::integral<number_in<R>>;
template <class R>
concept contiguous_reals = contiguous<R> && std::floating_point<number_in<R>>;

/// True for types whose temporaries view memory that outlives them. A backend adds the views of the library it uses.
template <class R>
inline constexpr bool is_only_a_view = std::ranges::enable_borrowed_range<R>;

/// True if an argument taken as R&& can be viewed after the call: it is an lvalue, or its type is only a view.
template <class R>
inline constexpr bool outlives_call = std::is_lvalue_reference_v<R> || is_only_a_view<std::remove_cvref_t<R>>;

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
