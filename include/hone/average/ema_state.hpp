// SPDX-License-Identifier: MIT
/// The state of an average: a shadow of every parameter, and the number of updates.
#pragma once

#include <hone/average/averaging.hpp>
#include <hone/average/state_stream.hpp>
#include <hone/core/name_pattern.hpp>
#include <hone/core/owned_tensors.hpp>
#include <hone/core/tensor_overlap.hpp>

#include <algorithm>
#include <concepts>
#include <initializer_list>
#include <iosfwd>
#include <string_view>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// How a state begins. If it begins at zero, readers must divide by counted(), as hone::copy does.
struct ema_start {
  bool from_zero = false;  ///< zeros instead of a copy of the parameters
  integer steps = 0;       ///< updates already made, if another program averaged the numbers
};

namespace detail {

/// The progress of an average.
struct average_progress {
  index steps = 0;   // number of updates, without skipped ones
  double start = 0;  // the weight of the initial zeros

  HONE_HD double counted() const noexcept { return start < 0x1p-54 ? 1 : 1 - start; }  // -ffast-math folds 1 - x == 1
};

/// The effect of one update on every averaged tensor.
struct update_plan {
  double weight;           // 1 copies, 0 leaves
  bool clear;              // the shadow counts as zero
  average_progress after;  // the progress after the update
};
template <class Average>
HONE_HD update_plan next_update(Average const& average, average_progress const& now, bool from_zero) {
  const auto [weight, anew] = average.at(now.steps + 1);
  require(weight >= 0 && weight <= 1, "update", "the weight of the average", weight, "in [0, 1]");
  if (anew && !from_zero) return {1, false, {now.steps + 1, 0}};
  return {weight, anew, {now.steps + 1, (anew ? 1 : now.start) * (1 - weight)}};
}

}  // namespace detail

/// The shadow of a model, for every averaging policy: float or double, even if the parameters are narrower. The state
/// owns its numbers; a copy is independent of it.
///
///     hone::ema_state<float> shadow(parameters);
///     hone::update(cpu, average, shadow, parameters);
///
/// Without a type, as in hone::ema_state shadow(parameters), T is double for double and float for all others.
template <class T, class Memory = host_memory>
class ema_state {
  static_assert(std::same_as<T, float> || std::same_as<T, double>,
                "ema_state: a shadow is float or double: narrower numbers stand still where the decay is near 1");

 public:
  /// Copies the parameters, or starts at zero. Throws hone::invalid_argument if a tensor or `start` is not valid.
  template <class U>
  explicit ema_state(tensor_list<U> const& parameters, ema_start start = {}, Memory memory = {})
      : tensors_(checked(parameters, start), memory),
        progress_(memory, {start.steps, start.from_zero ? 1.0 : 0.0}),
        copied_(parameters.size(), false),
        from_zero_(start.from_zero) {
    static_assert(sizeof(U) <= sizeof(T), "ema_state: a shadow is not narrower than its parameters");
    if (from_zero_)
      tensors_.clear();
    else
      tensors_.assign(parameters);
  }

  /// Returns the number of updates, without skipped ones.
  index steps() const { return progress_.get().steps; }
  /// Returns the averages, tensor by tensor, each aligned to 64 bytes. They do not move during the life of the state.
  tensor_list<T> const& tensors() const noexcept { return tensors_.list(); }
  /// Returns the total weight of the averaged parameters, 1 - Π d over all decays: 1 unless the state began at zero.
  double counted() const { return progress_.get().counted(); }
  bool from_zero() const noexcept { return from_zero_; }

  /// Makes later updates copy this tensor, such as a buffer. Throws hone::invalid_argument if there is no such tensor.
  void copy_only(integer tensor) {
    if (!(tensor >= 0 && static_cast<std::size_t>(tensor.value) < copied_.size()))
      detail::fail("copy_only: tensor is %jd, the state has %zu tensors", std::intmax_t(tensor.value), copied_.size());
    copied_[static_cast<std::size_t>(tensor.value)] = true;
  }
  /// The same for all tensors whose names match a pattern, such as counters, running statistics and the vectors of a
  /// spectral norm; returns their number. names[i] is the name of tensor i. See hone::matches. Throws
  /// hone::invalid_argument, and changes nothing, if the numbers of names and tensors differ or a pattern matches no
  /// name.
  ///
  ///     shadow.copy_only(names, {"*.running_mean", "*.running_var", "*.weight_u", "*.weight_v"});
  template <class Names, class Patterns = std::initializer_list<std::string_view>>
  index copy_only(Names const& names, Patterns const& patterns) {
    const std::vector<bool> chosen = detail::matching("copy_only", names, copied_.size(), patterns);
    for (std::size_t i = 0; i < chosen.size(); ++i)
      if (chosen[i]) copied_[i] = true;
    return static_cast<index>(std::count(chosen.begin(), chosen.end(), true));
  }
  bool copies(std::size_t tensor) const noexcept { return copied_[tensor]; }

  /// Returns whether hone::swap has exchanged the averages and the parameters of the model.
  bool swapped() const noexcept { return swapped_; }
  /// Throws hone::invalid_argument if the state is swapped. `function` is the name used in the message.
  void require_averages(const char* function) const {
    if (swapped_) detail::fail("%s: the state holds the parameters, swap them back first", function);
  }

