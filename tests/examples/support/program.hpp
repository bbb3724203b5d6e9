// SPDX-License-Identifier: MIT
/// A program as its user meets it: what it prints and its exit code.
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace test {

struct outcome {
  int exit_code;
  std::string text;
};

inline bool has(const std::string& text, const std::string& part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found) MESSAGE("no '" << part << "' in: " << text);
  return found;
}

/// Without the data of pictures, in which every word may occur.
inline std::string without_pictures(std::string page) {
  const std::string mark = "base64,";
  for (std::size_t at = 0; (at = page.find(mark, at)) != std::string::npos; at += mark.size())
    page.erase(at + mark.size(), page.find('"', at) - at - mark.size());
  return page;
}

/// A whole HTML page that needs nothing from outside, and in which no number is none.
inline void check_page(const std::string& whole) {
  const std::string page = without_pictures(whole);
  CHECK(has(page, "<!doctype html>"));
  CHECK(has(page, "</html>"));
  for (const char* not_there : {"http:", "https:", "<link", "<script", "src=", "@import", "url(", "nan"})
    CHECK_MESSAGE(page.find(not_there) == std::string::npos, not_there);
}

/// Runs PROGRAM; when its output holds `word`, it is sent the signal once.
inline outcome run(const std::vector<std::string>& arguments, const std::string& word = {}, int signal = SIGINT) {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  std::vector<char*> argv = {const_cast<char*>(PROGRAM)};
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    execv(PROGRAM, argv.data());
    _exit(99);
  }
  close(ends[1]);
  outcome result{-1, {}};
  std::array<char, 4096> buffer{};
  bool sent = word.empty();
  for (ssize_t got; (got = ::read(ends[0], buffer.data(), buffer.size())) > 0;) {
    result.text.append(buffer.data(), static_cast<std::size_t>(got));
    if (!sent && result.text.find(word) != std::string::npos) {
      kill(child, signal);
      sent = true;
    }
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace test
