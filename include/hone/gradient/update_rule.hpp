// SPDX-License-Identifier: MIT
/// The checks of hone::step for all backends.
#pragma once

#include <hone/gradient/chain.hpp>
#include <hone/gradient/each_number.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

template <class... Step>
void require_one_factor_of_step(gradient_chain<Step...> const&) {
  static_assert(((Step::kind == step_kind::unscale || Step::kind == step_kind::global_norm) && ...),
                "step: only unscale and clip_by_global_norm are one factor for all gradients; for other chains call "
                "transform, then for_each_number");
}

/// True for a tensor_list, and for a device_list of CUDA.
template <class List>
inline constexpr bool is_state_list = requires(List const& list) { list.table(); };
template <class T>
inline constexpr bool is_state_list<tensor_list<T>> = true;

/// G: the gradients' type; T: of the parameters and states.
template <class F, class G, class... T>
constexpr void require_update_rule() {
  if constexpr (takes_operands<F, G const, T...>)
    static_cast<void>(&try_on_lanes<F, G const, T...>);
  else
    static_assert(std::is_invocable_v<F const&, number_reference<G const>, number_reference<T>...>,
                  "step: the update must take a gradient, then a reference to a number of the parameters and of each "
                  "state: operands, float or double, const where the list is");
}

/// The names of the lists of a step in messages. `states` does not count the average, which comes last.
struct step_list_names {
  const char* at[10] = {"gradients", "parameters", "state 1", "state 2", "state 3", "state 4", "state 5", "state 6"};

  explicit step_list_names(std::size_t states) { at[2 + states] = "the average"; }
};

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