  /// Writes the format of average/state_stream.hpp to a std::ostream. Throws hone::io_error if the stream fails.
  template <class Traits>
  void save(std::basic_ostream<char, Traits>& stream) const {
    write_to("save", [&](void const* data, std::size_t size) {
      stream.write(static_cast<char const*>(data), static_cast<std::ptrdiff_t>(size));
    });
    if (!stream.flush()) detail::raise(io_error("save: the stream did not take the state"));
  }
  /// Reads a state of the same sizes from a std::istream, and leaves it at the byte after the state. Throws
  /// hone::invalid_argument and changes nothing if the stream holds another state, ends early, is damaged or holds
  /// impossible values, or if this state is swapped.
  template <class Traits>
  void load(std::basic_istream<char, Traits>& stream) {
    read_from("load", [&](void* data, std::size_t size) {
      stream.read(static_cast<char*>(data), static_cast<std::ptrdiff_t>(size));
      return static_cast<std::size_t>(stream.gcount());
    });
  }

  /// The same with sink(data, size), and with source(data, size), which returns the number of bytes read. `to_its_end`
  /// requires that the source ends after the state.
  template <class Sink>
  void write_to(const char* where, Sink sink) const {
    require_averages(where);
    detail::checked_sink<Sink> out(sink);
    out(detail::saved_header(header()));
    for (std::size_t i = 0; i < copied_.size(); ++i) {
      const detail::tensor_record r = record(i);
      out(&r, sizeof r, sizeof r.rows);
    }
    const auto numbers = [&](void const* data, std::size_t size) { out(data, size, sizeof(T)); };
    tensors_.read(numbers);
    out.finish();
  }
  template <class Source>
  void read_from(const char* where, Source source, bool to_its_end = false) {
    require_averages(where);
    detail::checked_source<Source> in(source, where);
    const detail::state_header h = in.header();
    detail::require_header(where, h, header());
    for (std::size_t i = 0; i < copied_.size(); ++i) {
      detail::tensor_record r{};
      in(&r, sizeof r, sizeof r.rows);
      detail::require_record(where, i, r, record(i));
    }
    const std::size_t bytes = tensors_.bytes();  // our own size: a damaged header must not determine an allocation
    std::vector<std::byte> all(bytes);
    in(all.data(), bytes, sizeof(T));
    in.finish();
    detail::require_progress(where, h);
    if (to_its_end) in.require_end();
    tensors_.write(all.data());
    progress_.set({h.steps, h.start});
  }

  /// For backends: access to the progress, and the notice that an exchange is done.
  typename Memory::template cell<detail::average_progress>& progress() noexcept { return progress_; }
  typename Memory::template cell<detail::average_progress> const& progress() const noexcept { return progress_; }
  void exchanged() noexcept { swapped_ = !swapped_; }

 private:
  template <class U>
  static tensor_list<U> checked(tensor_list<U> const& parameters, ema_start start) {
    static_assert(element<std::remove_const_t<U>>,
                  "ema_state: the parameters are floating-point numbers; hone::copy takes integers along");
    detail::require_tensors("ema_state", "parameters", parameters);
    detail::require(start.steps >= 0, "ema_state", "steps", start.steps.value, "at least 0");
    detail::require(start.steps <= detail::max_updates, "ema_state", "steps", start.steps.value, "at most 2^62");
    detail::require(!start.from_zero || start.steps == 0, "ema_state", "steps", start.steps.value,
                    "0 where the state begins at zero");
    return parameters;
  }
  detail::state_header header() const {
    detail::state_header h;
    h.number_bytes = sizeof(T), h.from_zero = from_zero_, h.tensors = copied_.size();
    const detail::average_progress now = progress_.get();
    h.steps = now.steps, h.start = now.start;
    return h;
  }
  detail::tensor_record record(std::size_t i) const noexcept {
    return {tensors()[i].rows, tensors()[i].columns, copied_[i]};
  }

  detail::owned_tensors<T, Memory> tensors_;
  typename Memory::template cell<detail::average_progress> progress_;
  std::vector<bool> copied_;
  bool from_zero_, swapped_ = false;
};

template <class U>
ema_state(tensor_list<U> const& parameters, ema_start start = {}) -> ema_state<accumulator_t<U>>;

namespace detail {

/// Requires tensors of the sizes of the state that do not overlap its memory.
template <class State, class P>
void require_like_state(const char* function, const char* name, State const& state, tensor_list<P> const& tensors) {
  require_tensors(function, name, tensors);
  require_sizes_like(function, name, tensors, "the state", state.tensors());
  require_outside(function, name, tensors, "the state", state.tensors());
}

/// Checks the arguments of update for all backends.
template <class Average, class T, class Memory, class P>
void require_update(ema_state<T, Memory> const& state, tensor_list<P> const& parameters) {
  static_assert(averaging<Average>,
                "update: the average is hone::ema, hone::swa or has average_step at(integer) const");
  static_assert(element<std::remove_const_t<P>>,
                "update: parameters are float, double, or a 16-bit floating-point type");
  static_assert(sizeof(P) <= sizeof(T), "update: a shadow is not narrower than its parameters");
  require_like_state("update", "parameters", state, parameters);
  state.require_averages("update");
}
template <class From, class To>
void require_copy(tensor_list<From> const& from, tensor_list<To> const& to) {
  static_assert(std::is_same_v<std::remove_const_t<From>, To> || (element<std::remove_const_t<From>> && element<To>),
                "copy: the tensors hold numbers of the same type, or both floating-point numbers");
  require_tensors("copy", "from", from);
  require_tensors("copy", "to", to);
  require_sizes_like("copy", "from", from, "to", to);
  tensor_places("copy", "to", to).require_apart("from", from, true);
}
template <class T, class Memory, class P>
void require_swap(ema_state<T, Memory> const& state, tensor_list<P> const& parameters) {
  static_assert(std::is_same_v<T, P>,
                "swap: the parameters have the type of the state; hone::copy reads averages into another type");
  require_like_state("swap", "parameters", state, parameters);
  require_apart("swap", "parameters", parameters);
}

}  // namespace detail

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
