// SPDX-License-Identifier: MIT
/// Finds equal softmaxes in the terms of an objective, so that their weights are computed once.
#pragma once

#include <hone/cpu/rows/sweeps.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// The number of strips that the softmax weights of a term take.
template <class Term>
inline constexpr int weight_strips = []<class... S>(row::list<S...>*) {
  return (int(row::is_softmax<S> && !row::is_base<S>) + ... + 0);
}(static_cast<row::statistics_of<Term>*>(nullptr));

/// Returns n such that exp(x / temperature) squared n times is exp(x); -1 if there is no n that saves time.
inline int squarings_to(double temperature) noexcept {
  return temperature == 1 ? 0 : temperature == 2 ? 1 : temperature == 4 ? 2 : -1;
}

/// Returns true if a softmax of two terms has the same logits and the same temperature.
template <class S, class T, class U>
bool have_same_source([[maybe_unused]] T const& a, [[maybe_unused]] U const& b) noexcept {
  if (S::has_temperature && row::temperature_of(a) != row::temperature_of(b)) return false;
  if constexpr (std::same_as<typename S::source, row::teacher>) {
    if constexpr (requires { a.teacher == b.teacher; }) return a.teacher == b.teacher;
    return false;
  } else {
    return std::same_as<typename S::source, row::logits>;
  }
}

/// Returns the weights of an equal softmax over all classes in a term before `s` that does not replace them; or null.
template <class S, class A, class T, class... Term>
A* same_weights(detail::list<leaf_state<A, Term>...>& leaves, leaf_state<A, T> const& s) noexcept {
  A* found = nullptr;
  bool before = true;
  if constexpr (std::same_as<typename S::subset, row::all>)
    leaves.each([&]<class U>(leaf_state<A, U>& other) {
      before = before && static_cast<void const*>(&other) != static_cast<void const*>(&s);
      row::each_statistic<U>([&](auto k) {
        if constexpr (std::same_as<S, row::statistic<k(), U>>)
          if (before && !found && row::replaced_weights<U> != k() && have_same_source<S>(s.term, other.term))
            found = other.weights[k()].data;
      });
    });
  return found;
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
