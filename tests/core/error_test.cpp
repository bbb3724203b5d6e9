// SPDX-License-Identifier: MIT
#include <hone/core/error.hpp>

#include "support/folder.hpp"
#include "support/message.hpp"

#include <doctest/doctest.h>

#include <clocale>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <thread>

namespace {

using support::message;

std::string printed(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", x);
  return text;
}

TEST_CASE("error messages have decimal points under every locale, which stays unchanged") {
#if defined(_WIN32)
  const bool german = std::setlocale(LC_ALL, "German_Germany.1252") != nullptr;
#else
  const support::folder here;  // for a locale that the machine need not have
  const std::string made = "localedef -i de_DE -f UTF-8 '" + here.file("de_DE.UTF-8") + "' > /dev/null 2>&1";
  if (std::system(made.c_str()) == 0) ::setenv("LOCPATH", here.path.c_str(), 1);
  const bool german = std::setlocale(LC_ALL, "de_DE.UTF-8") != nullptr;
  ::unsetenv("LOCPATH");
#endif
  if (!german) {
    MESSAGE("there is no locale with a decimal comma here");
    return;
  }
  REQUIRE(printed(1.5) == "1,5");
  const auto said = [] { return message([] { hone::detail::require(false, "smooth", "epsilon", 1.5, "in [0, 1)"); }); };
  CHECK(said() == "smooth: epsilon is 1.5, must be in [0, 1)");
  CHECK(message([] {
          hone::detail::fail("f: %zu of %jd at %.9g, \"%s\"", std::size_t(1'000'000), std::intmax_t(-1'234'567), 1e-300,
                             "1,5");
        }) == "f: 1000000 of -1234567 at 1e-300, \"1,5\"");
  CHECK(printed(1.5) == "1,5");  // as before
  std::string in_a_thread;
  std::thread([&] { in_a_thread = said() + printed(2.5); }).join();
  CHECK(in_a_thread == "smooth: epsilon is 1.5, must be in [0, 1)2,5");
  std::setlocale(LC_ALL, "C");
  CHECK(said() == "smooth: epsilon is 1.5, must be in [0, 1)");
}

// By fail() and by printf, which agree in the C locale.
template <class... Values>
void compare(const char* format, Values... values) {
  char text[2048];
  REQUIRE(std::snprintf(text, sizeof text, format, values...) > 0);
  CHECK(message([&] { hone::detail::fail(format, values...); }) == text);
}

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-security"  // the formats are parameters here
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#endif
TEST_CASE("fail formats like printf") {
  using limits = std::numeric_limits<std::intmax_t>;
  for (const std::intmax_t x :
       {std::intmax_t(0), std::intmax_t(-1), std::intmax_t(1) << 32, limits::min(), limits::max()})
    compare("%jd %ju %zu %d %u|", x, std::uintmax_t(x), std::size_t(x), int(x), unsigned(x));
  for (const unsigned x : {0u, 1u, 0xabcdefu, ~0u}) compare("%08x %x %u %3u%%", x, x, x, 100 + x % 900);
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double x : {0.0, -0.0, 1.0, 0.1, -1.5, 1e-300, 5e-324, 123456789.0, 1234567890.0, 1e15,
                         1.7976931348623157e308, infinity, -infinity, std::nan("")})
    compare("%.9g %g %.17g", x, x, x);
  compare("a %s, b %.*s, c %.*s%s.", "one", 2, "two", 9, "three", "");
}
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

TEST_CASE("error messages are not truncated") {
  for (const std::size_t size : {0u, 1u, 400u, 499u, 500u, 501u, 511u, 512u, 513u, 4096u, 100'000u}) {
    const std::string path(size, 'x');
    CHECK(message([&] { hone::detail::fail("load_file: %s: the state ends after %zu bytes", path.c_str(), size); }) ==
          "load_file: " + path + ": the state ends after " + std::to_string(size) + " bytes");
  }
}

}  // namespace
