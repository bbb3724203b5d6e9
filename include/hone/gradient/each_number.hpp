// SPDX-License-Identifier: MIT
/// Argument checks of for_each_number for all backends.
#pragma once

#include <hone/core/lanes.hpp>
#include <hone/core/number.hpp>
#include <hone/core/tensor_list.hpp>
#include <hone/core/tensor_overlap.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// The type by which a function accesses one number of a list of T.
template <class T>
using number_reference = std::conditional_t<std::is_const_v<T>, accumulator_t<std::remove_const_t<T>> const&,
                                            accumulator_t<std::remove_const_t<T>>&>;

/// The same if the numbers are operands V: packs of numbers on the CPU.
template <class V, class T>
using operand_reference = std::conditional_t<std::is_const_v<T>, V const&, V&>;

/// True if f is a template over an operand (core/operand.hpp) and the numbers of all lists are computed in one type.
template <class F, class T, class... More>
inline constexpr bool takes_operands =
    (std::is_same_v<accumulator_t<std::remove_const_t<T>>, accumulator_t<std::remove_const_t<More>>> && ...) &&
    std::is_invocable_v<F const&, operand_reference<lanes, T>, operand_reference<lanes, More>...>;

/// Compiles f for lanes, so that a function that branches on data is refused in one sentence.
HONE_NO_EXEC_CHECK template <class F, class... T>
HONE_HD void try_on_lanes(F const& f, lanes x) {
  f(static_cast<operand_reference<lanes, T>>(x)...);
}

template <class F, class... T>
constexpr void require_function_of_numbers() {
  if constexpr (takes_operands<F, T...>)
    static_cast<void>(&try_on_lanes<F, T...>);
  else
    static_assert(std::is_invocable_v<F const&, number_reference<T>...>,
                  "for_each_number: f must take a reference to a number of each list: an operand, float or double, "
                  "const where the list is");
}

inline constexpr const char* number_list_names[] = {"list 1", "list 2", "list 3", "list 4",
                                                    "list 5", "list 6", "list 7", "list 8"};

/// Checks the first list and all others: a list that is written shares no memory with other lists or within itself.
template <class T, class... More>
void require_lists_apart(const char* function, const char* const* names, tensor_list<T> const& list,
                         tensor_list<More> const&... more) {
  if constexpr (!std::is_const_v<T>) {
    const tensor_places places(function, *names, list);
    [[maybe_unused]] const char* const* other = names;
    (places.require_apart(*++other, more), ...);
  } else {
    [[maybe_unused]] const char* const* other = names;
    [[maybe_unused]] const auto check = [&]<class U>(tensor_list<U> const& later) {
      ++other;
      if constexpr (!std::is_const_v<U>) tensor_places(function, *other, later).require_apart(*names, list);
    };
    (check(more), ...);
  }
  if constexpr (sizeof...(More) > 0) require_lists_apart(function, names + 1, more...);
}

/// Checks lists that are read and written together, whose names are `names`.
template <class T, class... More>
void require_number_lists(const char* function, const char* const* names, tensor_list<T> const& first,
                          tensor_list<More> const&... more) {
  require_tensors(function, *names, first);
  [[maybe_unused]] const char* const* name = names;
  (require_tensors(function, *++name, more), ...);
  name = names;
  (require_sizes_like(function, *++name, more, *names, first), ...);
  require_lists_apart(function, names, first, more...);
}
template <class T, class... More>
void require_number_lists(const char* function, tensor_list<T> const& first, tensor_list<More> const&... more) {
  static_assert(sizeof...(More) < 8, "for_each_number: at most 8 lists");
  require_number_lists(function, number_list_names, first, more...);
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
