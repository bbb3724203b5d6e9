// SPDX-License-Identifier: MIT
/// Formats a message by the rules of printf, with the same result in every locale and with every C library: a locale
/// may have a decimal comma, and some libraries of Windows do not know %jd.
#pragma once

#include <hone/core/config.hpp>

#include <charconv>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <string>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

inline int digits_of(const char*& at) noexcept {
  int number = 0;
  for (; *at >= '0' && *at <= '9'; ++at) number = 10 * number + (*at - '0');
  return number;
}

/// Returns the formatted text. Supports the conversions %s, %d, %u, %x, %g and %%; the lengths j and z; a precision for
/// %s and %g; a width, filled with zeros, for %u and %x. At any other conversion it stops and appends the remaining
/// format unchanged.
inline std::string formatted(const char* at, std::va_list values) {
  std::string text;
  for (; *at; ++at) {
    if (*at != '%') {
      text += *at;
      continue;
    }
    const char* const percent = at++;
    const int width = digits_of(at);
    const bool precise = *at == '.', given = precise && at[1] == '*';
    if (precise) ++at;
    if (given) ++at;
    const int precision = given ? va_arg(values, int) : precise ? digits_of(at) : -1;
    const char length = *at == 'j' || *at == 'z' ? *at++ : '\0';
    char number[64];
    char *const limit = number + sizeof number, *end = number;
    switch (*at) {
      case '%':
        text += '%';
        break;
      case 's': {
        const char* const word = va_arg(values, const char*);
        for (int i = 0; (precision < 0 || i < precision) && word[i]; ++i) text += word[i];
        break;
      }
      case 'd':
        end = std::to_chars(number, limit,
                            length == 'j'   ? va_arg(values, std::intmax_t)
                            : length == 'z' ? std::intmax_t(va_arg(values, std::ptrdiff_t))
                                            : std::intmax_t(va_arg(values, int)))
                  .ptr;
        break;
      case 'u':
      case 'x':
        end = std::to_chars(number, limit,
                            length == 'j'   ? va_arg(values, std::uintmax_t)
                            : length == 'z' ? std::uintmax_t(va_arg(values, std::size_t))
                                            : std::uintmax_t(va_arg(values, unsigned)),
                            *at == 'x' ? 16 : 10)
                  .ptr;
        text.append(static_cast<std::size_t>(width > end - number ? width - (end - number) : 0), '0');
        break;
      case 'g':
        end = std::to_chars(number, limit, va_arg(values, double), std::chars_format::general,
                            precision < 0 ? 6 : precision)
                  .ptr;
        break;
      default:
        return text += percent;
    }
    text.append(number, end);
  }
  return text;
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
