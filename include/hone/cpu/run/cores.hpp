// SPDX-License-Identifier: MIT
/// How many cores the process may use, and which: what the machine has, less what the affinity of the process and the
/// quota of its control group (a container's, a job's) take away.
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

/// The threads for so many cores; 0 stands for unknown.
inline int threads_for(std::int64_t machine, std::int64_t affinity, std::int64_t quota) noexcept {
  std::int64_t least = machine > 0 ? machine : affinity > 0 ? affinity : 1;
  if (affinity > 0) least = std::min(least, affinity);
  if (quota > 0) least = std::min(least, quota);
  return static_cast<int>(std::min<std::int64_t>(least, most_threads));
}

/// Cores that a quota pays for, rounded up; 0 where there is none ("max", -1).
inline std::int64_t cores_of_quota(double quota, double period) noexcept {
  if (!(quota > 0 && period > 0 && quota / period < 1e9)) return 0;
  const auto whole = static_cast<std::int64_t>(quota / period);
  return whole + (static_cast<double>(whole) * period < quota);
}

/// A file that is read, closed also where memory ends; null where there is none.
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

/// The first line of a small file; empty where there is none.
inline std::string first_line(std::string const& path) {
  std::string line;
  const open_file file(path.c_str());
  if (file.get())
    for (int c = std::fgetc(file.get()); c != EOF && c != '\n' && line.size() < 4096; c = std::fgetc(file.get()))
      line.push_back(static_cast<char>(c));
  return line;
}

/// The quota of one folder: cpu.max of version 2 ("200000 100000"), or the two files of version 1.
inline std::int64_t quota_of_folder(std::string const& folder) {
  double quota = 0, period = 0;
  if (std::sscanf(first_line(folder + "/cpu.max").c_str(), "%lf %lf", &quota, &period) == 2)
    return cores_of_quota(quota, period);
  if (std::sscanf(first_line(folder + "/cpu.cfs_quota_us").c_str(), "%lf", &quota) == 1 &&
      std::sscanf(first_line(folder + "/cpu.cfs_period_us").c_str(), "%lf", &period) == 1)
    return cores_of_quota(quota, period);
  return 0;
}

/// The least quota of a group and those above it, or 0. root is where the groups are mounted; path is absolute.
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

/// Whether cpu is one of the controllers that a line such as "cpu,cpuacct" names.
inline bool names_cpu(std::string_view controllers) {
  for (;;) {
    const auto comma = controllers.find(',');
    if (controllers.substr(0, comma) == "cpu") return true;
    if (comma == controllers.npos) return false;
    controllers.remove_prefix(comma + 1);
  }
}

/// The quota of the process. membership: /proc/self/cgroup, lines such as "0::/a/b" (version 2) and "4:cpu,cpuacct:/a".
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
/// The cores of the process's first thread, which others inherit; none where the machine has more than a set holds.
inline std::optional<cpu_set_t> cores_of_process() noexcept {
  cpu_set_t cores;
  if (sched_getaffinity(getpid(), sizeof cores, &cores) != 0) return {};
  return cores;
}
#elif defined(_WIN32)
/// How many cores the process may use of its group, which has 64 at most; 0 where its threads are in several groups.
inline std::int64_t cores_of_process() noexcept {
  namespace windows = detail::windows;
  windows::dword_ptr own = 0, all = 0;
  if (!windows::GetProcessAffinityMask(windows::GetCurrentProcess(), &own, &all)) return 0;
  return std::popcount(own);
}
#endif

/// Of hone::cpu{}. Read once: it costs some files.
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
