// SPDX-License-Identifier: MIT
/// Tensors of LibTorch as views of hone. A view holds no tensor: the tensor must outlive it, so temporaries are
/// refused.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/view.hpp>

#include <ATen/core/ivalue.h>  // first: clang refuses LibTorch 1.13 where its vectors come before it

#include <ATen/core/Tensor.h>

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

namespace Eigen {
struct half;
struct bfloat16;
}  // namespace Eigen
struct __half;
struct __nv_bfloat16;

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::adapt {

namespace detail {

// ---- numbers

/// The dtype of a number of hone: every number of LibTorch, and the 16-bit numbers of Eigen and CUDA.
template <class T>
inline constexpr at::ScalarType dtype_of = c10::CppTypeToScalarType<T>::value;
template <>
inline constexpr at::ScalarType dtype_of<Eigen::half> = at::kHalf;
template <>
inline constexpr at::ScalarType dtype_of<__half> = at::kHalf;
template <>
inline constexpr at::ScalarType dtype_of<Eigen::bfloat16> = at::kBFloat16;
template <>
inline constexpr at::ScalarType dtype_of<__nv_bfloat16> = at::kBFloat16;

/// The 16-bit numbers of hone::cpu.
struct cpu_numbers {
  using half = Eigen::half;
  using bfloat16 = Eigen::bfloat16;
};

inline bool is_floating(at::ScalarType type) noexcept {
  return type == at::kFloat || type == at::kDouble || type == at::kHalf || type == at::kBFloat16;
}

/// Fails if a dtype is not one of the four floating dtypes of hone.
inline void require_floating(const char* function, const char* parameter, at::ScalarType type) {
  if (!is_floating(type))
    hone::detail::fail("%s: %s is %s, must be Float, Double, Half or BFloat16", function, parameter, toString(type));
}

/// Calls f(std::type_identity<T>()) with the number type T of a floating dtype, and returns its result. `Numbers` names
/// the 16-bit types of the backend. Fails for other dtypes.
template <class Numbers = cpu_numbers, class F>
decltype(auto) with_number(const char* function, const char* parameter, at::ScalarType type, F&& f) {
  require_floating(function, parameter, type);
  if (type == at::kDouble) return f(std::type_identity<double>());
  if (type == at::kHalf) return f(std::type_identity<typename Numbers::half>());
  if (type == at::kBFloat16) return f(std::type_identity<typename Numbers::bfloat16>());
  return f(std::type_identity<float>());
}
/// The same for some number types alone, which the compiler then compiles.
template <class First, class... More, class F>
decltype(auto) with_number_among(const char* function, const char* parameter, at::ScalarType type, F&& f) {
  if (type == dtype_of<First>) return f(std::type_identity<First>());
  if constexpr (sizeof...(More) > 0) {
    return with_number_among<More...>(function, parameter, type, std::forward<F>(f));
  } else {
    hone::detail::fail("%s: %s is %s, which is none of the number types that the call names", function, parameter,
                       toString(type));
  }
}

// ---- checks

/// "3 x 4 with strides 1, 3", for messages.
inline std::string layout_of(at::Tensor const& x) {
  if (x.dim() == 0) return "a scalar";
  std::string text;
  for (const std::int64_t size : x.sizes()) text += (text.empty() ? "" : " x ") + std::to_string(size);
  text += " with strides ";
  for (std::int64_t i = 0; i < x.dim(); ++i) text += (i > 0 ? ", " : "") + std::to_string(x.stride(i));
  return text;
}

/// Fails unless a tensor has numbers that can be viewed, on this kind of device.
inline void require_device(const char* function, const char* parameter, at::Tensor const& x, at::DeviceType device) {
  if (!x.defined()) hone::detail::fail("%s: %s is an undefined tensor", function, parameter);
  if (x.device().type() != device)
    hone::detail::fail("%s: %s is on %s, must be on %s", function, parameter, x.device().str().c_str(),
                       c10::DeviceTypeName(device, true).c_str());
  if (x.layout() != at::kStrided || x.is_neg() || x.is_conj() || x._is_zerotensor())
    hone::detail::fail("%s: %s must be dense, without a lazy negation or conjugation: see to_dense, resolve_neg, clone",
                       function, parameter);
}

template <class T>
void require_dtype(const char* function, const char* parameter, at::Tensor const& x) {
  using number = std::remove_const_t<T>;
  if (x.scalar_type() != dtype_of<number>)
    hone::detail::fail("%s: %s is %s, must be %s: name the type of its numbers, as in %s<%s>", function, parameter,
                       toString(x.scalar_type()), toString(dtype_of<number>), function,
                       std::is_integral_v<number> ? "std::int32_t" : "double");
}

template <class T>
T* numbers_of(at::Tensor const& x) {
  return static_cast<T*>(x.numel() > 0 ? x.data_ptr() : nullptr);
}

/// Tells autograd that hone has written to a tensor: a backward pass that saved the former numbers then fails. Tensors
/// of inference mode have no version, and no graph saves them.
inline void mark_written(at::Tensor const& x) {
  if (!x.is_inference()) x.unsafeGetTensorImpl()->bump_version();
}

template <class X>
concept any_tensor = std::derived_from<std::remove_cvref_t<X>, at::Tensor>;

/// Refuses a tensor that ends with the call.
template <class X>
constexpr void require_name() {
  static_assert(std::is_lvalue_reference_v<X>,
                "hone::adapt: tensors are viewed, not copied: give the tensor a name first");
}

// ---- layouts: what strides allow. A dimension of one number, and a tensor of none, have any stride.

/// N x C, the numbers of a row side by side, rows apart.
inline bool has_rows(at::Tensor const& x) {
  if (x.numel() == 0) return true;
  const bool side_by_side = x.size(1) == 1 || x.stride(1) == 1;
  return side_by_side && (x.size(0) == 1 || x.stride(0) >= x.size(1));
}
/// C x N, contiguous.
inline bool has_columns(at::Tensor const& x) { return x.is_contiguous(); }
/// N x C x pixels, the channels of a pixel side by side, pixels without gaps.
inline bool has_channels_last(at::Tensor const& x) {
  if (x.numel() == 0) return true;
  std::int64_t step = 1;
  const auto fits = [&](std::int64_t i) {
    const bool fit = x.size(i) == 1 || x.stride(i) == step;
    step *= x.size(i);
    return fit;
  };
  if (!fits(1)) return false;
  for (std::int64_t i = x.dim() - 1; i > 1; --i)
    if (!fits(i)) return false;
  return fits(0);
}

template <class T>
matrix_view<T> view_rows(at::Tensor const& x) {
  if (x.dim() == 1) return {numbers_of<T>(x), x.size(0), 1, x.size(0) > 1 ? x.stride(0) : 1};
  return {numbers_of<T>(x), x.size(0), x.size(1), x.size(0) > 1 && x.numel() > 0 ? x.stride(0) : x.size(1)};
}
inline std::int64_t pixels_in(at::Tensor const& x) {
  std::int64_t pixels = 1;
  for (std::int64_t i = 2; i < x.dim(); ++i) pixels *= x.size(i);
  return pixels;
}
template <class T>
image_view<T> view_pixels(at::Tensor const& x) {
  return {numbers_of<T>(x), x.size(0), x.size(1), pixels_in(x)};
}
template <class T>
matrix_view<T> view_channels_last(at::Tensor const& x) {
  return {numbers_of<T>(x), x.size(0) * pixels_in(x), x.size(1)};
}

inline void require_dimensions(const char* function, at::Tensor const& x, bool fit, const char* form) {
  if (!fit) hone::detail::fail("%s: the tensor is %s, must be %s", function, layout_of(x).c_str(), form);
}
[[noreturn]] inline void refuse_layout(const char* function, at::Tensor const& x, const char* advice) {
  hone::detail::fail("%s: the tensor is %s, %s", function, layout_of(x).c_str(), advice);
}

template <class T>
void require_viewable(const char* function, at::Tensor const& x, at::DeviceType device) {
  require_device(function, "the tensor", x, device);
  require_dtype<T>(function, "the tensor", x);
}

}  // namespace detail

/// N x C: row i is sample i. N numbers are N x 1. Rows may be apart. Throws hone::invalid_argument if the dtype is not
/// that of T, if the tensor is on another device, or if the numbers of a row are not side by side.
template <class T = float, detail::any_tensor X>
matrix_view<T> rows_of(X&& x, at::DeviceType device = at::kCPU) {
  detail::require_name<X>();
  detail::require_viewable<T>("rows_of", x, device);
  detail::require_dimensions("rows_of", x, x.dim() == 1 || x.dim() == 2, "N x C, or N numbers");
  if (x.dim() == 1 ? x.size(0) > 1 && x.stride(0) < 1 : !detail::has_rows(x))
    detail::refuse_layout("rows_of", x,
                          "the numbers of a row must be side by side, and rows apart: for a transposed tensor "
                          "take columns_of of what was transposed, for others contiguous()");
  return detail::view_rows<T>(x);
}

/// C x N, contiguous: column i is sample i. A view of one image of N pixels. Throws as rows_of does.
template <class T = float, detail::any_tensor X>
image_view<T> columns_of(X&& x, at::DeviceType device = at::kCPU) {
  detail::require_name<X>();
  detail::require_viewable<T>("columns_of", x, device);
  detail::require_dimensions("columns_of", x, x.dim() == 2, "C x N");
  if (!detail::has_columns(x)) detail::refuse_layout("columns_of", x, "must be contiguous");
  return {detail::numbers_of<T>(x), 1, x.size(0), x.size(1)};
}

/// N x C x H x W, or with any other number of dimensions of pixels, contiguous. Throws as rows_of does.
template <class T = float, detail::any_tensor X>
image_view<T> pixels_of(X&& x, at::DeviceType device = at::kCPU) {
  detail::require_name<X>();
  detail::require_viewable<T>("pixels_of", x, device);
  detail::require_dimensions("pixels_of", x, x.dim() >= 2, "N x C x H x W");
  if (!x.is_contiguous())
    detail::refuse_layout("pixels_of", x, "must be contiguous: see channels_last_of, or contiguous()");
  return detail::view_pixels<T>(x);
}

/// N x C x H x W in the memory format channels_last: row (n H + y) W + x holds the channels of a pixel. Throws as
/// rows_of does.
template <class T = float, detail::any_tensor X>
matrix_view<T> channels_last_of(X&& x, at::DeviceType device = at::kCPU) {
  detail::require_name<X>();
  detail::require_viewable<T>("channels_last_of", x, device);
  detail::require_dimensions("channels_last_of", x, x.dim() >= 2, "N x C x H x W");
  if (!detail::has_channels_last(x))
    detail::refuse_layout("channels_last_of", x, "must have the channels of a pixel side by side: see pixels_of");
  return detail::view_channels_last<T>(x);
}

/// The labels of a contiguous tensor of any shape, in its order; Label is the integer type of its dtype. Throws as
/// rows_of does.
template <class Label = std::int64_t, detail::any_tensor X>
  requires std::integral<Label>
std::span<const Label> labels_of(X&& x, at::DeviceType device = at::kCPU) {
  detail::require_name<X>();
  detail::require_viewable<Label>("labels_of", x, device);
  if (!x.is_contiguous()) detail::refuse_layout("labels_of", x, "must be contiguous");
  return {detail::numbers_of<const Label>(x), static_cast<std::size_t>(x.numel())};
}

/// Calls f(labels) with the labels of a contiguous tensor of any integer dtype, and returns its result.
template <detail::any_tensor X, class F>
decltype(auto) with_labels(X&& x, F&& f, at::DeviceType device = at::kCPU) {
  detail::require_name<X>();
  detail::require_device("with_labels", "the tensor", x, device);
  switch (x.scalar_type()) {
    case at::kByte:
      return f(labels_of<std::uint8_t>(x, device));
    case at::kChar:
      return f(labels_of<std::int8_t>(x, device));
    case at::kShort:
      return f(labels_of<std::int16_t>(x, device));
    case at::kInt:
      return f(labels_of<std::int32_t>(x, device));
    case at::kLong:
      return f(labels_of<std::int64_t>(x, device));
    default:
      hone::detail::fail("with_labels: the tensor is %s, must be Byte, Char, Short, Int or Long",
                         toString(x.scalar_type()));
  }
}

}  // namespace hone::inline HONE_ABI::adapt

#include <hone/core/macros_pop.hpp>
