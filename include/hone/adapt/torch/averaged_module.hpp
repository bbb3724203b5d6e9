// SPDX-License-Identifier: MIT
/// The average of a module: its parameters and buffers.
#pragma once

#include <hone/adapt/torch/module_tensors.hpp>
#include <hone/average/averaging.hpp>
#include <hone/average/ema.hpp>
#include <hone/average/ema_state.hpp>
#include <hone/average/state_file.hpp>
#include <hone/cpu.hpp>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::adapt {

struct averaged_options {
  std::vector<std::string> copy_only =
      {};  ///< patterns (hone::matches) of parameters and buffers that are not averaged
};

namespace detail {

/// The tensors of a module that have an average, and its other buffers.
struct averaged_parts {
  std::vector<named_tensor> averaged, others;
  std::vector<bool> constant;  ///< buffers that hold infinities or NaN, such as a mask

  explicit averaged_parts(torch::nn::Module const& module) {
    unique_tensors all;
    for (auto const& item : module.named_parameters()) all.add(item.key(), item.value());
    const std::size_t parameters = all.all.size();
    for (auto const& item : module.named_buffers())
      if (item.value().defined()) all.add(item.key(), item.value());
    for (std::size_t i = 0; i < all.all.size(); ++i) {
      at::Tensor const& t = all.all[i].tensor;
      const bool buffer = i >= parameters, first = averaged.empty();
      if (buffer && !(first ? is_floating(t.scalar_type()) : t.scalar_type() == averaged[0].tensor.scalar_type())) {
        others.push_back(std::move(all.all[i]));
      } else {
        constant.push_back(buffer && !at::isfinite(t).all().item<bool>());
        averaged.push_back(std::move(all.all[i]));
      }
    }
  }
};

class averaged_list : public module_tensors {
 public:
  explicit averaged_list(std::vector<named_tensor> tensors)
      : module_tensors("averaged_module", false, std::move(tensors)) {}
};

/// Sizes and strides.
struct tensor_layout {
  std::vector<std::int64_t> sizes, strides;

  explicit tensor_layout(at::Tensor const& t) : sizes(t.sizes().vec()), strides(t.strides().vec()) {}
  bool fits(at::Tensor const& t) const { return t.sizes() == sizes && t.strides() == strides; }
  template <class T>
  at::Tensor over(tensor<T> const& numbers) const {
    return at::from_blob(numbers.data, sizes, strides, at::TensorOptions(dtype_of<T>));
  }
};

}  // namespace detail

/// An average of the parameters and buffers of a module, by hone::ema, hone::swa or a policy of yours. The shadow is
/// float, or double for double. Running statistics are averaged too, unless `copy_only` names them; a buffer that holds
/// infinities or NaN, such as a mask, is copied. Buffers of other dtypes than the parameters, such as the counter of
/// BatchNorm, are not part of the average: the module's own are used.
///
///     hone::adapt::averaged_module average(net, hone::ema{.decay = 0.999});
///     …
///     optimizer.step(), average.update(cpu);
///     {
///       const hone::adapt::swapped evaluation(cpu, average);  // the module computes with the averages
///       test(net);
///     }
///     average.save("average.hone");
///
/// Throws hone::invalid_argument, with the name of the tensor, for what module_tensors refuses: parameters of several
/// dtypes, another device, a sparse tensor; also if two tensors share memory, or a pattern matches no name.
template <averaging Average = hone::ema>
class averaged_module {
 public:
  template <detail::any_module Module>
  explicit averaged_module(Module const& module, Average const& policy = {}, averaged_options const& options = {})
      : averaged_module(detail::averaged_parts(detail::module_of(module)), policy, options) {}

  /// Updates the average after a step of the optimiser; a step that was skipped, finite = false, does not count. Throws
  /// hone::invalid_argument if a tensor of the module has changed its size, dtype or memory format, and while the
  /// module is swapped.
  void update(cpu const& backend, bool finite = true) {
    visit("update", [&](auto& state, auto const& list) { hone::update(backend, policy_, state, list, finite); });
  }
  index steps() const {
    return std::visit([](auto const& state) { return state.steps(); }, state_);
  }

