// SPDX-License-Identifier: MIT
/// Views of DLPack's tensors in place: DLTensor and DLManagedTensor of any version, DLManagedTensorVersioned of 1.x. No
/// header of DLPack is needed: any struct with its members will do.
///
///     DLTensor logits, gradient, labels;  // of NumPy, PyTorch, JAX, CuPy, TVM, ONNX Runtime …
///     const auto y = hone::adapt::labels_of<std::int64_t>(labels);
///     hone::evaluate(cpu, hone::cross_entropy(hone::classes(y)), hone::adapt::rows_of<const float>(logits),
///                    {.gradient = hone::adapt::rows_of<float>(gradient)});
///
/// A view of const numbers reads only; a view of others is refused for a tensor whose flags say that it is read-only.
/// The numbers must live as long as the view: call the deleter afterwards. Every function throws hone::invalid_argument
/// that names dtype, device, sizes or strides if they are not what was asked for.
#pragma once

#include <hone/adapt/layout/strided_array.hpp>

#include <cstdint>
#include <limits>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace detail {

/// The members of DLTensor.
template <class X>
concept dlpack_tensor = requires(X const& x) {
  x.data;
  x.device.device_type;
  x.device.device_id;
  x.dtype.code;
  x.dtype.bits;
  x.dtype.lanes;
  { *x.shape } -> std::convertible_to<index>;
  { *x.strides } -> std::convertible_to<index>;
  { x.ndim } -> std::convertible_to<int>;
  { x.byte_offset } -> std::convertible_to<std::uint64_t>;
};
/// A DLTensor, or one with its owner and flags.
template <class X>
concept any_dlpack_tensor = dlpack_tensor<X> || requires(X const& x) {
  { x.dl_tensor } -> dlpack_tensor;
};

/// DLDataTypeCode and DLDeviceType, whose numbers no version changes.
inline constexpr int dl_int = 0, dl_uint = 1, dl_float = 2, dl_bfloat = 4;
inline constexpr int dl_cpu = 1, dl_cuda = 2, dl_cuda_host = 3, dl_rocm_host = 11, dl_cuda_managed = 13;

/// The code of a C++ type. 16-bit types are told apart by the bits of their mantissa.
template <class T>
constexpr int dlpack_code() {
  static_assert(std::integral<T> || element<T>,
                "hone::adapt: DLPack holds integers, float, double or 16-bit floating-point types for hone");
  if constexpr (std::integral<T>)
    return std::is_signed_v<T> ? dl_int : dl_uint;
  else
    return sizeof(T) == 2 && std::numeric_limits<T>::digits == 8 ? dl_bfloat : dl_float;
}
template <class T, class Tensor>
bool holds_dlpack(Tensor const& t) noexcept {
  return int(t.dtype.code) == dlpack_code<std::remove_const_t<T>>() && t.dtype.bits == 8 * sizeof(T) &&
         t.dtype.lanes == 1;
}

}  // namespace detail

namespace adapt {

/// Where numbers must be, for the backend that will read them.
struct dlpack_device {
  int cuda = -1;  ///< the CUDA device, -1: the host

  /// For hone::cpu: memory of the host, also pinned (kDLCUDAHost) and managed (kDLCUDAManaged).
  static constexpr dlpack_device host() noexcept { return {}; }
  /// For hone::cuda: memory of this device, or pinned or managed. The host's own memory is refused.
  static constexpr dlpack_device cuda_device(int id) noexcept { return {id}; }

  constexpr bool reaches(int type, int id) const noexcept {
    if (type == hone::detail::dl_cuda_host || type == hone::detail::dl_cuda_managed) return true;
    if (cuda >= 0) return type == hone::detail::dl_cuda && id == cuda;
    return type == hone::detail::dl_cpu || type == hone::detail::dl_rocm_host;
  }
};

}  // namespace adapt

