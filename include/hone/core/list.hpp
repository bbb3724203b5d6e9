// SPDX-License-Identifier: MIT
/// A tuple of the terms of an objective. It is a plain aggregate that can be passed to a kernel, and costs the
/// compiler a fraction of the time of std::tuple.
#pragma once

#include <hone/core/config.hpp>

#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

template <std::size_t, class T>
struct list_item {
  T value;
};

template <class Indices, class... T>
struct list_items;
template <std::size_t... I, class... T>
struct list_items<std::index_sequence<I...>, T...> : list_item<I, T>... {
  constexpr list_items() = default;
  HONE_HD constexpr explicit list_items(T const&... values)
    requires(sizeof...(T) > 0)
      : list_item<I, T>{values}... {}

  /// Returns f(first, second, …).
  HONE_NO_EXEC_CHECK template <class F>
  HONE_HD constexpr auto apply(F const& f) const {
    return f(list_item<I, T>::value...);
  }
  /// Calls f(first), then f(second), …
  HONE_NO_EXEC_CHECK template <class F>
  HONE_HD constexpr void each(F const& f) {
    (f(list_item<I, T>::value), ...);
  }
  HONE_NO_EXEC_CHECK template <class F>
  HONE_HD constexpr void each(F const& f) const {
    (f(list_item<I, T>::value), ...);
  }
};

template <class... T>
struct list : list_items<std::index_sequence_for<T...>, T...> {
  using list_items<std::index_sequence_for<T...>, T...>::list_items;
};
template <class... T>
list(T const&...) -> list<T...>;

/// Returns one list of the items of all lists, in order.
template <class... T>
HONE_HD constexpr list<T...> concatenated(list<T...> const& all) {
  return all;
}
template <class... First, class... Second, class... Tail>
HONE_HD constexpr auto concatenated(list<First...> const& first, list<Second...> const& second, Tail const&... tail) {
  return concatenated(first.apply([&](First const&... a) {
    return second.apply([&](Second const&... b) { return list<First..., Second...>(a..., b...); });
  }),
                      tail...);
}

template <std::size_t I, class T>
HONE_HD constexpr T& at(list_item<I, T>& item) noexcept {
  return item.value;
}
template <std::size_t I, class T>
HONE_HD constexpr T const& at(list_item<I, T> const& item) noexcept {
  return item.value;
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
