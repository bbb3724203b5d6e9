// SPDX-License-Identifier: MIT
/// The arrays, vectors and lists of the C interface as hone's views.
#pragma once

#include <hone.h>
#include <hone/c/status.hpp>
#include <hone/core/number.hpp>
#include <hone/core/numbers.hpp>
#include <hone/core/tensor_list.hpp>
#include <hone/core/view.hpp>
#include <hone/cpu/memory/convert.hpp>

#include <cstddef>
#include <cstdint>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::c {

template <class T>
struct of_type {
  using type = T;
};

inline const char* name_of(std::int32_t dtype) noexcept {
  constexpr const char* names[] = {"none", "float32", "float64", "float16", "bfloat16", "int32", "int64", "uint8"};
  return dtype >= 0 && dtype <= HONE_UINT8 ? names[dtype] : "unknown";
}

/// Calls body(of_type<T>()) with the type of a dtype; fails if that is no floating-point type.
template <class Body>
void with_type(std::int32_t dtype, const char* name, Body const& body) {
  switch (dtype) {
    case HONE_FLOAT32:
      return body(of_type<float>());
    case HONE_FLOAT64:
      return body(of_type<double>());
    case HONE_FLOAT16:
      return body(of_type<Eigen::half>());
    case HONE_BFLOAT16:
      return body(of_type<Eigen::bfloat16>());
    default:
      detail::fail("dtype of %s is %d (%s), must be float32, float64, float16 or bfloat16", name, int(dtype),
                   name_of(dtype));
  }
}

template <class T>
matrix_view<T> matrix_of(hone_array const& a) noexcept {
  return {static_cast<T*>(const_cast<void*>(a.data)), a.rows, a.columns, a.stride};
}
template <class T>
image_view<T> images_of(hone_array const& a) noexcept {
  return {static_cast<T*>(const_cast<void*>(a.data)), a.rows, a.columns, a.stride};
}
/// The view of an array that has the layout of View.
template <class View>
View view_of(hone_array const& a) noexcept {
  if constexpr (requires(View v) { v.row_stride; })
    return matrix_of<std::remove_pointer_t<decltype(View::data)>>(a);
  else
    return images_of<std::remove_pointer_t<decltype(View::data)>>(a);
}

/// Fails unless an array beside the prediction has its dtype and its layout; hone compares the shapes.
inline void require_alike(hone_array const& a, const char* name, hone_array const& prediction) {
  if (a.dtype != prediction.dtype)
    detail::fail("dtype of %s is %s, that of the prediction is %s", name, name_of(a.dtype), name_of(prediction.dtype));
  if (a.layout != prediction.layout)
    detail::fail("layout of %s is %d, that of the prediction is %d", name, int(a.layout), int(prediction.layout));
}

inline bool is_present(hone_vector const& v) noexcept { return v.data || v.size != 0; }

/// A vector of numbers; none if it is not given.
inline numbers numbers_of(hone_vector const& v, const char* name) {
  if (!is_present(v)) return {};
  if (v.size < 0 || !v.data)
    detail::fail("%s has %jd numbers%s", name, std::intmax_t(v.size), v.data ? "" : " at NULL");
  if (v.dtype == HONE_FLOAT32) return {static_cast<float const*>(v.data), v.size};
  if (v.dtype != HONE_FLOAT64)
    detail::fail("dtype of %s is %d (%s), must be float32 or float64", name, int(v.dtype), name_of(v.dtype));
  return {static_cast<double const*>(v.data), v.size};
}

/// Calls body(list) with the list of `count` tensors as tensor_list<T>. Fails if they have several types.
template <class Body>
void with_list(hone_tensor const* tensors, std::int64_t count, const char* name, Body const& body) {
  if (count < 0 || (count > 0 && !tensors))
    detail::fail("count of %s is %jd%s", name, std::intmax_t(count), tensors ? "" : " at NULL");
  with_type(count > 0 ? tensors[0].dtype : HONE_FLOAT32, name, [&]<class T>(of_type<T>) {
    tensor_list<T> list;
    list.reserve(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) {
      if (tensors[i].dtype != tensors[0].dtype)
        detail::fail("tensor %jd of %s is %s, tensor 0 is %s, a list has one dtype", std::intmax_t(i), name,
                     name_of(tensors[i].dtype), name_of(tensors[0].dtype));
      list.push_back({static_cast<T*>(tensors[i].data), tensors[i].rows, tensors[i].columns});
    }
    body(list);
  });
}

}  // namespace hone::inline HONE_ABI::c

#include <hone/core/macros_pop.hpp>
