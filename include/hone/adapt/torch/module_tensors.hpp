// SPDX-License-Identifier: MIT
/// The tensors of a module as a list that is read again at each use.
#pragma once

#include <hone/adapt/torch/tensor.hpp>
#include <hone/core/name_pattern.hpp>
#include <hone/core/tensor_list.hpp>

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::adapt {

namespace detail {

struct named_tensor {
  std::string name;
  at::Tensor tensor;
};

template <class M>
concept is_module = std::derived_from<std::remove_cvref_t<M>, torch::nn::Module>;
/// A torch::nn::Module, or what points to one: std::shared_ptr, or a holder of TORCH_MODULE.
template <class M>
concept any_module = is_module<M> || requires(M const& m) { requires is_module<decltype(*m)>; };

template <any_module M>
torch::nn::Module const& module_of(M const& m) {
  if constexpr (is_module<M>)
    return m;
  else
    return *m;
}

/// Tensors in their order, each once: a tied weight has several names and is one tensor.
class unique_tensors {
 public:
  void add(std::string name, at::Tensor const& tensor) {
    if (known_.insert(tensor.unsafeGetTensorImpl()).second) all.push_back({std::move(name), tensor});
  }
  std::vector<named_tensor> all;

 private:
  std::unordered_set<void const*> known_;
};
inline std::vector<named_tensor> parameters_in(torch::nn::Module const& module) {
  unique_tensors list;
  for (auto const& item : module.named_parameters()) list.add(item.key(), item.value());
  return std::move(list.all);
}

}  // namespace detail

/// The parameters of a module, or their gradients, as a hone::tensor_list. Holds the parameters, not their memory: each
/// use reads the addresses and shapes again, and allocates nothing while they are as before. Gradients that are
/// undefined are left out. A tied weight is listed once. Rows are the first dimension (a convolution's and a Linear's
/// output channels; of a ConvTranspose the input channels); the other dimensions are columns; a vector is one row.
///
/// Reading throws hone::invalid_argument, with the name of the tensor, if one is not on the CPU, is sparse, has another
/// dtype than those before or none of the four floating ones, or if its rows do not lie one after another without gaps
/// (contiguous and channels_last tensors do). One thread at a time may use an object.
class module_tensors {
 public:
  /// Returns the number of parameters, with and without gradients.
  std::size_t size() const noexcept { return tensors_.size(); }
  std::string const& name(std::size_t i) const { return tensors_.at(i).name; }
  at::Tensor const& parameter(std::size_t i) const { return tensors_.at(i).tensor; }

  /// Returns the numbers of the parameters whose names match a pattern, for adaptive_clip_options::excluded. Throws
  /// hone::invalid_argument if a pattern matches no name.
  std::vector<std::size_t> matching(std::initializer_list<std::string_view> patterns) const {
    std::vector<std::string_view> names;
    for (detail::named_tensor const& t : tensors_) names.emplace_back(t.name);
    const std::vector<bool> chosen = hone::detail::matching("matching", names, names.size(), patterns);
    std::vector<std::size_t> numbers;
    for (std::size_t i = 0; i < chosen.size(); ++i)
      if (chosen[i]) numbers.push_back(i);
    return numbers;
  }

  /// Reads the tensors, and calls f(tensor_list<T> const&) with the type of their numbers. Without tensors T is float.
  template <class F>
  decltype(auto) visit(F&& f) const {
    read();
    return std::visit(std::forward<F>(f), lists_);
  }
  /// Reads the tensors. Throws hone::invalid_argument if they are not of T. The list is that of this moment.
  template <element T>
  tensor_list<T> const& as() const {
    read();
    if (auto const* list = std::get_if<tensor_list<T>>(&lists_)) return *list;
    if (seen_.empty()) return lists_.emplace<tensor_list<T>>();
    hone::detail::fail("%s: the numbers of %s are %s, must be %s", function_, name(seen_[0].from).c_str(),
                       toString(type_), toString(detail::dtype_of<T>));
  }

  /// For verbs: the number of the parameter of entry i of the list, at the last reading.
  std::size_t place(std::size_t i) const { return seen_[i].from; }
  /// For verbs: tells autograd that the tensors of the list were written.
  void mark_written() const {
    for (seen_tensor const& s : seen_) detail::mark_written(at(s.from));
  }

 protected:
  module_tensors(const char* function, bool gradients, std::vector<detail::named_tensor> tensors)
      : function_(function), gradients_(gradients), tensors_(std::move(tensors)) {
    for (detail::named_tensor const& t : tensors_)
      if (!t.tensor.defined()) hone::detail::fail("%s: %s is an undefined tensor", function_, t.name.c_str());
  }
  static std::vector<detail::named_tensor> numbered(std::vector<at::Tensor> const& tensors) {
    detail::unique_tensors list;
    for (std::size_t i = 0; i < tensors.size(); ++i) list.add("tensor " + std::to_string(i), tensors[i]);
    return std::move(list.all);
  }

 private:
  struct seen_tensor {
    std::size_t from = 0;  // the number of the parameter
    void* data = nullptr;
    index size = 0, rows = 0;

    friend bool operator==(seen_tensor const&, seen_tensor const&) = default;
  };

  at::Tensor const& at(std::size_t i) const {
    at::Tensor const& p = tensors_[i].tensor;
    return gradients_ ? p.grad() : p;
  }

  void read() const {
    std::size_t n = 0;
    bool same = true;
    auto type = at::ScalarType::Undefined;
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      at::Tensor const& t = at(i);
      if (!t.defined()) continue;
      check(i, t);
      if (n == 0) type = t.scalar_type();
      if (t.scalar_type() != type)
        hone::detail::fail("%s: %s is %s, those before it are %s: all must have one dtype", function_,
                           tensors_[i].name.c_str(), toString(t.scalar_type()), toString(type));
      same = same && n < seen_.size() && seen_[n] == seen(i, t);
      ++n;
    }
    if (same && n == seen_.size() && type == type_) return;
    seen_.clear();
    for (std::size_t i = 0; i < tensors_.size(); ++i)
      if (at(i).defined()) seen_.push_back(seen(i, at(i)));
    type_ = type;
    if (n == 0) return void(lists_.emplace<0>());
    detail::with_number(function_, "the tensor", type, [&]<class T>(std::type_identity<T>) {
      auto& list = lists_.emplace<tensor_list<T>>();
      list.reserve(n);
      for (seen_tensor const& s : seen_) {
        auto* const data = static_cast<T*>(s.data);
        list.push_back(s.rows > 1 ? tensor<T>(data, s.rows, s.size / s.rows) : tensor<T>(data, s.size));
      }
    });
  }
  static seen_tensor seen(std::size_t i, at::Tensor const& t) {
    return {i, t.data_ptr(), t.numel(), t.dim() < 2 ? 1 : t.size(0)};
  }
  void check(std::size_t i, at::Tensor const& t) const {
    const bool dense = t.layout() == at::kStrided && t.is_cpu() && !t.is_neg() && !t._is_zerotensor() &&
                       detail::is_floating(t.scalar_type());
    if (dense && (t.is_contiguous() || (t.is_non_overlapping_and_dense() &&
                                        (t.dim() < 2 || t.size(0) == 1 || t.stride(0) == t.numel() / t.size(0)))))
      return;
    const std::string what = (gradients_ ? "the gradient of " : "") + tensors_[i].name;
    detail::require_device(function_, what.c_str(), t, at::kCPU);
    detail::require_floating(function_, what.c_str(), t.scalar_type());
    hone::detail::fail("%s: %s is %s, its rows must lie one after another: make it contiguous", function_, what.c_str(),
                       detail::layout_of(t).c_str());
  }

  const char* function_;
  bool gradients_;
  std::vector<detail::named_tensor> tensors_;
  mutable std::vector<seen_tensor> seen_;
  mutable at::ScalarType type_ = at::ScalarType::Undefined;
  mutable std::variant<tensor_list<float>, tensor_list<double>, tensor_list<detail::cpu_numbers::half>,
                       tensor_list<detail::cpu_numbers::bfloat16>>
      lists_;
};

