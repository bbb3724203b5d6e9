// SPDX-License-Identifier: MIT
/// Formats a message by the rules of printf, with the same result in every locale and with every C library: a locale
/// may have a decimal comma, and some libraries of Windows do not know %jd.
#pragma once

#include <hone/core/config.hpp>

#include <charconv>
#include <cstdarg>
#include <cstddef>
#include <cstdint>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// Writes text to memory and counts it; without memory it counts only. Every file that includes hone compiles these
/// functions again: with std::string and std::to_chars of integers that would take a tenth of a second more.
class text_writer {
 public:
  explicit text_writer(char* to) noexcept : to_(to) {}

  void add(char c) noexcept {
    if (to_) to_[size_] = c;
    ++size_;
  }
  void add(const char* begin, const char* end) noexcept {
    for (; begin != end; ++begin) add(*begin);
  }
  void add_integer(std::uintmax_t x, unsigned base, int width) noexcept {
    char digits[64];
    char *const end = digits + sizeof digits, *begin = end;
    do {
      *--begin = "0123456789abcdef"[x % base];
      x /= base;
    } while (x != 0);
    for (; width > end - begin; --width) add('0');
    add(begin, end);
  }
  void add_real(double x, int precision) noexcept {
    char number[64];
    add(number, std::to_chars(number, number + sizeof number, x, std::chars_format::general, precision).ptr);
  }

  std::size_t size() const noexcept { return size_; }

 private:
  char* to_;
  std::size_t size_ = 0;
};

inline int digits_of(const char*& at) noexcept {
  int number = 0;
  for (; *at >= '0' && *at <= '9'; ++at) number = 10 * number + (*at - '0');
  return number;
}

/// Writes the formatted text. Supports the conversions %s, %d, %u, %x, %g and %%; the lengths j and z; a precision for
/// %s and %g; a width, filled with zeros, for %u and %x. At any other conversion it stops and writes the remaining
/// format unchanged.
[[gnu::cold]] inline void write_formatted(text_writer& text, const char* at, std::va_list values) noexcept {
  for (; *at; ++at) {
    if (*at != '%') {
      text.add(*at);
      continue;
    }
    const char* percent = at++;
    const int width = digits_of(at);
    const bool precise = *at == '.', from_argument = precise && at[1] == '*';
    if (precise) ++at;
    if (from_argument) ++at;
    const int precision = from_argument ? va_arg(values, int) : precise ? digits_of(at) : -1;
    const char length = *at == 'j' || *at == 'z' ? *at++ : '\0';
    switch (*at) {
      case '%':
        text.add('%');
        break;
      case 's': {
        const char* const word = va_arg(values, const char*);
        for (int i = 0; (precision < 0 || i < precision) && word[i]; ++i) text.add(word[i]);
        break;
      }
      case 'd': {
        const std::intmax_t x = length == 'j'   ? va_arg(values, std::intmax_t)
                                : length == 'z' ? std::intmax_t(va_arg(values, std::ptrdiff_t))
                                                : std::intmax_t(va_arg(values, int));
        if (x < 0) text.add('-');
        text.add_integer(x < 0 ? 0 - std::uintmax_t(x) : std::uintmax_t(x), 10, 0);
        break;
      }
      case 'u':
      case 'x':
        text.add_integer(length == 'j'   ? va_arg(values, std::uintmax_t)
                         : length == 'z' ? std::uintmax_t(va_arg(values, std::size_t))
                                         : std::uintmax_t(va_arg(values, unsigned)),
                         *at == 'x' ? 16 : 10, width);
        break;
      case 'g':
        text.add_real(va_arg(values, double), precision < 0 ? 6 : precision);
        break;
      default:
        while (*percent) text.add(*percent++);
        return;
    }
  }
}

/// A formatted text.
class message {
 public:
  [[gnu::cold]] message(const char* format, std::va_list values) {
    std::va_list again;
    va_copy(again, values);
    text_writer counted(nullptr);
    write_formatted(counted, format, again);
    va_end(again);
    text_ = new char[counted.size() + 1];
    text_writer written(text_);
    write_formatted(written, format, values);
    written.add('\0');
  }
  message(message const&) = delete;
  message& operator=(message const&) = delete;
  ~message() { delete[] text_; }

  const char* c_str() const noexcept { return text_; }

 private:
  char* text_;
};

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
