// SPDX-License-Identifier: MIT
/// A whole step of training in two sweeps, on CUDA.
#pragma once

#include <hone/average/averaged_in.hpp>
#include <hone/cuda/tensors/each_number.cuh>
#include <hone/cuda/tensors/factor_of_report.cuh>
#include <hone/cuda/tensors/round_numbers.cuh>
#include <hone/cuda/tensors/transform.cuh>
#include <hone/cuda/tensors/update.cuh>
#include <hone/gradient/update_rule.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cuda {

/// The average of a step: nothing, or what average_job does with its shadow.
struct no_average {
  using number = float;

  struct nothing {
    template <class P, class A>
    __device__ void update(A const&, index, int) const {}
  };
  template <int, class StretchOf>
  __device__ nothing stretch(int, index, StretchOf const&) const {
    return {};
  }
};
template <class T>
struct step_average {
  using number = T;

  T* const* shadow;
  average_job job;

  template <int N>
  struct averages {
    average_job::task<T> task;
    held_stretch<N, T> of;

    /// Updates N averages of parameters p, which are rounded as they were stored.
    template <class P>
    __device__ void update(accumulator_t<P> const (&p)[N], index from, int count) const {
      if (task.idle) return;
      auto s = of;
      if (task.reads) s.read(from, count);
#pragma unroll
      for (int j = 0; j < N; ++j)
        if (j < count) task(s.at[j], static_cast<T>(static_cast<accumulator_t<P>>(detail::narrowed<P>(p[j]))));
      s.write(from, count);
    }
  };
  template <int N, class StretchOf>
  __device__ averages<N> stretch(int tensor, index first, StretchOf const& stretch_of) const {
    return {job.of<T>(tensor), stretch_of(pointer_by_warp(shadow + tensor) + first)};
  }
};

/// Each thread processes adjacent numbers of every list at a time. Nothing happens if the gradients are not finite.
template <class F, class Average, class Rounding, class G, class P, class... S>
__global__ void __launch_bounds__(block_threads, 1)
    step_kernel(list_table<G const> const list, F const f, gradient_report const* report, Average const average,
                Rounding const rounding, P* const* parameters, S* const*... states) {
  constexpr int N = wide_of_all<G, P, S..., typename Average::number>();
  __shared__ shared_piece at;
  if (!read_by_warp(&report->finite)) return;
  const factor_of_report<accumulator_t<G>> scaled(read_by_warp(&report->factor));
  for (index piece = blockIdx.x; piece < list.pieces; piece += gridDim.x) {
    at.read(list, static_cast<G const* const*>(nullptr), piece);
    const int tensor = at.tensor;
    const auto rounded = rounding.of(tensor);
    at.visit(
        piece,
        [&](index, index, index first, index n) {
          G const* const g = at.data_of<G const>() + first;
          const auto stretch_of = [&]<class T>(T* x) {
            const auto place = [](auto* p) { return reinterpret_cast<std::uintptr_t>(p) / sizeof *p % N; };
            return held_stretch<N, T>{x, place(x) == place(g), {}};
          };
          // Made here, because the compiler would read the tables again for every access: stores might change them.
          const detail::list<held_stretch<N, G const>, held_stretch<N, P>, held_stretch<N, S>...> stretches(
              stretch_of(g), stretch_of(pointer_by_warp(parameters + tensor) + first),
              stretch_of(pointer_by_warp(states + tensor) + first)...);
          const auto averages = average.template stretch<N>(tensor, first, stretch_of);
          each_piece_of<N>(g, n, static_cast<int>(threadIdx.x), static_cast<int>(blockDim.x),
                           [&](int from, auto count) {
                             auto held = stretches;
                             held.each([&](auto& h) { h.read(from, count); });
#pragma unroll
                             for (int j = 0; j < N; ++j) {
                               if (j >= count) continue;
                               detail::at<0>(held).at[j] = scaled(detail::at<0>(held).at[j]);
                               call_with(f, held, j, std::make_index_sequence<2 + sizeof...(S)>());
                             }
                             rounded.round(first + from, count, detail::at<1>(held).at);
                             held.each([&](auto& h) { h.write(from, count); });
                             averages.template update<P>(detail::at<1>(held).at, from, count);
                           });
        },
        [](index, index, index, index) {});  // lists are not cut into columns
  }
}

/// Checks the average of a step; then enqueues the decision about its update, and returns what the sweep needs.
struct without_average {
  template <class P>
  void require(tensor_list<P> const&) const {}
  no_average enqueue(cuda&, bool const*) const { return {}; }
};
template <class Average, class T>
struct with_average {
  Average const& average;
  device_ema_state<T>& state;

  template <class P>
  void require(tensor_list<P> const& parameters) const {
    detail::require_update<Average>(state, parameters);
    static_cast<void>(detail::next_update(average, detail::average_progress{}, state.from_zero()));  // throws
  }
  step_average<T> enqueue(cuda& backend, bool const* finite) const {
    enqueue_decision(backend, average, state, finite);
    return {state.list().table().data, average_job{state.decided(), state.copied()}};
  }
};
template <class Last>
without_average average_of(Last const&) {
  return {};
}
template <class Average, class T>
with_average<Average, T> average_of(averaged_in_state<Average, device_ema_state<T>> const& last) {
  return {last.average, *last.state};
}

