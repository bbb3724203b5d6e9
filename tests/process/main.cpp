// SPDX-License-Identifier: MIT
// hone and what a process does around it: its end, its children, its threads' cores and arithmetic. The argument names
// the case; status 0 where it went as it should, 77 where this machine cannot tell.
#include "work.hpp"

#include <atomic>
#include <cfenv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace {

constexpr int skipped = 77;

[[noreturn]] void fail(const char* what) {
  std::printf("%s\n", what);
  std::fflush(stdout);
  std::_Exit(1);
}
void require(bool ok, const char* what) {
  if (!ok) fail(what);
}

// ---- the end: destructors of objects that were made before hone's own state, and so outlive it

std::optional<double> at_the_end;  // what all verbs must still answer; nothing is asked of them in other cases

struct calls_at_its_end {
  const char* name;

  explicit calls_at_its_end(const char* name_) : name(name_) {}
  ~calls_at_its_end() {
    if (!at_the_end) return;
    process::work w(400, 37);
    for (const int threads : {1, 2, 4, 2}) require(w.all(threads) == at_the_end, name);
  }
};

calls_at_its_end last("static object");

void use_thread(const char* name) {
  static thread_local const calls_at_its_end first(name);
  require(process::work(400, 37).all(3) == at_the_end, name);
  static thread_local const calls_at_its_end second(name);  // ends while hone's scratch memory is there
  static_cast<void>(first), static_cast<void>(second);
}

int end() {
  at_the_end = process::work(400, 37).all(1);
  use_thread("thread_local object of the first thread");
  for (int i = 0; i < 3; ++i) std::thread(use_thread, "thread_local object").join();
  return 0;
}
int end_without_pool() {  // it is first asked for by the static object
  at_the_end = process::work(400, 37).all(1);
  return 0;
}

/// Processes whose first calls come at once, from several threads: each of them may see to the process's end.
int end_after_a_race() {
#if defined(__SANITIZE_THREAD__)
  return skipped;  // it ends children that start threads
#endif
  for (int i = 0; i < 200; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(60);
      std::atomic<int> ready{0};
      std::vector<std::thread> callers;
      for (int t = 0; t < 2; ++t)
        callers.emplace_back([&] {
          process::work w(300, 100);
          for (++ready; ready < 2;) continue;
          w.loss(2);
        });
      for (std::thread& t : callers) t.join();
      std::exit(0);
    }
    int status = 0;
    require(waitpid(child, &status, 0) == child && status == 0,
            "a process whose first calls came at once does not end");
  }
  return 0;
}

// ---- fork

std::string cores_of(std::string const& thread) {
  std::ifstream status("/proc/self/task/" + thread + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("Cpus_allowed:")) return line.substr(13);
  return "";
}

/// What a child of fork() asks; it has a minute, or is ended.
[[noreturn]] void be_child(double expected, int depth) {
  alarm(60);
  process::work w(300, 100);
  const std::string cores = cores_of(std::to_string(getpid()));
  for (const int threads : {2, 3, 1, 4}) require(w.loss(threads) == expected, "a child has another answer");
  require(cores_of(std::to_string(getpid())) == cores, "a child has lost cores");
  if (depth > 0) {
    const pid_t child = fork();
    if (child == 0) be_child(expected, depth - 1);
    int status = 0;
    require(waitpid(child, &status, 0) == child && status == 0, "a child's child fails");
  }
  if (depth % 2 == 0) std::exit(0);  // the end of a child's pool
  std::_Exit(0);
}

void fork_often(double expected, int children) {
  for (int i = 0; i < children; ++i) {
    const pid_t child = fork();
    if (child == 0) be_child(expected, i % 10 == 0 ? 2 : i % 2);
    int status = 0;
    require(waitpid(child, &status, 0) == child, "no child");
    require(status == 0, "a child fails");
  }
}
int forks() {
#if defined(__SANITIZE_THREAD__)
  return skipped;  // it ends children that start threads
#endif
  process::work own(300, 100);
  const double expected = own.loss(1);
  for (int i = 0; i < 30; ++i) {  // a pool that nobody owns, its workers awake or not
    require(own.loss(2) == expected, "another answer");
    if (i % 4 == 0) usleep(500);
    fork_often(expected, 1);
  }
  std::atomic<bool> stop{false};
  std::vector<std::thread> callers;
  for (int i = 0; i < 2; ++i)
    callers.emplace_back([&] {
      process::work w(300, 100);
      while (!stop) {
        require(w.loss(3) == expected, "a caller has another answer while the process forks");
        usleep(200);
      }
    });
  fork_often(expected, 20);
  stop = true;
  for (std::thread& t : callers) t.join();
  return 0;
}

// ---- arithmetic

/// Averages of small numbers, down to denormal ones.
std::vector<float> averages(int threads) {
  std::vector<float> numbers(1 << 20);
  float x = 1e-30f;
  for (float& n : numbers) n = x, x = x < 1e-45f ? 1e-30f : x * 0.7f;
  hone::tensor_list<float> list;
  list.push_back({numbers.data(), hone::index(numbers.size())});
  hone::ema_state<float> state(list);
  for (float& n : numbers) n *= 3;
  hone::update(hone::cpu(threads), hone::ema{.decay = 0.7}, state, list);
  hone::copy(hone::cpu(threads), state, list);
  return numbers;
}
void same_bits(const char* what) {
  const auto alone = averages(1);
  const double loss = process::work().loss(1);
  for (int round = 0; round < 20; ++round) {
    const auto shared = averages(3);
    for (std::size_t i = 0; i < alone.size(); ++i)
      require(__builtin_bit_cast(std::uint32_t, alone[i]) == __builtin_bit_cast(std::uint32_t, shared[i]), what);
    require(process::work().loss(3) == loss, what);
  }
}
int environment() {
  same_bits("bits depend on threads");  // the pool is there before anything is set
  for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO, FE_TONEAREST}) {
    std::fesetround(mode);
    same_bits("bits depend on threads where the caller rounds otherwise");
  }
