// SPDX-License-Identifier: MIT
/// transform and measure, the functions of gradients, on CUDA.
#pragma once

#include <hone/core/tensor_overlap.hpp>
#include <hone/cuda/memory/device_scalar.cuh>
#include <hone/cuda/tensors/device_report.cuh>
#include <hone/cuda/tensors/device_units.cuh>
#include <hone/cuda/tensors/gradients.cuh>
#include <hone/gradient/chain.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// unscale by a number in device memory, such as the scale of a hone::device_loss_scaler.
struct device_unscale_step {
  static constexpr step_kind kind = step_kind::unscale;

  double scale = 1;
  numbers device_scale;
};
inline device_unscale_step unscale(device_number scale) { return {1, scale.value}; }

namespace on_cuda {

template <class... Step>
device_plan plan_of(gradient_chain<Step...> const& chain, double maximum) {
  device_plan plan{detail::plan_of(chain, maximum), {}};
  chain.each([&]<class S>(S const& s) {
    if constexpr (requires { s.device_scale; }) plan.device_scale = s.device_scale;
  });
  return plan;
}

/// Whether a chain multiplies all numbers by one factor: it clips by no norm of a tensor or a unit.
template <class... Step>
inline constexpr bool has_one_factor =
    ((Step::kind != step_kind::tensor_norm && Step::kind != step_kind::unit_norm) && ...);

/// Returns the bytes of workspace that a call needs, including the first ones (see cuda/run/reduce.cuh).
template <class Table>
std::size_t bytes_for(Table const& table) {
  return workspace_alignment + sizeof(gradient_report) +
         static_cast<std::size_t>(table.slots) * (sizeof(power_sums) + sizeof(double)) +
         static_cast<std::size_t>(table.units) * 2 * sizeof(double);
}
template <class Table>
unit_sums sums_in(void* workspace, Table const& table) {
  char* at = static_cast<char*>(workspace) + workspace_alignment;
  const auto take = [&](auto*& to, index count) {
    to = reinterpret_cast<std::remove_reference_t<decltype(to)>>(at);
    at += static_cast<std::size_t>(count) * sizeof *to;
  };
  unit_sums of{};
  take(of.report, 1), take(of.sums, table.slots), take(of.weights, table.slots), take(of.factors, table.units),
      take(of.spare, table.units);
  return of;
}

/// Calls body with the gradients, cut into the units of adaptive_clip if the chain has it, and its parameters or null.
template <class T, class... Step, class Body>
void with_units(const char* function, gradient_chain<Step...> const& chain, device_list<T> const& gradients,
                Body const& body) {
  list_table<T> list = gradients.table();
  const detail::tensor_places places(function, "gradients", gradients.tensors());
  constexpr bool by_units = ((Step::kind == step_kind::unit_norm) || ...);
  if constexpr (!by_units) {
    body(list, static_cast<T const* const*>(nullptr));
  } else {
    chain.each([&]<class S>(S const& s) {
      if constexpr (S::kind == step_kind::unit_norm) {
        static_assert(
            requires { s.parameters->table(); },
            "transform: on CUDA adaptive_clip must be prepared as a hone::device_adaptive_clip, whose step() "
            "goes into the chain");
        detail::require_sizes_like(function, "gradients", gradients.tensors(), "the list of adaptive_clip",
                                   s.parameters->tensors());
        places.require_apart("the list of adaptive_clip", s.parameters->tensors(), true);
        auto const& units = s.parameters->table();
        list.cuts = units.cuts, list.tensor_of = units.tensor_of;
        list.pieces = units.pieces, list.units = units.units, list.slots = units.slots;
        body(list, units.data);
      }
    });
  }
}

template <class T, class... Step>
void enqueue_chain(const char* function, cuda& backend, gradient_chain<Step...> const& chain,
                   device_list<T> const& gradients, device_report* report, bool apply,
                   double maximum = detail::largest_number<std::remove_const_t<T>>()) {
  with_units(function, chain, gradients, [&](auto const& list, auto const* parameters) {
    backend.reserve(bytes_for(list));
    const device_of_stream device(backend.placed());
    const device_plan plan = plan_of(chain, maximum);
    const unit_sums of = sums_in(backend.workspace(), list);
    gradient_report* const copy = report ? report->data() : nullptr;
    if constexpr (has_one_factor<Step...>) {
      launch_pieces("transform: measure_kernel", measure_kernel<T, settle_all>, list.pieces, backend.stream(), list,
                    plan, of, grid_scratch(backend.workspace()).done, settle_all{copy});
    } else {
      launch_pieces("transform: unit_measure_kernel",
                    unit_measure_kernel<T, std::remove_cvref_t<decltype(**parameters)>>, list.pieces, backend.stream(),
                    list, parameters, plan, of);
      launch("transform: settle_kernel", settle_kernel<device_plan>, {1, settling_threads}, backend.stream(), list.cuts,
             list.tensors, plan, of, copy);
    }
    if (!apply) return;
    if constexpr (!std::is_const_v<T>) {
      launch_pieces("transform: apply_kernel", apply_kernel<T>, list.pieces, backend.stream(), list, plan, of,
                    has_one_factor<Step...>);
    }
  });
}

/// Calls body(steps…), with adaptive_clip prepared for the device during the call.
template <class Body>
void with_prepared(cuda const&, Body const& body) {
  body();
}
template <class Body, class First, class... Tail>
void with_prepared(cuda const& backend, Body const& body, First const& first, Tail const&... tail) {
  const auto with = [&](auto const& step) {
    with_prepared(backend, [&](auto const&... others) { body(step, others...); }, tail...);
  };
  if constexpr (requires { first.parameters.size(); }) {
    const device_adaptive_clip units(backend, first);
    with(units.step());
  } else {
    with(first);
  }
}

}  // namespace on_cuda

