// SPDX-License-Identifier: MIT
#include "terminal.hpp"

#include "text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

namespace demo {
namespace {

bool on_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) != 0 && term != nullptr && std::string_view(term) != "dumb";
}

int terminal_width() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

status_line::status_line() : terminal_(on_terminal()) {}

void status_line::show(const std::string& left, double done, const std::string& right) {
  const clock::time_point now = clock::now();
  if (!terminal_ || now - drawn_ < std::chrono::milliseconds(100)) return;
  drawn_ = now;
  const int room = std::min(30, terminal_width() - 3 - static_cast<int>(left.size() + right.size()));
  std::string bar;
  if (room >= 5) {  // a narrow terminal gets the numbers only
    const int full = std::clamp(static_cast<int>(room * done), 0, room);
    bar = '[' + std::string(static_cast<std::size_t>(full), '#') +
          std::string(static_cast<std::size_t>(room - full), '.') + ']';
  }
  const std::string line = (left + bar + right).substr(0, static_cast<std::size_t>(terminal_width() - 1));
  std::printf("\r%s\033[K", line.c_str());
  std::fflush(stdout);
  visible_ = true;
}

void status_line::clear() {
  if (visible_) std::printf("\r\033[K");
  std::fflush(stdout);
  visible_ = false;
}

std::string clock_text(double seconds) {
  const auto s = static_cast<long>(std::ceil(seconds));
  return s < 3600 ? format("%ld:%02ld", s / 60, s % 60) : format("%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
}

}  // namespace demo