namespace detail {

/// Checks everything but the strides.
template <class T, dlpack_tensor Tensor>
strided_array<T> array_of_dlpack(const char* function, Tensor const& t, adapt::dlpack_device where) {
  if (!holds_dlpack<T>(t))
    fail("%s: tensor holds numbers of code %d, %d bits and %d lanes, asked for are code %d, %zu bits and 1 lane",
         function, int(t.dtype.code), int(t.dtype.bits), int(t.dtype.lanes), dlpack_code<std::remove_const_t<T>>(),
         8 * sizeof(T));
  if (const int type = int(t.device.device_type), id = int(t.device.device_id); !where.reaches(type, id)) {
    if (where.cuda < 0)
      fail("%s: tensor is on device %d of type %d, must be in memory of the host", function, id, type);
    fail("%s: tensor is on device %d of type %d, must be on CUDA device %d, pinned or managed", function, id, type,
         where.cuda);
  }
  const int dimensions = static_cast<int>(t.ndim);
  require(dimensions >= 0 && dimensions <= 32, function, "ndim", dimensions, "in [0, 32]");
  if (!t.shape && dimensions > 0) fail("%s: tensor has %d dimensions but no shape", function, dimensions);
  strided_array<T> a;
  if (t.data) a.data = reinterpret_cast<T*>(static_cast<char*>(t.data) + t.byte_offset);
  for (int k = 0; k < dimensions; ++k) a.add(index(t.shape[k]), t.strides ? index(t.strides[k]) : 0);
  if (!t.strides) a.set_row_major();
  require_array(function, "tensor", a);
  return a;
}
template <class T, class Managed>
  requires(!dlpack_tensor<Managed>)
strided_array<T> array_of_dlpack(const char* function, Managed const& m, adapt::dlpack_device where) {
  if constexpr (requires { m.version.major; })
    if (m.version.major != 1)
      fail("%s: tensor is of DLPack %d, hone knows the layout of version 1", function, int(m.version.major));
  if constexpr (requires { m.flags; } && !std::is_const_v<T>)
    if (m.flags & 1)  // DLPACK_FLAG_BITMASK_READ_ONLY
      fail("%s: tensor is read-only: ask for const numbers", function);
  return array_of_dlpack<T>(function, m.dl_tensor, where);
}
template <class X>
decltype(auto) dlpack_tensor_in(X const& x) noexcept {
  if constexpr (dlpack_tensor<X>)
    return (x);
  else
    return (x.dl_tensor);
}
/// Calls f with a null pointer to the type in the list that the tensor holds.
template <class First, class... Others, class Tensor, class F>
decltype(auto) with_dlpack_type(const char* function, Tensor const& t, F&& f) {
  if (!holds_dlpack<First>(dlpack_tensor_in(t))) {
    if constexpr (sizeof...(Others) > 0) return with_dlpack_type<Others...>(function, t, std::forward<F>(f));
    const auto& type = dlpack_tensor_in(t).dtype;
    fail("%s: tensor holds numbers of code %d, %d bits and %d lanes, which is none of the types asked for", function,
         int(type.code), int(type.bits), int(type.lanes));
  }
  return std::forward<F>(f)(static_cast<First*>(nullptr));
}

}  // namespace detail