/// Enqueues a step, or a hone::chain of several, on gradients in device memory: two kernels for any list, and one more
/// if the chain clips by the norms of tensors or units. If a norm is not finite, or a result is out of the range of the
/// type, all gradients stay as they are. The report, if given, stays on the device.
template <class Step, class T>
void transform(cuda& backend, Step const& step, device_list<T> const& gradients, device_report* report = nullptr) {
  static_assert(!std::is_const_v<T>, "transform: the gradients must not be const, for they are changed in place");
  on_cuda::enqueue_chain("transform", backend, detail::as_chain(step), gradients, report, true);
}

/// The same for a list that is not prepared: its table, and that of adaptive_clip, are uploaded for this call only, in
/// memory that the stream allocates and frees. A captured graph needs a device_list.
template <class Step, class T>
void transform(cuda& backend, Step const& step, tensor_list<T> const& gradients, device_report* report = nullptr) {
  detail::require_tensors("transform", "gradients", gradients);
  std::apply(
      [&](auto const&... steps) {
        on_cuda::with_prepared(
            backend,
            [&](auto const&... prepared) {
              transform(backend, hone::chain(prepared...), device_list<T>(backend, gradients), report);
            },
            steps...);
      },
      detail::as_chain(step).steps);
}

/// Computes the report that transform would produce, without changing the gradients: the optimiser must multiply each
/// gradient by *report.factor(). For chains of unscale and clip_by_global_norm.
template <class Step, class T>
void measure(cuda& backend, Step const& step, device_list<T> const& gradients, device_report& report) {
  auto const& chain = detail::as_chain(step);
  detail::require_one_factor(chain);
  on_cuda::enqueue_chain("measure", backend, chain, gradients, &report, false, detail::infinity);
}

/// Returns the bytes of workspace for transform and measure; with adaptive_clip, pass the list of its parameters.
template <class T>
std::size_t workspace_bytes(device_list<T> const& gradients) {
  return on_cuda::bytes_for(gradients.table());
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
