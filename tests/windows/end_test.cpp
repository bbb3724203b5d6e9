// SPDX-License-Identifier: MIT
// The end of a process on Windows: static objects constructed before hone's state call hone in their destructors.
#if defined(_WIN32)
#include <process/work.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace {

double at_the_end = 0;  // what all verbs must still answer; 0 where they were not asked

struct calls_at_its_end {
  const char* name;

  explicit calls_at_its_end(const char* name_) : name(name_) {}
  ~calls_at_its_end() {
    if (at_the_end == 0) return;
    process::work w(400, 37);
    for (const int threads : {1, 2, 4, 2})
      if (w.all(threads) != at_the_end) {
        std::printf("%s: another answer at its end\n", name);
        std::fflush(stdout);
        std::_Exit(1);
      }
  }
};

calls_at_its_end const first("static object");

}  // namespace

TEST_CASE("hone gives the same results in destructors at process end, and in threads that have ended") {
  at_the_end = process::work(400, 37).all(4);
  for (int i = 0; i < 3; ++i) std::thread([] { CHECK(process::work(400, 37).all(3) == at_the_end); }).join();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the workers fall asleep
}
#endif
