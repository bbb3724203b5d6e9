// SPDX-License-Identifier: MIT
/// A whole step of training over ranks, on CUDA.
#pragma once

#include <hone/cuda/distributed/transform.cuh>
#include <hone/cuda/tensors/step.cuh>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cuda {

/// What a step over ranks takes as parameters.
template <class Parameters>
inline constexpr bool are_step_parameters = false;
template <class P>
inline constexpr bool are_step_parameters<device_list<P>> = true;
template <class Rounding, class List>
inline constexpr bool are_step_parameters<rounded_list<Rounding, List>> = true;

template <class P>
device_list<P> const& parameters_of(device_list<P> const& list) noexcept {
  // NOLINTNEXTLINE(bugprone-return-const-ref-from-parameter): the list is the caller's, and outlives the call
  return list;
}
template <class Rounding, class List>
auto const& parameters_of(rounded_list<Rounding, List> const& rounded) noexcept {
  return flat_list(*rounded.parameters);
}
template <class P>
nearest_rounding rounding_of_step(device_list<P> const&) noexcept {
  return {};
}
template <class Rounding, class List>
auto rounding_of_step(rounded_list<Rounding, List> const& rounded) {
  using P = std::remove_reference_t<decltype(*parameters_of(rounded).tensors()[0].data)>;
  detail::require_rounded_parameters<P>();
  return rounding_of<P>("step", rounded.rounding, *rounded.parameters);
}

template <class Average, class F, class... Step, class List, class C, class Parameters, class... S>
void take_step_over_ranks(cuda& backend, gradient_chain<Step...> const& chain, F const& f, device_report& report,
                          Average const& average, List const& gradients, C const& ranks, device_step_sums* sums,
                          Parameters const& parameters, device_list<S> const&... states) {
  detail::require_one_factor_of_step(chain);
  using G = std::remove_cvref_t<decltype(*gradients.tensors()[0].data)>;
  auto const& list = parameters_of(parameters);
  enqueue_over_ranks("step", backend, chain, gradients, ranks, &report, sums, false,
                     detail::largest_number<accumulator_t<G>>(), [&] {
                       static_cast<void>(rounding_of_step(parameters));  // throws
                       check_step<F>(average, gradients.tensors(), list, states...);
                     });
  finish_step(backend, f, report, average, rounding_of_step(parameters), table_over(gradients, 0).flat, list,
              states...);
}

/// Splits off the average.
template <class Step, class F, class List, class C, class Parameters, class... More>
void step_over_ranks(cuda& backend, Step const& chain, F const& update, device_report& report, List const& gradients,
                     C const& ranks, device_step_sums* sums, Parameters const& parameters, More const&... more) {
  detail::split_average(
      [&]<class... State>(auto const& last, State const&... states) {
        static_assert((detail::is_state_list<State> && ...),
                      "step: after the parameters come lists of states, and at last hone::averaged_in(average, state) "
                      "or nothing");
        take_step_over_ranks(backend, detail::as_chain(chain), update, report, average_of(last), gradients, ranks, sums,
                             parameters, states...);
      },
      more...);
}

}  // namespace on_cuda

/// Enqueues hone::step over ranks, as documented for the CPU: by the norm of the whole model, with one message per
/// call. `gradients` is a hone::device_sharded_list, or a hone::device_list that is the same on every rank; parameters
/// and states are a hone::device_list each, with the same tensors, empty where a tensor is tied; for stochastic
/// rounding with the bits of the whole model, parameters are hone::rounded_by of a rounding and a
/// hone::device_sharded_list, or of a hone::device_list that is the same on every rank. The report, and `sums` if
/// given, are those of all ranks. If a gradient is not finite on one rank, or a rank fails in this call, no other rank
/// writes anything and no average counts. The host never waits.
///
///     hone::step(gpu, clip, sgd, report, gradients, ranks, parameters, momenta, hone::averaged_in(average, shadow));
template <class Step, class F, class List, device_communicator C, class Parameters, class... More>
  requires(requires(List const& list) { on_cuda::table_over(list, 0); } && on_cuda::are_step_parameters<Parameters>)
void step(cuda& backend, Step const& chain, F const& update, device_report& report, List const& gradients,
          C const& ranks, Parameters const& parameters, More const&... more) {
  on_cuda::step_over_ranks(backend, chain, update, report, gradients, ranks, nullptr, parameters, more...);
}
template <class Step, class F, class List, device_communicator C, class Parameters, class... More>
  requires(requires(List const& list) { on_cuda::table_over(list, 0); } && on_cuda::are_step_parameters<Parameters>)
void step(cuda& backend, Step const& chain, F const& update, device_report& report, List const& gradients,
          C const& ranks, device_step_sums& sums, Parameters const& parameters, More const&... more) {
  on_cuda::step_over_ranks(backend, chain, update, report, gradients, ranks, &sums, parameters, more...);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
