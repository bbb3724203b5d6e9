// SPDX-License-Identifier: MIT
/// What every function of the C interface does: catches, keeps the sentence for hone_last_error(), reads options.
#pragma once

#include <hone.h>
#include <hone/core/error.hpp>
#include <hone/io/io_error.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::c {

/// What hone's sentences call by a name of C++, and the name of hone.h.
inline constexpr struct renamed {
  std::string_view in_cpp, in_c;
} names_of_c[] = {
    {"a row_stride", "a stride"},
    {"mix lambda", "lambda"},
    {"weigh_rows weight", "row_weight"},
    {"weigh_classes weight", "class_weight"},
    {"region loss weight", "class_weight"},
    {"distillation teacher", "teacher"},
    {".unreduced must be absent", "unreduced must be NULL"},
    {"a hone::image_view, the prediction is a matrix_view", "HONE_IMAGES, the prediction is a HONE_MATRIX"},
    {"hone::copy divides", "hone_average_copy divides"},
};

/// The sentence of the thread's last failure. Without a destructor: a thread's last objects may call hone.
struct last_error {
  char text[1024] = {};

  /// Puts the name of the C function in the place of the name with which hone's sentence begins, and names of C in the
  /// place of others.
  void set(const char* function, const char* sentence) noexcept {
    const char* rest = sentence;
    while ((*rest >= 'a' && *rest <= 'z') || (*rest >= '0' && *rest <= '9') || *rest == '_') ++rest;
    rest = rest != sentence && rest[0] == ':' && rest[1] == ' ' ? rest + 2 : sentence;
    std::size_t at = 0;
    const auto put = [&](std::string_view part) {
      for (std::size_t i = 0; i < part.size() && at + 1 < sizeof text; ++i) text[at++] = part[i];
    };
    put(function), put(": ");
    for (std::string_view left = rest; !left.empty();) {
      std::size_t read = 1;
      std::string_view part = left.substr(0, 1);
      for (renamed const& r : names_of_c)
        if (left.starts_with(r.in_cpp)) read = r.in_cpp.size(), part = r.in_c;
      put(part);
      left.remove_prefix(read);
    }
    text[at] = '\0';
  }
};
inline last_error& error_of_thread() noexcept {
  static thread_local last_error mine;
  return mine;
}

/// Calls body() and returns its status.
template <class Body>
hone_status guarded(const char* function, Body const& body) noexcept {
  try {
    body();
    return HONE_OK;
  } catch (invalid_argument const& wrong) {
    error_of_thread().set(function, wrong.what());
    return HONE_INVALID_ARGUMENT;
  } catch (io_error const& wrong) {
    error_of_thread().set(function, wrong.what());
    return HONE_IO;
  } catch (std::bad_alloc const&) {
    error_of_thread().set(function, "no memory");
    return HONE_OUT_OF_MEMORY;
  } catch (std::exception const& wrong) {
    error_of_thread().set(function, wrong.what());
  } catch (...) {
    error_of_thread().set(function, "an exception that is no std::exception");
  }
  return HONE_FAILED;
}

/// Fails if a pointer that a call needs is null.
template <class T>
T& given(T* pointer, const char* name) {
  if (!pointer) detail::fail("%s is NULL", name);
  return *pointer;
}

/// Returns the caller's options over the defaults: those of an older hone.h are shorter. `least`: the size of the
/// struct in version 0.1. Fails for sizes that no version has.
template <class Options>
Options read_options(Options const* from, Options const& defaults, const char* name = "options",
                     std::size_t least = sizeof(Options)) {
  if (!from) return defaults;
  if (from->size < least)
    detail::fail("size of the %s is %zu, must be at least %zu, as sizeof says", name, from->size, least);
  if (from->size > sizeof(Options))
    detail::fail("size of the %s is %zu, must be at most %zu: the program has the header of a newer hone", name,
                 from->size, sizeof(Options));
  Options options = defaults;
  std::memcpy(&options, from, from->size);
  return options;
}

/// Fails with "kind is 9, must be in [0, 4]" if a number is none of an enumeration.
inline void require_kind(const char* name, std::int32_t kind, std::int32_t last) {
  if (kind < 0 || kind > last) detail::fail("%s is %d, must be in [0, %d]", name, int(kind), int(last));
}
/// Fails with "parameter is x, must be range" if ok is false.
inline void require(bool ok, const char* parameter, double x, const char* range) {
  if (!ok) detail::fail("%s is %.9g, must be %s", parameter, x, range);
}

}  // namespace hone::inline HONE_ABI::c

#include <hone/core/macros_pop.hpp>
