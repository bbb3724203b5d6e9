// SPDX-License-Identifier: MIT
/// The verbs of gradients and averages for hone.hpp here: lists are copied to the device, and back when a call is done.
#pragma once

#include <sstream>
#include <tuple>

namespace hone {

namespace acceptance {

/// Copies of a list's tensors on the device.
template <class T>
class device_copies {
 public:
  explicit device_copies(tensor_list<T> const& host) : host_(host) {
    for (tensor<T> t : host) {
      t.data = memory_.of(const_cast<std::remove_const_t<T> const*>(t.data), t.size);
      list_.push_back(t);
    }
  }
  tensor_list<T> const& list() const { return list_; }
  void copy_back() const {
    on_cuda::check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    for (std::size_t i = 0; i < host_.size(); ++i) copies::copy(host_[i].data, list_[i].data, host_[i].size);
  }

 private:
  copies memory_;
  tensor_list<T> host_, list_;
};

/// body(backend, steps that view copies…) for steps that view host memory.
template <class Body>
gradient_report on_device(Body const& body) {
  cuda gpu(nullptr);
  device_report report(gpu);
  body(gpu, report);
  return report.host();
}
template <class Body, class First, class... Rest>
gradient_report on_device(Body const& body, First const& first, Rest const&... rest) {
  const auto with = [&](auto const& moved) {
    return on_device(
        [&](cuda& gpu, device_report& report, auto const&... others) { body(gpu, report, moved, others...); }, rest...);
  };
  if constexpr (requires { first.parameters.size(); }) {
    auto const& parameters = first.parameters;
    const device_copies<std::remove_cvref_t<decltype(*parameters[0].data)> const> memory(parameters);
    First moved = first;
    moved.parameters = memory.list();
    return with(moved);
  } else {
    return with(first);
  }
}

/// body(state on the device), which then replaces the host's.
template <class T, class Body>
void with_state(ema_state<T>& state, Body const& body) {
  cuda gpu(nullptr);
  const device_copies<T> numbers(state.tensors());
  device_ema_state<T> moved(gpu, numbers.list(), {.from_zero = state.from_zero()});
  for (std::size_t i = 0; i < state.tensors().size(); ++i)
    if (state.copies(i)) moved.copy_only(i);
  std::stringstream bytes, answer;
  state.save(bytes);
  moved.load(bytes);
  body(gpu, moved);
  moved.save(answer);
  state.load(answer);
}

}  // namespace acceptance

template <class Step, class T>
gradient_report transform(cpu const&, Step const& step, tensor_list<T> const& gradients) {
  detail::require_tensors("transform", "gradients", gradients);
  const acceptance::device_copies<T> g(gradients);
  const gradient_report report = std::apply(
      [&](auto const&... steps) {
        return acceptance::on_device(
            [&](cuda& gpu, device_report& to, auto const&... moved) { transform(gpu, chain(moved...), g.list(), &to); },
            steps...);
      },
      detail::as_chain(step).steps);
  if constexpr (!std::is_const_v<T>) g.copy_back();
  return report;
}

template <class Step, class T>
gradient_report measure(cpu const&, Step const& step, tensor_list<T> const& gradients) {
  detail::require_tensors("measure", "gradients", gradients);
  const acceptance::device_copies<T> g(gradients);
  return acceptance::on_device(
      [&](cuda& gpu, device_report& report) { measure(gpu, step, device_list<T>(gpu, g.list()), report); });
}

template <class Average, class T, class P>
void update(cpu const&, Average const& average, ema_state<T>& state, tensor_list<P> const& parameters,
            bool finite = true) {
  detail::require_update<Average>(state, parameters);
  const acceptance::device_copies<P> p(parameters);
  acceptance::copies memory;
  const char flag = finite;
  char const* const device_flag = memory.of(&flag, 1);
  acceptance::with_state(state, [&](cuda& gpu, device_ema_state<T>& moved) {
    update(gpu, average, moved, p.list(), reinterpret_cast<bool const*>(device_flag));
  });
}

template <class From, class To>
void copy(cpu const&, tensor_list<From> const& from, tensor_list<To> const& to) {
  detail::require_copy(from, to);
  const acceptance::device_copies<From> source(from);
  const acceptance::device_copies<To> target(to);
  cuda gpu(nullptr);
  copy(gpu, source.list(), target.list());
  target.copy_back();
}
template <class T, class To>
void copy(cpu const&, ema_state<T> const& state, tensor_list<To> const& to) {
  detail::require_like_state("copy", "to", state, to);
  const acceptance::device_copies<To> target(to);
  ema_state<T> other = state;
  acceptance::with_state(other, [&](cuda& gpu, device_ema_state<T>& moved) { copy(gpu, moved, target.list()); });
  target.copy_back();
}

template <class T, class P>
void refresh(cpu const&, master_weights<T> const& masters, tensor_list<P> const& parameters) {
  detail::require_refresh(masters, parameters);
  copy(cpu(), masters.tensors(), parameters);
}

template <class T, class P>
void swap(cpu const&, ema_state<T>& state, tensor_list<P> const& parameters) {
  detail::require_swap(state, parameters);
  const acceptance::device_copies<P> p(parameters);
  const acceptance::device_copies<T> numbers(state.tensors());
  cuda gpu(nullptr);
  device_ema_state<T> moved(gpu, numbers.list());
  swap(gpu, moved, p.list());
  p.copy_back();
  for (std::size_t i = 0; i < state.tensors().size(); ++i)
    acceptance::copies::copy(state.tensors()[i].data, moved.tensors()[i].data, state.tensors()[i].size);
  state.exchanged();
}

}  // namespace hone