/// The parameters of a module; see module_tensors.
class parameter_list : public module_tensors {
 public:
  explicit parameter_list(std::vector<detail::named_tensor> tensors)
      : module_tensors("parameters", false, std::move(tensors)) {}
  explicit parameter_list(std::vector<at::Tensor> const& tensors) : parameter_list(numbered(tensors)) {}
};

/// The gradients of a module's parameters; see module_tensors.
class gradient_list : public module_tensors {
 public:
  explicit gradient_list(std::vector<detail::named_tensor> parameters)
      : module_tensors("gradients", true, std::move(parameters)) {}
  explicit gradient_list(std::vector<at::Tensor> const& parameters) : gradient_list(numbered(parameters)) {}
};

/// The parameters of a module, or of a vector such as net->parameters().
template <detail::any_module Module>
parameter_list parameters(Module const& module) {
  return parameter_list(detail::parameters_in(detail::module_of(module)));
}
inline parameter_list parameters(std::vector<at::Tensor> const& tensors) { return parameter_list(tensors); }

/// The gradients of the parameters of a module, or of a vector of parameters.
///
///     const auto gradients = hone::adapt::gradients(net);  // once, or in every step
///     hone::transform(cpu, hone::clip_by_global_norm(5), gradients);
template <detail::any_module Module>
gradient_list gradients(Module const& module) {
  return gradient_list(detail::parameters_in(detail::module_of(module)));
}
inline gradient_list gradients(std::vector<at::Tensor> const& parameters) { return gradient_list(parameters); }

}  // namespace hone::inline HONE_ABI::adapt

#include <hone/core/macros_pop.hpp>