/// Checks the update and the lists of a step.
template <class F, class Average, class G, class P, class... S>
void check_step(Average const& average, tensor_list<G> const& gradients, device_list<P> const& parameters,
                device_list<S> const&... states) {
  using number = std::remove_const_t<G>;
  static_assert(std::is_trivially_copyable_v<F>, "step: the update is copied to the device: it must be bytes alone");
  static_assert(sizeof...(S) <= 6, "step: at most 6 states");
  detail::require_update_rule<F, number, P, S...>();
  const detail::step_list_names names(sizeof...(S));
  const tensor_list<number const> read_only = gradients;
  if constexpr (requires { average.state; })
    detail::require_number_lists("step", names.at, read_only, parameters.tensors(), states.tensors()...,
                                 average.state.tensors());
  else
    detail::require_number_lists("step", names.at, read_only, parameters.tensors(), states.tensors()...);
  average.require(parameters.tensors());
}
/// Enqueues the sweep of a step whose report is there.
template <class Average, class F, class Rounding, class G, class P, class... S>
void finish_step(cuda& backend, F const& f, device_report const& report, Average const& average,
                 Rounding const& rounding, list_table<G> const& table, device_list<P> const& parameters,
                 device_list<S> const&... states) {
  using number = std::remove_const_t<G>;
  const device_of_stream device(backend.placed());
  const auto decided = average.enqueue(backend, report.finite());
  const list_table<number const> list{table.data,   table.cuts,  table.tensor_of, table.tensors,
                                      table.pieces, table.units, table.slots};
  launch_pieces("step: step_kernel", step_kernel<F, std::remove_const_t<decltype(decided)>, Rounding, number, P, S...>,
                list.pieces, backend.stream(), list, f, static_cast<gradient_report const*>(report.data()), decided,
                rounding, parameters.table().data, states.table().data...);
}

template <class Average, class F, class... Step, class Rounding, class G, class P, class... S>
void take_step(cuda& backend, gradient_chain<Step...> const& chain, F const& f, device_report& report,
               Average const& average, Rounding const& rounding, device_list<G> const& gradients,
               device_list<P> const& parameters, device_list<S> const&... states) {
  detail::require_one_factor_of_step(chain);
  check_step<F>(average, gradients.tensors(), parameters, states...);
  enqueue_chain("step", backend, chain, gradients, &report, false,
                detail::largest_number<accumulator_t<std::remove_const_t<G>>>());
  finish_step(backend, f, report, average, rounding, gradients.table(), parameters, states...);
}

/// Splits off the average.
template <class Step, class F, class Rounding, class G, class P, class... More>
void step_and_round(cuda& backend, Step const& chain, F const& update, device_report& report, Rounding const& rounding,
                    device_list<G> const& gradients, device_list<P> const& parameters, More const&... more) {
  detail::split_average(
      [&]<class... State>(auto const& last, State const&... states) {
        static_assert(
            (detail::is_state_list<State> && ...),
            "step: after the parameters come lists of states, and at last hone::averaged_in(average, state) or "
            "nothing");
        take_step(backend, detail::as_chain(chain), update, report, average_of(last), rounding, gradients, parameters,
                  states...);
      },
      more...);
}

}  // namespace on_cuda

/// Enqueues hone::step, as documented for the CPU: two kernels for any lists, and one more for an average, whose
/// state is a hone::device_ema_state. The report stays on the device: if the gradients are not finite, the device skips
/// the step and does not count it, and the host never waits. The update is copied to the device; a captured graph keeps
/// that of its capture, so let it hold pointers to numbers that change, such as the data() of a hone::device_schedule.
///
///     hone::step(gpu, clip, sgd, report, gradients, parameters, momenta, hone::averaged_in(average, shadow));
template <class Step, class F, class G, class P, class... More>
void step(cuda& backend, Step const& chain, F const& update, device_report& report, device_list<G> const& gradients,
          device_list<P> const& parameters, More const&... more) {
  on_cuda::step_and_round(backend, chain, update, report, on_cuda::nearest_rounding(), gradients, parameters, more...);
}
/// The same with parameters of 16 bits that are rounded stochastically, a hone::device_list or device_sharded_list. The
/// rounding is a hone::stochastic_rounding, or a hone::device_stochastic_rounding in a captured graph.
template <class Step, class F, class G, class Rounding, class List, class... More>
void step(cuda& backend, Step const& chain, F const& update, device_report& report, device_list<G> const& gradients,
          rounded_list<Rounding, List> const& parameters, More const&... more) {
  auto const& list = on_cuda::flat_list(*parameters.parameters);
  using P = std::remove_reference_t<decltype(*list.tensors()[0].data)>;
  detail::require_rounded_parameters<P>();
  on_cuda::step_and_round(backend, chain, update, report,
                          on_cuda::rounding_of<P>("step", parameters.rounding, *parameters.parameters), gradients, list,
                          more...);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