  /// Copies the averages, and the buffers that have none, to another module of the same kind.
  template <detail::any_module Module>
  void copy_to(cpu const& backend, Module const& module) {
    const detail::averaged_parts other(detail::module_of(module));
    const detail::averaged_list to(other.averaged);
    require_like(other);
    visit("copy_to",
          [&](auto& state, auto const&) { to.visit([&](auto const& list) { hone::copy(backend, state, list); }); });
    to.mark_written();
    for (std::size_t i = 0; i < others_.size(); ++i) other.others[i].tensor.copy_(others_[i].tensor);
  }

  /// Writes a hone state file, whole or not at all (hone::save_file); numbers are in the order of contiguous tensors,
  /// whatever the memory format. Integers are not in it: save the module with torch::save.
  void save(std::string const& path) const {
    require_own("save");
    std::visit([&](auto const& state) { contiguous_ ? save_file(state, path) : save_file(contiguous(state), path); },
               state_);
  }
  /// Reads it, into the average of a module of the same shapes. Throws, and changes nothing, as hone::load_file does.
  void load(std::string const& path) {
    require_own("load");
    std::visit(
        [&](auto& state) {
          if (contiguous_) return load_file(state, path);
          auto read = contiguous(state);
          load_file(read, path);
          for (std::size_t i = 0; i < layouts_.size(); ++i)
            layouts_[i].over(state.tensors()[i]).copy_(rows_of_tensor(i, read.tensors()[i]));
          state.progress().set(read.progress().get());
        },
        state_);
  }

  /// For swapped: puts the averages into the module, and takes them out again.
  void swap_in(cpu const& backend) {
    visit("swapped", [&]<class S, class T>(S& state, tensor_list<T> const& list) {
      if constexpr (sizeof(T) > 2) {
        hone::swap(backend, state, list);
      } else {
        const at::NoGradGuard plain;
        kept_.clear();
        for (std::size_t i = 0; i < tensors_.size(); ++i) kept_.push_back(tensors_.parameter(i).detach().clone());
        hone::copy(backend, state, list);
      }
    });
    swapped_ = true;
    tensors_.mark_written();
  }
  void swap_out(cpu const& backend) {
    if (!swapped_) return;
    swapped_ = false;
    const auto back = [&]<class S, class T>(S& state, tensor_list<T> const& list) {
      if constexpr (sizeof(T) > 2) {
        hone::swap(backend, state, list);
      } else {
        const at::NoGradGuard plain;
        for (std::size_t i = 0; i < tensors_.size(); ++i) tensors_.parameter(i).detach().copy_(kept_[i]);
        kept_.clear();
      }
    };
    visit("swapped", back);
    tensors_.mark_written();
  }

