// SPDX-License-Identifier: MIT
/// Updates averages on the CPU.
#pragma once

#include <hone/average/ema_state.hpp>
#include <hone/cpu/memory/convert.hpp>
#include <hone/cpu/tensors/averages.hpp>

#include <algorithm>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// Applies an update to n numbers; copied tensors follow the parameters.
template <class T, class P>
void average_numbers(detail::update_plan const& plan, bool copied, T* s, P const* p, index n) noexcept {
  if (plan.weight == 1 || copied) {
    convert(p, s, n);
  } else {
    if (plan.clear) std::fill_n(s, n, T(0));
    if (plan.weight > 0) average_piece(s, p, n, static_cast<T>(plan.weight));
  }
}

}  // namespace on_cpu

/// Updates an average once, in one pass: reads the shadow and the parameters, writes the shadow. Returns after the work
/// is done; the bits do not depend on the number of threads. The arithmetic is in T. A parameter that is not finite
/// makes its own average infinite or NaN, and no other.
///
/// If `finite` is false, the optimiser skipped this step: nothing is written and the update does not count.
///
///     hone::update(cpu, average, shadow, parameters);
///     hone::update(cpu, average, shadow, parameters, report.finite);
///
/// Throws hone::invalid_argument, before anything is written, if the sizes differ from those of the state, a tensor is
/// not valid memory, the average is out of range or the state is swapped.
template <class Average, class T, class P>
void update(cpu const& backend, Average const& average, ema_state<T>& state, tensor_list<P> const& parameters,
            bool finite = true) {
  using number = std::remove_const_t<P>;
  detail::require_update<Average>(state, parameters);
  const detail::update_plan plan = detail::next_update(average, state.progress().get(), state.from_zero());
  if (!finite) return;

  tensor_list<T> const& shadow = state.tensors();
  on_cpu::for_tensors(backend, shadow, [&](std::size_t i, index begin, index end) {
    on_cpu::average_numbers(plan, state.copies(i), shadow[i].data + begin,
                            static_cast<number const*>(parameters[i].data) + begin, end - begin);
  });
  state.progress().set(plan.after);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
