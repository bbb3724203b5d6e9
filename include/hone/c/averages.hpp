// SPDX-License-Identifier: MIT
/// Averages of parameters: a policy and a state of float or double in one handle.
#pragma once

#include <hone.h>
#include <hone/average/ema.hpp>
#include <hone/average/ema_state.hpp>
#include <hone/average/state_file.hpp>
#include <hone/average/swa.hpp>
#include <hone/c/arrays.hpp>
#include <hone/cpu/tensors/copy.hpp>
#include <hone/cpu/tensors/swap.hpp>
#include <hone/cpu/tensors/update.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <variant>

#include <hone/core/macros_push.hpp>

struct hone_average {
  std::variant<hone::ema, hone::swa> policy;
  std::variant<hone::ema_state<float>, hone::ema_state<double>> state;
};

namespace hone::inline HONE_ABI::c {

inline decay_ramp ramp_of(hone_average_options const& o) {
  require_kind("ramp", o.ramp, HONE_RAMP_LINEAR);
  switch (o.ramp) {
    case HONE_RAMP_EXPONENTIAL:
      return exponential_ramp(o.ramp_first);
    case HONE_RAMP_INVERSE_POWER:
      return inverse_power_ramp(o.ramp_first, o.ramp_second);
    case HONE_RAMP_THRESHOLD:
      return threshold_ramp();
    case HONE_RAMP_LINEAR:
      require(o.ramp_first >= 1 && o.ramp_first <= 0x1p53, "ramp_first", o.ramp_first, "a number of updates");
      return linear_ramp(static_cast<std::int64_t>(o.ramp_first), o.ramp_second);
    default:
      return {};
  }
}

inline hone_average* new_average(hone_average_options const& o, hone_tensor const* parameters, std::int64_t count) {
  require_kind("kind", o.kind, HONE_SWA);
  std::variant<ema, swa> policy;
  if (o.kind == HONE_SWA) {
    policy = swa{};
  } else {
    const ema average{.decay = o.decay,
                      .ramp = ramp_of(o),
                      .update_after = o.update_after,
                      .cycle = o.cycle,
                      .least_decay = o.least_decay};
    average.at(1);  // checks
    policy = average;
  }
  hone_average* made = nullptr;
  with_list(parameters, count, "parameters", [&]<class P>(tensor_list<P> const& list) {
    made = new hone_average{policy, ema_state<accumulator_t<P>>(list, {.from_zero = o.from_zero != 0})};
  });
  return made;
}

/// Calls body(state, list) for parameters whose type the state can take.
template <class Average, class Body>
void with_state(Average& average, hone_tensor const* tensors, std::int64_t count, const char* name, Body const& body) {
  std::visit(
      [&]<class State>(State& state) {
        with_list(tensors, count, name, [&]<class P>(tensor_list<P> const& list) { body(state, list); });
      },
      average.state);
}

inline void update_average(cpu const& backend, hone_average& average, hone_tensor const* parameters, std::int64_t count,
                           bool finite) {
  with_state(average, parameters, count, "parameters", [&]<class T, class P>(ema_state<T>& s, tensor_list<P> const& p) {
    if constexpr (sizeof(P) <= sizeof(T))
      std::visit([&](auto const& policy) { update(backend, policy, s, p, finite); }, average.policy);
    else
      detail::fail("parameters are float64, the averages float32");
  });
}
inline void swap_average(cpu const& backend, hone_average& average, hone_tensor const* parameters, std::int64_t count) {
  with_state(average, parameters, count, "parameters", [&]<class T, class P>(ema_state<T>& s, tensor_list<P> const& p) {
    if constexpr (std::is_same_v<T, P>)
      hone::swap(backend, s, p);
    else
      detail::fail("parameters are %s, the averages %s: hone_average_copy rounds them",
                   count > 0 ? name_of(parameters[0].dtype) : "none", sizeof(T) == 8 ? "float64" : "float32");
  });
}
inline void copy_average(cpu const& backend, hone_average const& average, hone_tensor const* to, std::int64_t count) {
  with_state(average, to, count, "to", [&](auto const& state, auto const& list) { copy(backend, state, list); });
}

/// Writes the state to a buffer, unless that is null, and returns how many bytes it has.
inline std::int64_t write_average(hone_average const& average, void* buffer, std::int64_t size) {
  return std::visit(
      [&](auto const& state) {
        std::int64_t bytes = 0;
        state.write_to("write", [&](void const*, std::size_t n) { bytes += static_cast<std::int64_t>(n); });
        if (!buffer) return bytes;
        if (size < bytes)
          detail::fail("size of the buffer is %jd, the state has %jd bytes", std::intmax_t(size), std::intmax_t(bytes));
        auto* to = static_cast<std::byte*>(buffer);
        state.write_to("write", [&](void const* data, std::size_t n) { std::memcpy(to, data, n), to += n; });
        return bytes;
      },
      average.state);
}
inline void read_average(hone_average& average, void const* buffer, std::int64_t size) {
  if (size < 0 || !buffer) detail::fail("buffer has %jd bytes%s", std::intmax_t(size), buffer ? "" : " at NULL");
  std::visit(
      [&](auto& state) {
        std::span left(static_cast<std::byte const*>(buffer), static_cast<std::size_t>(size));
        state.read_from(
            "read",
            [&](void* data, std::size_t n) {
              n = std::min(n, left.size());
              if (n > 0) std::memcpy(data, left.data(), n);
              left = left.subspan(n);
              return n;
            },
            true);
      },
      average.state);
}

}  // namespace hone::inline HONE_ABI::c

#include <hone/core/macros_pop.hpp>
