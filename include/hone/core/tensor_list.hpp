// SPDX-License-Identifier: MIT
/// A model's parameters or gradients: views of the caller's contiguous tensors.
#pragma once

#include <hone/core/contiguous.hpp>
#include <hone/core/error.hpp>
#include <hone/core/number.hpp>

#include <cstddef>
#include <initializer_list>
#include <limits>
#include <utility>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// `size` contiguous numbers. With a shape, rows × columns must equal size; without one, they form a single row.
/// Dimensions after the columns, such as the kernel size of a convolution's weight, multiply the columns:
/// {weight, out, in, height, width}. A std::span, or a vector that is not a temporary, converts to a tensor.
template <class T>
struct tensor {
  T* data = nullptr;
  index size = 0;
  index rows = 1;
  index columns = 0;

  constexpr tensor() noexcept = default;
  constexpr tensor(T* data_, std::integral auto size_) noexcept
      : data(data_), size(static_cast<index>(size_)), columns(size) {}
  constexpr tensor(T* data_, std::integral auto rows_, std::integral auto columns_, std::integral auto... more) noexcept
      : data(data_), rows(static_cast<index>(rows_)), columns(static_cast<index>(columns_)) {
    ((columns = detail::product_of_sizes(columns, static_cast<index>(more))), ...);
    size = detail::product_of_sizes(rows, columns);
  }
  template <detail::contiguous Numbers>
    requires detail::outlives_call<Numbers> &&
             std::convertible_to<decltype(detail::data_of(std::declval<Numbers&>())), T*>
  constexpr tensor(Numbers&& numbers) noexcept : tensor(detail::data_of(numbers), detail::count_of(numbers)) {}

  template <class U>
    requires std::same_as<const U, T>
  constexpr tensor(tensor<U> const& other) noexcept
      : data(other.data), size(other.size), rows(other.rows), columns(other.columns) {}
};

/// The list type of transform, update and others. Reads like a container of tensors. It holds views, not numbers, so a
/// copy is cheap and a move is cheaper. Converts to its const T form.
///
///     hone::tensor_list<float> gradients{{weight, 3, 4}, {bias, 4}};
///     gradients.push_back({scale, 4});
template <class T>
class tensor_list {
 public:
  tensor_list() = default;
  tensor_list(std::initializer_list<tensor<T>> tensors) : tensors_(tensors) {}

  template <class U>
    requires std::same_as<const U, T>
  tensor_list(tensor_list<U> const& other) : tensors_(other.begin(), other.end()) {}

  void push_back(tensor<T> t) { tensors_.push_back(t); }
  void reserve(std::size_t tensors) { tensors_.reserve(tensors); }

  std::size_t size() const noexcept { return tensors_.size(); }
  tensor<T> const& operator[](std::size_t i) const noexcept { return tensors_[i]; }
  tensor<T> const* begin() const noexcept { return tensors_.data(); }
  tensor<T> const* end() const noexcept { return tensors_.data() + tensors_.size(); }

 private:
  std::vector<tensor<T>> tensors_;
};

namespace detail {

/// Fails if a tensor does not describe memory that can exist: "transform: tensor 3 of gradients …".
template <class T>
void require_tensors(const char* function, const char* name, tensor_list<T> const& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    tensor<T> const& t = list[i];
    if (t.size < 0 || t.rows < 0 || t.columns < 0)
      fail("%s: tensor %zu of %s has %jd x %jd numbers, sizes must not be negative", function, i, name,
           std::intmax_t(t.rows), std::intmax_t(t.columns));
    index shaped = 0;
    if (__builtin_mul_overflow(t.rows, t.columns, &shaped) || shaped != t.size)
      fail("%s: tensor %zu of %s has %jd numbers, its shape is %jd x %jd", function, i, name, std::intmax_t(t.size),
           std::intmax_t(t.rows), std::intmax_t(t.columns));
    if (t.size > max_numbers)
      fail("%s: tensor %zu of %s has %jd numbers, more than memory can hold", function, i, name, std::intmax_t(t.size));
    if (!t.data && t.size > 0)
      fail("%s: tensor %zu of %s has %jd numbers but no data", function, i, name, std::intmax_t(t.size));
  }
}

/// Fails unless both lists have the same number of tensors with the same sizes.
template <class T, class U>
void require_sizes_like(const char* function, const char* name, tensor_list<T> const& list, const char* other_name,
                        tensor_list<U> const& other) {
  if (list.size() != other.size())
    fail("%s: %s has %zu tensors, %s has %zu", function, name, list.size(), other_name, other.size());
  for (std::size_t i = 0; i < list.size(); ++i)
    if (list[i].size != other[i].size)
      fail("%s: tensor %zu of %s has %jd numbers, that of %s has %jd", function, i, name, std::intmax_t(list[i].size),
           other_name, std::intmax_t(other[i].size));
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