 private:
  averaged_module(detail::averaged_parts parts, Average const& policy, averaged_options const& options)
      : policy_(policy), tensors_(std::move(parts.averaged)), others_(std::move(parts.others)) {
    tensors_.visit([&]<class T>(tensor_list<T> const& list) {
      hone::detail::require_apart("averaged_module", "the module", list);
      state_.template emplace<ema_state<accumulator_t<T>>>(list);
    });
    std::vector<std::string> names;
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      names.push_back(tensors_.name(i));
      layouts_.emplace_back(tensors_.parameter(i));
      contiguous_ = contiguous_ && tensors_.parameter(i).is_contiguous();
    }
    std::visit(
        [&](auto& state) {
          for (std::size_t i = 0; i < names.size(); ++i)
            if (parts.constant[i]) state.copy_only(i);
          state.copy_only(names, options.copy_only);
        },
        state_);
  }

  /// Calls f(state, list of the module's tensors).
  template <class F>
  void visit(const char* function, F const& f) {
    require_own(function);
    for (std::size_t i = 0; i < layouts_.size(); ++i)
      if (!layouts_[i].fits(tensors_.parameter(i)))
        hone::detail::fail("%s: %s is %s, it had another size or memory format when the average began", function,
                           tensors_.name(i).c_str(), detail::layout_of(tensors_.parameter(i)).c_str());
    tensors_.visit([&]<class T>(tensor_list<T> const& list) {
      auto* const state = std::get_if<ema_state<accumulator_t<T>>>(&state_);
      if (!state)
        hone::detail::fail("%s: the module is %s, it had another dtype when the average began", function,
                           toString(detail::dtype_of<T>));
      f(*state, list);
    });
  }
  void require_own(const char* function) const {
    if (swapped_)
      hone::detail::fail("%s: the module computes with the averages: end the hone::adapt::swapped first", function);
  }
  void require_like(detail::averaged_parts const& other) const {
    if (other.averaged.size() != tensors_.size() || other.others.size() != others_.size())
      hone::detail::fail("copy_to: the module has %zu tensors and %zu other buffers, the average has %zu and %zu",
                         other.averaged.size(), other.others.size(), tensors_.size(), others_.size());
    for (std::size_t i = 0; i < tensors_.size(); ++i)
      if (!layouts_[i].fits(other.averaged[i].tensor))
        hone::detail::fail("copy_to: %s is %s, that of the average has another size or memory format",
                           other.averaged[i].name.c_str(), detail::layout_of(other.averaged[i].tensor).c_str());
    for (std::size_t i = 0; i < others_.size(); ++i)
      if (other.others[i].tensor.sizes() != others_[i].tensor.sizes())
        hone::detail::fail("copy_to: %s is %s, that of the average has another size", other.others[i].name.c_str(),
                           detail::layout_of(other.others[i].tensor).c_str());
  }

  /// A state whose numbers are in the order of contiguous tensors.
  template <class T>
  ema_state<T> contiguous(ema_state<T> const& state) const {
    std::vector<at::Tensor> ordered;
    tensor_list<T> list;
    for (std::size_t i = 0; i < layouts_.size(); ++i) {
      tensor<T> t = state.tensors()[i];
      ordered.push_back(layouts_[i].over(t).contiguous());
      t.data = static_cast<T*>(ordered.back().data_ptr());
      list.push_back(t);
    }
    ema_state<T> same(list, {.steps = state.steps()});
    for (std::size_t i = 0; i < layouts_.size(); ++i)
      if (state.copies(i)) same.copy_only(i);
    return same;
  }
  template <class T>
  at::Tensor rows_of_tensor(std::size_t i, tensor<T> const& numbers) const {
    return at::from_blob(numbers.data, layouts_[i].sizes, at::TensorOptions(detail::dtype_of<T>));
  }

  Average policy_;
  detail::averaged_list tensors_;
  std::vector<detail::named_tensor> others_;
  std::vector<detail::tensor_layout> layouts_;
  std::variant<ema_state<float>, ema_state<double>> state_{ema_state<float>(tensor_list<float>())};
  std::vector<at::Tensor> kept_;  // 16-bit parameters while the averages are in the module
  bool contiguous_ = true, swapped_ = false;
};

/// Puts the averages into the module for the lifetime of the object, then the module's own numbers again, in every bit.
/// Autograd then refuses a backward pass of a loss that was computed before: evaluate between steps. The destructor
/// ends the program if a tensor of the module has changed its size, dtype or memory format meanwhile; restore() throws
/// hone::invalid_argument instead.
template <class Average>
class [[nodiscard]] swapped {
 public:
  swapped(cpu const& backend, averaged_module<Average>& average) : backend_(backend), average_(average) {
    average.swap_in(backend);
  }
  swapped(swapped const&) = delete;
  swapped& operator=(swapped const&) = delete;
  ~swapped() { average_.swap_out(backend_); }

  void restore() { average_.swap_out(backend_); }

 private:
  cpu backend_;
  averaged_module<Average>& average_;
};

}  // namespace hone::inline HONE_ABI::adapt

#include <hone/core/macros_pop.hpp>
