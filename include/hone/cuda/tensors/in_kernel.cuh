// SPDX-License-Identifier: MIT
/// hone's part of a step for an optimiser's kernel of the caller's: the factor of the gradients, the average, the
/// narrow copy of the parameters. They are plain values, passed to the kernel, and read device memory there.
#pragma once

#include <hone/cuda/tensors/device_report.cuh>
#include <hone/cuda/tensors/factor_of_report.cuh>
#include <hone/cuda/tensors/list_piece.cuh>
#include <hone/cuda/tensors/round_numbers.cuh>
#include <hone/cuda/tensors/update.cuh>

#include <concepts>
#include <cstdint>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cuda {

/// Reads what an earlier kernel of the stream wrote and no thread writes now, so that the compiler may keep it.
__device__ inline bool read_constant(bool const* from) {
  return __ldg(reinterpret_cast<unsigned char const*>(from)) != 0;
}
template <class T>
__device__ T read_constant(T const* from) {
  return __ldg(from);
}

}  // namespace on_cuda

/// A step's report as a thread of a caller's kernel has read it: of kernel_report.
class kernel_step {
 public:
  __device__ kernel_step(double factor, bool finite) : wide_(factor), single_(factor), finite_(finite) {}

  /// Returns whether the gradients are not finite: then the kernel should change nothing.
  __device__ bool skipped() const { return !finite_; }
  /// Returns the coefficient of clip_by_global_norm / scale.
  __device__ double factor() const { return wide_.factor; }
  /// Returns a gradient times the factor: in double for double, else in float. The product is rounded, and computed in
  /// double before if the factor is out of the range of float, as in hone::step.
  template <element G>
  __device__ accumulator_t<G> gradient(G raw) const {
    if constexpr (sizeof(G) == 8)
      return wide_(raw);
    else
      return single_(static_cast<float>(raw));
  }

 private:
  on_cuda::factor_of_report<double> wide_;
  on_cuda::factor_of_report<float> single_;
  bool finite_;
};

/// The report of a step for a kernel of the caller's, which follows measure or settle on the stream:
/// hone::step_in_kernel(report).
class kernel_report {
 public:
  explicit kernel_report(device_report const& report) noexcept : report_(report.data()) {}

  /// Reads two numbers that all threads share: call it once, before all loops.
  ///
  ///     const auto step = report.read();
  ///     if (step.skipped()) return;
  ///     const float g = step.gradient(raw[i]);
  __device__ kernel_step read() const {
    return {on_cuda::read_constant(&report_->factor), on_cuda::read_constant(&report_->finite)};
  }

 private:
  gradient_report const* report_;
};

/// The average of one tensor in a kernel of the caller's; of kernel_averages.
template <class T>
class kernel_average {
 public:
  __device__ kernel_average(T* shadow, on_cuda::average_job::task<T> const& task) : shadow_(shadow), task_(task) {}

  /// Updates number i of the average by the parameter, as it is stored. Each i by one thread, once.
  template <element P>
  __device__ void update(index i, P parameter) const {
    if (task_.idle) return;
    shadow_[i] = averaged(task_.reads ? shadow_[i] : T(0), parameter);
  }
  /// Returns the average after the update, for a kernel that moves the numbers of data() itself, such as 16 bytes at a
  /// time.
  template <element P>
  __device__ T averaged(T average, P parameter) const {
    static_assert(sizeof(P) <= sizeof(T), "kernel_average: a shadow is not narrower than its parameters");
    if (!task_.idle) task_(average, static_cast<T>(static_cast<accumulator_t<P>>(parameter)));
    return average;
  }
  __device__ T* data() const { return shadow_; }

 private:
  T* shadow_;
  on_cuda::average_job::task<T> task_;
};

/// The averages of all tensors of a state, for one update in a kernel of the caller's: hone::update_in_kernel.
template <class T>
class kernel_averages {
 public:
  kernel_averages(T* const* shadows, on_cuda::decided_update const* decided, unsigned char const* copied) noexcept
      : shadows_(shadows), decided_(decided), copied_(copied) {}

  /// Returns that of a tensor, by its number in the state. Reads 5 numbers that all threads share: call it before the
  /// loop over the tensor's numbers.
  __device__ kernel_average<T> of(int tensor) const {
    using on_cuda::read_constant;
    const on_cuda::decided_update now{read_constant(&decided_->weight), read_constant(&decided_->clear),
                                      read_constant(&decided_->skipped)};
    return {on_cuda::in_global(shadows_[tensor]),
            on_cuda::average_job::of<T>(now, read_constant(copied_ + tensor) != 0)};
  }

 private:
  T* const* shadows_;
  on_cuda::decided_update const* decided_;
  unsigned char const* copied_;
};

/// The narrow copy of one tensor in a kernel of the caller's; of kernel_copies.
template <class P>
class kernel_copy {
 public:
  __device__ explicit kernel_copy(P* copy) : copy_(copy) {}

  /// Rounds a parameter to the nearest number of P, writes number i of the copy, and returns it.
  template <std::floating_point A>
  __device__ P refresh(index i, A parameter) const {
    return copy_[i] = rounded(i, parameter);
  }
  /// Returns the number alone, for a kernel that writes data() itself.
  template <std::floating_point A>
  __device__ P rounded(index, A parameter) const {
    return detail::narrowed<P>(parameter);
  }
  __device__ P* data() const { return copy_; }

