// SPDX-License-Identifier: MIT
/// The number and the set of cores that the process may use: the cores of the machine, limited by the affinity of the
/// process and by the CPU quota of its control group (of a container or a job).
#pragma once

#include <hone/core/config.hpp>
#include <hone/core/windows.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#include <unistd.h>
#endif

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

inline constexpr int most_threads = 1024;

/// Returns the number of threads for these numbers of cores; 0 means unknown.
inline int threads_for(std::int64_t machine, std::int64_t affinity, std::int64_t quota) noexcept {
  std::int64_t least = machine > 0 ? machine : affinity > 0 ? affinity : 1;
  if (affinity > 0) least = std::min(least, affinity);
  if (quota > 0) least = std::min(least, quota);
  return static_cast<int>(std::min<std::int64_t>(least, most_threads));
}

/// Returns the number of cores that a quota allows, rounded up; 0 if there is no quota ("max", -1).
inline std::int64_t cores_of_quota(double quota, double period) noexcept {
  if (!(quota > 0 && period > 0 && quota / period < 1e9)) return 0;
  const auto whole = static_cast<std::int64_t>(quota / period);
  return whole + (static_cast<double>(whole) * period < quota);
}

/// A file opened for reading and closed by the destructor, also after std::bad_alloc; get() is null if it cannot open.
class open_file {
 public:
  explicit open_file(const char* path) noexcept : file_(std::fopen(path, "r")) {}
  open_file(open_file const&) = delete;
  open_file& operator=(open_file const&) = delete;
  ~open_file() {
    if (file_) std::fclose(file_);
  }
  std::FILE* get() const noexcept { return file_; }

 private:
  std::FILE* file_;
};

/// Returns the first line of a small file; empty if there is no such file.
inline std::string first_line(std::string const& path) {
  std::string line;
  const open_file file(path.c_str());
  if (file.get())
    for (int c = std::fgetc(file.get()); c != EOF && c != '\n' && line.size() < 4096; c = std::fgetc(file.get()))
      line.push_back(static_cast<char>(c));
  return line;
}

/// Returns the quota of one folder: cpu.max of version 2 ("200000 100000"), or the two files of version 1.
inline std::int64_t quota_of_folder(std::string const& folder) {
  double quota = 0, period = 0;
  if (std::sscanf(first_line(folder + "/cpu.max").c_str(), "%lf %lf", &quota, &period) == 2)
    return cores_of_quota(quota, period);
  if (std::sscanf(first_line(folder + "/cpu.cfs_quota_us").c_str(), "%lf", &quota) == 1 &&
      std::sscanf(first_line(folder + "/cpu.cfs_period_us").c_str(), "%lf", &period) == 1)
    return cores_of_quota(quota, period);
  return 0;
}

/// Returns the smallest quota of a group and its parents, or 0. root: the mount point of the groups; path is absolute.
inline std::int64_t quota_of_group(std::string const& root, std::string path) {
  std::int64_t least = 0;
  for (;;) {
    if (const std::int64_t cores = quota_of_folder(root + path); cores > 0)
      least = least ? std::min(least, cores) : cores;
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return least;
    path.resize(slash);
  }
}

/// Returns true if cpu is one of the controllers in a line such as "cpu,cpuacct".
inline bool names_cpu(std::string_view controllers) {
  for (;;) {
    const auto comma = controllers.find(',');
    if (controllers.substr(0, comma) == "cpu") return true;
    if (comma == controllers.npos) return false;
    controllers.remove_prefix(comma + 1);
  }
}

/// Returns the quota of the process. membership: /proc/self/cgroup, lines such as "0::/a/b" (v2) or "4:cpu,cpuacct:/a".
inline std::int64_t quota_of_process(std::string const& membership, std::string const& mounts) {
  std::int64_t least = 0;
  const open_file file(membership.c_str());
  if (!file.get()) return 0;
  char text[4096];
  while (std::fgets(text, sizeof text, file.get())) {
    std::string_view line(text);
    if (!line.empty() && line.back() == '\n') line.remove_suffix(1);
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string path(line.substr(second + 1));
    std::int64_t cores = 0;
    if (controllers.empty()) cores = quota_of_group(mounts, path);
    if (names_cpu(controllers)) cores = quota_of_group(mounts + "/cpu", path);
    if (cores > 0) least = least ? std::min(least, cores) : cores;
  }
  return least;
}

#if defined(__linux__)
/// Returns the cores of the process's first thread, which other threads inherit; none if a cpu_set_t is too small.
inline std::optional<cpu_set_t> cores_of_process() noexcept {
  cpu_set_t cores;
  if (sched_getaffinity(getpid(), sizeof cores, &cores) != 0) return {};
  return cores;
}
#elif defined(_WIN32)
/// Returns the number of cores that the process may use in its group of at most 64; 0 if it runs in several groups.
inline std::int64_t cores_of_process() noexcept {
  namespace windows = detail::windows;
  windows::dword_ptr own = 0, all = 0;
  if (!windows::GetProcessAffinityMask(windows::GetCurrentProcess(), &own, &all)) return 0;
  return std::popcount(own);
}
#endif

/// Returns the number of threads of hone::cpu{}. Stores the result, because finding it reads several files.
inline int usable_threads() {
  static constinit std::atomic<int> known{0};
  if (const int threads = known; threads > 0) return threads;
  std::int64_t affinity = 0, quota = 0;
#if defined(__linux__)
  if (const auto cores = cores_of_process()) affinity = CPU_COUNT(&*cores);
  quota = quota_of_process("/proc/self/cgroup", "/sys/fs/cgroup");
#elif defined(_WIN32)
  affinity = cores_of_process();
#endif
  const int threads = threads_for(std::thread::hardware_concurrency(), affinity, quota);
  known = threads;
  return threads;
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
