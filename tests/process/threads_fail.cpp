// SPDX-License-Identifier: MIT
// Threads that the system does not give: this program's own pthread_create refuses the k-th, or all from the k-th on.
// The bits of an answer are the same, nothing hangs, and a later call asks again.
#include "work.hpp"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#if defined(SANITIZED)  // they have a pthread_create of their own
int main() { return 77; }
#else

namespace {

std::atomic<int> asked{0}, given{0}, refused_from{std::numeric_limits<int>::max()}, refused_to{0};

void require(bool ok, const char* what, int k) {
  if (ok) return;
  std::printf("%s, k = %d\n", what, k);
  std::fflush(stdout);
  std::_Exit(1);
}

/// In a process of its own, whose pool has no thread yet. Threads [k, last] are refused.
[[noreturn]] void ask(double expected, int k, int last) {
  alarm(60);
  process::work w(300, 37);
  refused_from = k, refused_to = last;
  for (const int threads : {6, 6, 2, 8, 8}) require(w.all(threads) == expected, "another answer", k);
  const bool all = last > 100;
  require(given == (all ? k - 1 : 7), all ? "threads that were refused" : "one refusal is for ever", k);
  require(asked > given, "nothing was refused", k);
  refused_to = 0;
  for (int i = 0; i < 3; ++i) require(w.all(8) == expected, "another answer where there are threads again", k);
  require(given == 7, "no threads where there are some again", k);
  std::exit(0);  // the end joins those that there are
}

}  // namespace

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*),
                              void* argument) noexcept {
  static const auto real = reinterpret_cast<decltype(&pthread_create)>(dlsym(RTLD_NEXT, "pthread_create"));
  const int number = ++asked;
  if (number >= refused_from && number <= refused_to) return EAGAIN;
  const int status = real(thread, attributes, body, argument);
  given += status == 0;
  return status;
}

int main() {
  const double expected = process::work(300, 37).all(1);
  for (int k = 1; k <= 7; ++k)
    for (const int last : {k, std::numeric_limits<int>::max() - 1}) {
      const pid_t child = fork();
      if (child == 0) ask(expected, k, last);
      int status = 0;
      require(waitpid(child, &status, 0) == child && status == 0, "a process fails", k);
    }
  return 0;
}
#endif