 private:
  P* copy_;
};
/// The same by stochastic rounding, for which number i is the i-th of the tensor, or of this rank's part of it.
template <class P>
class kernel_rounded_copy {
 public:
  __device__ kernel_rounded_copy(P* copy, on_cuda::tensor_rounding<P> const& rounding)
      : copy_(copy), rounding_(rounding) {}

  template <std::floating_point A>
  __device__ P refresh(index i, A parameter) const {
    return copy_[i] = rounded(i, parameter);
  }
  template <std::floating_point A>
  __device__ P rounded(index i, A parameter) const {
    static_assert(sizeof(A) > sizeof(P), "kernel_rounded_copy: the parameters are wider than their copies");
    std::uint32_t random[1] = {};
    rounding_.words_of(i, 1, random);
    return rounding_(parameter, random[0]);
  }
  __device__ P* data() const { return copy_; }

 private:
  P* copy_;
  on_cuda::tensor_rounding<P> rounding_;
};

/// The narrow copies of all parameters in a kernel of the caller's: hone::refresh_in_kernel(copies).
template <class P>
class kernel_copies {
 public:
  explicit kernel_copies(device_list<P> const& copies) noexcept : copies_(copies.table().data) {}

  /// Returns that of a tensor, by its number in the list.
  __device__ kernel_copy<P> of(int tensor) const { return kernel_copy<P>(on_cuda::in_global(copies_[tensor])); }

 private:
  P* const* copies_;
};
/// The same by stochastic rounding: hone::refresh_in_kernel(hone::rounded_by(rounding, copies)).
template <class P>
class kernel_rounded_copies {
 public:
  kernel_rounded_copies(device_list<P> const& copies, on_cuda::list_rounding<P> const& rounding) noexcept
      : copies_(copies.table().data), rounding_(rounding) {}

  /// Returns that of a tensor. Computes the key of its random bits: call it before the loop over the tensor's numbers.
  __device__ kernel_rounded_copy<P> of(int tensor) const {
    return {on_cuda::in_global(copies_[tensor]), rounding_.of(tensor)};
  }

 private:
  P* const* copies_;
  on_cuda::list_rounding<P> rounding_;
};

/// Returns what a kernel of the caller's needs to know of a step's report, which must live as long as the kernel runs.
///
///     hone::measure(gpu, clip, gradients, report);
///     adamw_kernel<<<…, stream>>>(hone::step_in_kernel(report), …);
inline kernel_report step_in_kernel(device_report const& report) noexcept { return kernel_report(report); }

/// Enqueues and counts one update of an average, as hone::update does, but leaves the sweep to the caller's kernel,
/// which is launched next on the stream and calls update(i, parameter) for every number of the state once. The launch
/// here is one thread, which computes the weight. `finite`, such as report.finite(), is as of hone::update: if it holds
/// false, nothing counts and update() writes nothing.
///
///     const auto averages = hone::update_in_kernel(gpu, hone::ema{.decay = 0.999}, shadow, report.finite());
///
/// Throws hone::invalid_argument if the state is swapped, or if the policy's first weight is not in [0, 1].
template <class Average, class T>
kernel_averages<T> update_in_kernel(cuda& backend, Average const& average, device_ema_state<T>& state,
                                    bool const* finite = nullptr) {
  static_assert(averaging<Average>,
                "update_in_kernel: the average is hone::ema, hone::swa or has average_step at(integer) const");
  state.require_averages("update_in_kernel");
  static_cast<void>(detail::next_update(average, detail::average_progress{}, state.from_zero()));  // throws
  const on_cuda::device_of_stream device(backend.placed());
  on_cuda::enqueue_decision(backend, average, state, finite);
  return {state.list().table().data, state.decided(), state.copied()};
}

namespace detail {

template <class P>
void require_copies(tensor_list<P> const& copies) {
  static_assert(!std::is_const_v<P>, "refresh_in_kernel: the copies are written, their type is const");
  static_assert(
      element<std::remove_const_t<P>> && sizeof(P) < 8,
      "refresh_in_kernel: the copies are float or a 16-bit floating-point type, narrower than the parameters");
  require_apart("refresh_in_kernel", "the copies", copies);
}

}  // namespace detail

/// Returns what a kernel of the caller's needs to refresh narrow copies of its parameters, as hone::refresh does: to
/// the nearest number or, with hone::rounded_by, stochastically and with its bits. The copies are a hone::device_list,
/// for stochastic rounding also a hone::device_sharded_list; they must live as long as the kernel runs. Throws
/// hone::invalid_argument if two tensors share memory or first_tensor is out of range.
template <class P>
kernel_copies<P> refresh_in_kernel(device_list<P> const& copies) {
  detail::require_copies(copies.tensors());
  return kernel_copies<P>(copies);
}
template <class Rounding, class List>
auto refresh_in_kernel(rounded_list<Rounding, List> const& copies) {
  auto const& list = on_cuda::flat_list(*copies.parameters);
  using P = std::remove_reference_t<decltype(*list.tensors()[0].data)>;
  detail::require_copies(list.tensors());
  return kernel_rounded_copies<P>(list,
                                  on_cuda::rounding_of<P>("refresh_in_kernel", copies.rounding, *copies.parameters));
}

static_assert(std::is_trivially_copyable_v<kernel_report> && std::is_trivially_copyable_v<kernel_averages<float>> &&
              std::is_trivially_copyable_v<kernel_copies<float>> &&
              std::is_trivially_copyable_v<kernel_rounded_copies<float>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
