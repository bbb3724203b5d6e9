// SPDX-License-Identifier: MIT
/// A whole step of training over ranks, on the CPU.
#pragma once

#include <hone/cpu/distributed/refresh.hpp>
#include <hone/cpu/distributed/transform.hpp>
#include <hone/cpu/tensors/step.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// What a step over ranks takes as parameters. Tensors of a tensor_list are the parts that the gradients are.
template <class Parameters>
inline constexpr bool are_step_parameters = false;
template <class P>
inline constexpr bool are_step_parameters<tensor_list<P>> = true;
template <class P>
inline constexpr bool are_step_parameters<rounded_list<stochastic_rounding, tensor_list<P>>> = true;
template <class P>
inline constexpr bool are_step_parameters<rounded_list<stochastic_rounding, sharded_list<P>>> = true;

template <class P>
tensor_list<P> const& parameters_of(tensor_list<P> const& list) {
  // NOLINTNEXTLINE(bugprone-return-const-ref-from-parameter): the list is the caller's, and outlives the call
  return list;
}
template <class List>
auto const& parameters_of(rounded_list<stochastic_rounding, List> const& rounded) {
  return detail::tensors_of(*rounded.parameters);
}
template <class T>
whole_tensors parts_of(tensor_list<T> const&, const char*) {
  return {};
}
template <class T>
sharded_tensors<T> parts_of(sharded_list<T> const& list, const char* name) {
  return {list, name};
}
template <class P, class Gradients>
nearest_store store_of(tensor_list<P> const&, Gradients const&) {
  return {};
}
template <class P, class Gradients>
auto store_of(rounded_list<stochastic_rounding, tensor_list<P>> const& rounded, Gradients const& gradients) {
  return stochastic_store{rounded.rounding, parts_of(gradients, "gradients")};
}
template <class P, class Gradients>
auto store_of(rounded_list<stochastic_rounding, sharded_list<P>> const& rounded, Gradients const&) {
  return stochastic_store{rounded.rounding, parts_of(*rounded.parameters, "parameters")};
}

template <class Average, class F, class... Step, communicator C, class List, class Store, class P, class... S>
gradient_report take_step_over_ranks(cpu const& backend, gradient_chain<Step...> const& chain, F const& f,
                                     Average average, List const& gradients, C const& ranks, step_sums* sums,
                                     Store const& store, tensor_list<P> const& parameters,
                                     tensor_list<S> const&... states) {
  detail::require_one_factor_of_step(chain);
  using G = std::remove_cvref_t<decltype(*gradients[0].data)>;
  const tensor_list<G const> read_only = detail::tensors_of(gradients);
  const auto prepare = [&] {
    prepare_step<Average, F>(average, store, read_only, parameters, states...);
    return store.checksum();
  };
  const gradient_report report = transform_numbers<false>("step", backend, chain, ranks, sums, prepare,
                                                          detail::largest_number<accumulator_t<G>>(), gradients);
  if (report.finite) finish_step(backend, f, report.factor, average, store, read_only, parameters, states...);
  return report;
}

/// Splits off the average.
template <class Step, class F, class List, communicator C, class Parameters, class... More>
gradient_report step_over_ranks(cpu const& backend, Step const& chain, F const& update, List const& gradients,
                                C const& ranks, step_sums* sums, Parameters const& parameters, More const&... more) {
  static_assert(detail::is_gradient_list<List>,
                "step: the gradients must be one list: a hone::sharded_list or hone::tensor_list");
  return detail::split_average(
      [&]<class... State>(auto const& last, State const&... states) {
        static_assert((detail::is_state_list<State> && ...),
                      "step: after the parameters come lists of states, and at last hone::averaged_in(average, state) "
                      "or nothing");
        return take_step_over_ranks(backend, detail::as_chain(chain), update, average_of(last), gradients, ranks, sums,
                                    store_of(parameters, gradients), parameters_of(parameters), states...);
      },
      more...);
}

}  // namespace on_cpu

/// Takes a whole step of training of a model that lies on several ranks: hone::step with the report of the whole model.
/// All ranks call it. Lists of parameters and states have the tensors of the gradients' list; where that names a tied
/// tensor, theirs is empty. If a gradient is not finite on one rank, no rank writes anything, and no average counts.
///
///     hone::step(cpu, hone::clip_by_global_norm(1), sgd{0.1, 0.9}, gradients, ranks, parameters, momenta);
///
/// gradients  a hone::sharded_list or tensor_list, see transform over ranks, as are the bits
/// sums       of the trainer, summed over ranks in the same message; may be left out
/// parameters a tensor_list; or hone::rounded_by(rounding, list), for stochastic rounding with the bits of the whole
///            model, of a sharded_list, or of a tensor_list whose tensors are cut as the gradients are. The list of
///            every rank then has all tensors of the model in one order, and seed and step are the same on all
/// Throws what hone::step and transform over ranks throw. If one rank throws, all do, and nothing has been written.
template <class Step, class F, detail::gradient_lists List, communicator C, class Parameters, class... More>
  requires on_cpu::are_step_parameters<Parameters>
gradient_report step(cpu const& backend, Step const& chain, F const& update, List const& gradients, C const& ranks,
                     Parameters const& parameters, More const&... more) {
  return on_cpu::step_over_ranks(backend, chain, update, gradients, ranks, nullptr, parameters, more...);
}
template <class Step, class F, detail::gradient_lists List, communicator C, class Parameters, class... More>
  requires on_cpu::are_step_parameters<Parameters>
gradient_report step(cpu const& backend, Step const& chain, F const& update, List const& gradients, C const& ranks,
                     step_sums& sums, Parameters const& parameters, More const&... more) {
  return on_cpu::step_over_ranks(backend, chain, update, gradients, ranks, &sums, parameters, more...);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