#if defined(__SSE2__)
  const unsigned before = _mm_getcsr();
  for (const unsigned flush : {0x8040u, 0x8000u, 0x40u, 0u}) {
    _mm_setcsr((before & ~0x8040u) | flush);
    same_bits("bits depend on threads where the caller flushes denormal numbers");
  }
#endif
  return 0;
}

// ---- cores

std::string cores_of_workers() {  // of all threads but the first, one after the other
  std::string all;
  for (auto const& entry : std::filesystem::directory_iterator("/proc/self/task"))
    if (entry.path().filename() != std::to_string(getpid())) all += cores_of(entry.path().filename());
  return all;
}

/// A pool made by a caller that is pinned, and used once it is not.
int pinned() {
  cpu_set_t all, one;
  if (sched_getaffinity(0, sizeof all, &all) != 0 || CPU_COUNT(&all) < 2) return skipped;
  const int here = sched_getcpu();
  if (here < 0) return skipped;
  CPU_ZERO(&one);
  CPU_SET(unsigned(here), &one);
  require(sched_setaffinity(0, sizeof one, &one) == 0, "a thread cannot be pinned");
  process::work w;
  const double expected = w.loss(1);
  require(w.loss(2) == expected, "another answer");
  const std::string stuck = cores_of_workers(), own = cores_of(std::to_string(getpid()));
  require(sched_setaffinity(0, sizeof all, &all) == 0, "a thread cannot be freed");
  bool same_core = true;
  for (int i = 0; i < 3; ++i) {
    same_core = same_core && sched_getcpu() == here;
    require(w.loss(2) == expected, "another answer");
  }
  require(stuck == own, "a worker is on cores that the process may not use");
  require(cores_of_workers() != own, "a worker stays on the core of a caller that was pinned");
  return 0;
}
/// A pool made by a pinned thread of a process that may use more.
int pinned_thread() {
  cpu_set_t all;
  if (sched_getaffinity(0, sizeof all, &all) != 0 || CPU_COUNT(&all) < 2) return skipped;
  std::string own, workers;
  std::thread([&] {
    const int here = sched_getcpu();
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(unsigned(here < 0 ? 0 : here), &one);
    require(sched_setaffinity(0, sizeof one, &one) == 0, "a thread cannot be pinned");
    const std::string before = cores_of_workers();
    process::work().loss(2);
    own = before, workers = cores_of_workers();
  }).join();
  require(workers != own + own && workers.size() > own.size(), "a worker is on the core of a caller that is pinned");
  return 0;
}

/// A process of one core, before its first call or only after it.
int one_core(bool before_first_call) {
  cpu_set_t one;
  const int here = sched_getcpu();
  if (here < 0) return skipped;
  CPU_ZERO(&one);
  CPU_SET(unsigned(here), &one);
  process::work w;
  const double expected = w.loss(1);
  const int all_cores = before_first_call ? 1 : hone::cpu().threads();
  if (!before_first_call) require(w.loss(4) == expected, "another answer");
  require(sched_setaffinity(0, sizeof one, &one) == 0, "a process cannot be pinned");
  require(hone::cpu().threads() == all_cores, "hone::cpu() has not the cores of its first call");
  for (const int threads : {4, 2, 3, 4}) require(w.loss(threads) == expected, "another answer on one core");
  require(w.all(4) == process::work().all(1), "other answers on one core");
  return 0;
}

/// No thread is to be had: there is no room for a stack.
int no_threads() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return skipped;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return skipped;
#endif
#endif
  process::work w;
  const double expected = w.loss(1);
  std::ifstream statm("/proc/self/statm");
  rlim_t pages = 0;
  statm >> pages;
  rlimit limit{};
  require(getrlimit(RLIMIT_AS, &limit) == 0, "no limit");
  const rlimit before = limit;
  limit.rlim_cur = pages * rlim_t(sysconf(_SC_PAGESIZE)) + (rlim_t(3) << 20);
  require(setrlimit(RLIMIT_AS, &limit) == 0, "the address space cannot be limited");
  for (int i = 0; i < 10; ++i) require(w.loss(4) == expected, "another answer");
  require(cores_of_workers().empty(), "there were threads to be had");
  require(setrlimit(RLIMIT_AS, &before) == 0, "the address space cannot be freed");
  for (int i = 0; i < 10; ++i) require(w.loss(4) == expected, "another answer");
  require(!cores_of_workers().empty(), "no threads where there are some again");
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string_view name = count == 2 ? arguments[1] : "";
  if (name == "end") return end();
  if (name == "end_without_pool") return end_without_pool();
  if (name == "end_after_a_race") return end_after_a_race();
  if (name == "fork") return forks();
  if (name == "environment") return environment();
  if (name == "pinned") return pinned();
  if (name == "pinned_thread") return pinned_thread();
  if (name == "one_core") return one_core(true);
  if (name == "one_core_later") return one_core(false);
  if (name == "no_threads") return no_threads();
  return 2;
}
