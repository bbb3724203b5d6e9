// SPDX-License-Identifier: MIT
// Two plugins of one process, each with a hone of its own, of the same version: used in turn and at once, and closed
// while the other goes on. The arguments are the plugins, and `unloads` where a plugin that is closed must leave the
// process. No thread and no handler of a closed one may be left: the code that they would run is gone.
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

void require(bool ok, const char* what) {
  if (ok) return;
  std::printf("%s\n", what);
  std::fflush(stdout);
  std::_Exit(1);
}

class plugin {
 public:
  explicit plugin(const char* path) : library_(dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
    require(library_, "a plugin cannot be opened");
    all_ = reinterpret_cast<double (*)(int)>(dlsym(library_, "all_on_threads"));
    require(all_, "a plugin has no all_on_threads");
  }
  double all(int threads) const { return all_(threads); }
  void close() { require(dlclose(library_) == 0, "a plugin cannot be closed"); }

 private:
  void* library_;
  double (*all_)(int);
};

/// In a thread that ends: as long as one has memory of a plugin that it frees at its end, the plugin stays.
template <class Body>
void in_a_thread(Body const& body) {
  std::thread(body).join();
}
bool loaded(const char* path) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (line.find(std::filesystem::canonical(path).string()) != line.npos) return true;
  return false;
}
std::ptrdiff_t threads_now() {
  const std::filesystem::directory_iterator all("/proc/self/task");
  return std::distance(begin(all), end(all));
}
/// A thread that was joined may still be listed for a moment.
void require_threads(std::ptrdiff_t count, const char* what) {
  for (int i = 0; i < 2000 && threads_now() > count; ++i) usleep(1000);
  require(threads_now() <= count, what);
}

/// Of the other's threads, some come when this one asks for more.
void closed_after(plugin const& stays, const char* path, double expected, bool unloads) {
  const std::ptrdiff_t before = threads_now();
  plugin other(path);
  in_a_thread([&] {
    require(stays.all(2) == expected && other.all(4) == expected, "the plugins disagree");
    require(stays.all(3) == expected && other.all(2) == expected, "the plugins disagree");
  });
  other.close();
  require(!unloads || !loaded(path), "a plugin that was closed is still there");
  if (!loaded(path)) require_threads(before + 2, "a plugin that was closed left threads");
  in_a_thread([&] {
    for (const int threads : {4, 2, 5}) require(stays.all(threads) == expected, "another answer after the other's end");
  });
}

/// While it is opened, used by two threads and closed, again and again, the first goes on.
void closed_beside(plugin const& stays, const char* path, double expected) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> callers;
  for (const int threads : {2, 3})
    callers.emplace_back([&, threads] {
      while (!stop) require(stays.all(threads) == expected, "another answer beside the other");
    });
  for (int round = 0; round < 20; ++round) {
    plugin other(path);
    std::thread a([&] { require(other.all(3) == expected, "the plugins disagree at once"); });
    std::thread b([&] { require(other.all(2) == expected, "the plugins disagree at once"); });
    a.join(), b.join();
    other.close();
  }
  stop = true;
  for (std::thread& t : callers) t.join();
}

/// A handler of fork() that a closed plugin left would be called here.
void fork_once(plugin const& stays, double expected) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    in_a_thread([&] { require(stays.all(3) == expected, "a child has another answer"); });
    std::_Exit(0);
  }
  int status = 0;
  require(waitpid(child, &status, 0) == child && status == 0, "a child fails");
}

}  // namespace

int main(int count, char** arguments) {
  require(count >= 3, "the arguments must be two plugins");
  const bool unloads = count > 3 && arguments[3] == std::string_view("unloads");
  plugin first(arguments[1]);
  double expected = 0;
  in_a_thread([&] { expected = first.all(1); });
  for (int i = 0; i < 3; ++i) closed_after(first, arguments[2], expected, unloads);
#if !defined(__SANITIZE_THREAD__)  // it ends children that start threads
  fork_once(first, expected);
#endif
  closed_beside(first, arguments[2], expected);
  first.close();
  require(!unloads || !loaded(arguments[1]), "the first plugin is still there after it was closed");
  return 0;
}