namespace adapt {

/// The last dimension are the classes, all others are rows: row-major, rows may be padded.
template <class T, hone::detail::any_dlpack_tensor Tensor>
matrix_view<T> rows_of(Tensor const& t, dlpack_device where = {}) {
  hone::detail::require_view_of<T>();
  return hone::detail::rows_in_matrix("rows_of", "tensor", hone::detail::array_of_dlpack<T>("rows_of", t, where));
}
/// The same, column-major: an image_view of one image whose pixels are the rows.
template <class T, hone::detail::any_dlpack_tensor Tensor>
image_view<T> column_major_rows_of(Tensor const& t, dlpack_device where = {}) {
  constexpr const char* function = "column_major_rows_of";
  hone::detail::require_view_of<T>();
  return hone::detail::rows_in_image(function, "tensor", hone::detail::array_of_dlpack<T>(function, t, where));
}
/// Two dimensions, a column is a sample: the transposed matrix, column-major in memory, as rows.
template <class T, hone::detail::any_dlpack_tensor Tensor>
matrix_view<T> columns_of(Tensor const& t, dlpack_device where = {}) {
  hone::detail::require_view_of<T>();
  auto a = hone::detail::array_of_dlpack<T>("columns_of", t, where);
  if (a.dimensions != 2) hone::detail::fail("columns_of: tensor has %zu dimensions, must have 2", a.dimensions);
  std::swap(a.sizes[0], a.sizes[1]), std::swap(a.strides[0], a.strides[1]);
  return hone::detail::rows_in_matrix("columns_of", "transposed tensor", a);
}
/// N x C x H x W, with any number of sizes after C.
template <class T, hone::detail::any_dlpack_tensor Tensor>
image_view<T> pixels_of(Tensor const& t, dlpack_device where = {}) {
  hone::detail::require_view_of<T>();
  return hone::detail::pixels_in_image("pixels_of", "tensor", hone::detail::array_of_dlpack<T>("pixels_of", t, where));
}
/// The same shape with channels last in memory: a matrix_view of a row per pixel.
template <class T, hone::detail::any_dlpack_tensor Tensor>
matrix_view<T> channels_last_pixels_of(Tensor const& t, dlpack_device where = {}) {
  constexpr const char* function = "channels_last_pixels_of";
  hone::detail::require_view_of<T>();
  return hone::detail::pixels_in_matrix(function, "tensor", hone::detail::array_of_dlpack<T>(function, t, where));
}
/// Contiguous integers of any shape, such as N or N x H x W.
template <class T, hone::detail::any_dlpack_tensor Tensor>
std::span<const std::remove_const_t<T>> labels_of(Tensor const& t, dlpack_device where = {}) {
  hone::detail::require_labels_of<T>();
  return hone::detail::contiguous_numbers("labels_of", "tensor",
                                          hone::detail::array_of_dlpack<const T>("labels_of", t, where));
}
/// A parameter or a gradient: contiguous, the first size are the rows.
template <class T, hone::detail::any_dlpack_tensor Tensor>
tensor<T> tensor_of(Tensor const& t, dlpack_device where = {}) {
  hone::detail::require_view_of<T>();
  return hone::detail::contiguous_tensor("tensor_of", "tensor",
                                         hone::detail::array_of_dlpack<T>("tensor_of", t, where));
}

/// Calls f with the matrix_view or the image_view of the rows, of that number type in the list which the tensor holds:
///     visit_rows<const float, const double, const Eigen::half>(logits, [&](auto view) { … });
template <class... T, hone::detail::any_dlpack_tensor Tensor, class F>
  requires(sizeof...(T) > 0)
decltype(auto) visit_rows(Tensor const& t, F&& f, dlpack_device where = {}) {
  return hone::detail::with_dlpack_type<T...>("visit_rows", t, [&]<class N>(N*) -> decltype(auto) {
    hone::detail::require_view_of<N>();
    return hone::detail::with_rows("visit_rows", "tensor", hone::detail::array_of_dlpack<N>("visit_rows", t, where), f);
  });
}
/// The same for pixels: N x C x H x W, or with channels last.
template <class... T, hone::detail::any_dlpack_tensor Tensor, class F>
  requires(sizeof...(T) > 0)
decltype(auto) visit_pixels(Tensor const& t, F&& f, dlpack_device where = {}) {
  return hone::detail::with_dlpack_type<T...>("visit_pixels", t, [&]<class N>(N*) -> decltype(auto) {
    hone::detail::require_view_of<N>();
    return hone::detail::with_pixels("visit_pixels", "tensor",
                                     hone::detail::array_of_dlpack<N>("visit_pixels", t, where), f);
  });
}
/// Calls f with a span of the labels, of whichever integer type they are.
template <hone::detail::any_dlpack_tensor Tensor, class F>
decltype(auto) visit_labels(Tensor const& t, F&& f, dlpack_device where = {}) {
  return hone::detail::with_dlpack_type<std::int64_t, std::int32_t, std::int16_t, std::int8_t, std::uint64_t,
                                        std::uint32_t, std::uint16_t, std::uint8_t>(
      "visit_labels", t, [&]<class N>(N*) -> decltype(auto) {
        return f(hone::detail::contiguous_numbers("visit_labels", "tensor",
                                                  hone::detail::array_of_dlpack<const N>("visit_labels", t, where)));
      });
}

}  // namespace adapt
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
