// SPDX-License-Identifier: MIT
/// Reports a bad argument: throws one exception type, or calls a handler if exceptions are off.
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

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The message names the function, the parameter and the value: "smooth: epsilon is 1.5, must be in [0, 1)".
class invalid_argument : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// Receives the message instead of a throw if exceptions are off (-fno-exceptions). It must not return:
/// hone aborts if it does. The default handler prints the message to stderr.
using error_handler = void (*)(const char* message);

namespace detail {

inline error_handler& handler() noexcept {
  static error_handler current = +[](const char* message) { std::fprintf(stderr, "hone: %s\n", message); };
  return current;
}

/// Throws the error. If exceptions are off, passes its message to the handler and aborts.
template <class Error>
[[noreturn]] void raise(Error const& error) {
#if HONE_HAS_EXCEPTIONS
  throw error;
#else
  handler()(error.what());
  std::abort();
#endif
}

/// Formats a message by the printf rules of message.hpp and raises it. A call is a few instructions; composing strings
/// at the call site would be most of the code of evaluate. Row numbers use %jd with std::intmax_t, other numbers %.9g,
/// with a decimal point in every locale.
[[noreturn, gnu::cold, gnu::format(HONE_PRINTF, 1, 2)]] inline void fail(const char* format, ...) {
  std::va_list values;
  va_start(values, format);
  const message text(format, values);
  va_end(values);
  raise(invalid_argument(text.c_str()));
}

/// Calls fail() on the host if ok is false. Does nothing on a device, because the host checks before the kernel runs.
template <class... Values>
HONE_HD void fail_unless([[maybe_unused]] bool ok, [[maybe_unused]] const char* format,
                         [[maybe_unused]] Values... values) {
  HONE_ON_HOST(if (!ok) fail(format, values...);)
}

/// Fails with "function: parameter is x, must be range" if ok is false. Conditions are written so that NaN fails them.
HONE_HD inline void require(bool ok, const char* function, const char* parameter, double x, const char* range) {
  fail_unless(ok, "%s: %s is %.9g, must be %s", function, parameter, x, range);
}
template <std::integral N>
HONE_HD void require(bool ok, const char* function, const char* parameter, N x, const char* range) {
  fail_unless(ok, "%s: %s is %jd, must be %s", function, parameter, std::intmax_t(x), range);
}

/// Returns true if x is finite. Tests the bits, because -ffast-math would fold a comparison away.
HONE_HD inline bool finite(double x) noexcept {
  const auto bits = __builtin_bit_cast(std::uint64_t, x);
  return (bits >> 52 & 0x7ff) != 0x7ff;
}

/// Fails if x, a divisor or a factor, is not finite and positive.
HONE_HD inline void require_positive(const char* function, const char* parameter, double x) {
  require(x > 0 && finite(x), function, parameter, x, "finite and positive");
}

}  // namespace detail

/// Sets the handler for builds without exceptions and returns the previous handler.
inline error_handler set_error_handler(error_handler handler) noexcept {
  const error_handler old = detail::handler();
  detail::handler() = handler;
  return old;
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
