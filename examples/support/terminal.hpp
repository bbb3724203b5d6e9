// SPDX-License-Identifier: MIT
/// A line that is drawn over and over on a terminal, and never where there is none.
#pragma once

#include <chrono>
#include <string>

namespace demo {

class status_line {
 public:
  status_line();
  status_line(const status_line&) = delete;
  status_line& operator=(const status_line&) = delete;
  ~status_line() { clear(); }

  /// Draws left, a bar that is full at 1, and right; at most ten times a second.
  void show(const std::string& left, double done, const std::string& right);
  void clear();

 private:
  using clock = std::chrono::steady_clock;

  const bool terminal_;
  clock::time_point drawn_ = {};
  bool visible_ = false;
};

/// "1:05", "1:02:03"
std::string clock_text(double seconds);

}  // namespace demo
