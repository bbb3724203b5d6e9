// SPDX-License-Identifier: MIT
/// How a bad argument is reported: one exception type, or a handler where exceptions are off.
#pragma once

#include <hone/core/config.hpp>
#include <hone/core/message.hpp>
#include <hone/core/number.hpp>

#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Names the function, the parameter and the values: "smooth: epsilon is 1.5, must be in [0, 1)".
class invalid_argument : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// Called with the message, in place of a throw, where exceptions are off (-fno-exceptions). It must not
/// return: hone aborts if it does. The default prints the message to stderr.
using error_handler = void (*)(const char* message);

namespace detail {

inline error_handler& handler() noexcept {
  static error_handler current = +[](const char* message) { std::fprintf(stderr, "hone: %s\n", message); };
  return current;
}

/// Throws the error; where exceptions are off, hands its message to the handler and aborts.
template <class Error>
[[noreturn]] void raise(Error const& error) {
#if HONE_HAS_EXCEPTIONS
  throw error;
#else
  handler()(error.what());
  std::abort();
#endif
}

/// A message by the rules of printf, as far as message.hpp knows them: a call of it is a few instructions where strings
/// that are put together on the spot would be most of an evaluate. Numbers of rows are %jd, as std::intmax_t; others
/// %.9g, with a decimal point in every locale.
[[noreturn, gnu::cold, gnu::format(HONE_PRINTF, 1, 2)]] inline void fail(const char* format, ...) {
  std::va_list values;
  va_start(values, format);
  const std::string message = formatted(format, values);
  va_end(values);
  raise(invalid_argument(message));
}

/// fail() on the host, where ok is false. On a device it says nothing: the host has asked before the kernel ran.
template <class... Values>
HONE_HD void fail_unless([[maybe_unused]] bool ok, [[maybe_unused]] const char* format,
                         [[maybe_unused]] Values... values) {
  HONE_ON_HOST(if (!ok) fail(format, values...);)
}

/// "function: parameter is x, must be range". Conditions are written so that NaN fails them.
HONE_HD inline void require(bool ok, const char* function, const char* parameter, double x, const char* range) {
  fail_unless(ok, "%s: %s is %.9g, must be %s", function, parameter, x, range);
}
HONE_HD inline void require(bool ok, const char* function, const char* parameter, std::int64_t x, const char* range) {
  fail_unless(ok, "%s: %s is %jd, must be %s", function, parameter, std::intmax_t(x), range);
}

/// By its bits, so that -ffast-math cannot fold it away.
HONE_HD inline bool finite(double x) noexcept {
  const auto bits = __builtin_bit_cast(std::uint64_t, x);
  return (bits >> 52 & 0x7ff) != 0x7ff;
}

/// Of what divides or scales.
HONE_HD inline void require_positive(const char* function, const char* parameter, double x) {
  require(x > 0 && finite(x), function, parameter, x, "finite and positive");
}

}  // namespace detail

/// Sets the handler for builds without exceptions and returns the one it replaces.
inline error_handler set_error_handler(error_handler handler) noexcept {
  const error_handler old = detail::handler();
  detail::handler() = handler;
  return old;
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
