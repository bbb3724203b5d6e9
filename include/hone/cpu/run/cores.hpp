// SPDX-License-Identifier: MIT
/// The number and the set of cores that the process may use: the cores of the machine, limited by the affinity of the
/// process and by the CPU quota of its control group (of a container or a job).
#pragma once

#include <hone/core/config.hpp>
#include <hone/core/windows.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>

#if defined(_WIN32)
#include <thread>
#else
#include <unistd.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

inline constexpr int max_threads = 1024;

/// Returns the number of threads for these numbers of cores; 0 means unknown.
inline int threads_for(std::int64_t machine, std::int64_t affinity, std::int64_t quota) noexcept {
  std::int64_t cores = machine > 0 ? machine : affinity > 0 ? affinity : 1;
  if (affinity > 0) cores = std::min(cores, affinity);
  if (quota > 0) cores = std::min(cores, quota);
  return static_cast<int>(std::min<std::int64_t>(cores, max_threads));
}

/// Returns the number of cores that a quota allows, rounded up; 0 if there is no quota ("max", -1).
inline std::int64_t cores_of_quota(double quota, double period) noexcept {
  if (!(quota > 0 && period > 0 && quota / period < 1e9)) return 0;
  const auto cores = static_cast<std::int64_t>(quota / period);
  return cores + (static_cast<double>(cores) * period < quota);
}

/// Returns the smaller of two quotas, where 0 means none.
inline std::int64_t smaller_quota(std::int64_t a, std::int64_t b) noexcept {
  return a == 0 ? b : b == 0 ? a : std::min(a, b);
}

/// Reads one or two numbers at the beginning of a small file and returns how many it read; 0 if there is no such file.
inline int read_numbers(const char* folder, const char* name, double& first, double& second) noexcept {
  char path[4096];
  const int length = std::snprintf(path, sizeof path, "%s/%s", folder, name);
  std::FILE* const file = length > 0 && length < int(sizeof path) ? std::fopen(path, "r") : nullptr;
  if (!file) return 0;
  const int numbers = std::fscanf(file, "%lf %lf", &first, &second);
  std::fclose(file);
  return numbers;
}

/// Returns the quota of one folder: cpu.max of version 2 ("200000 100000"), or the two files of version 1.
inline std::int64_t quota_of_folder(const char* folder) noexcept {
  double quota = 0, period = 0, other = 0;
  if (read_numbers(folder, "cpu.max", quota, period) == 2 ||
      (read_numbers(folder, "cpu.cfs_quota_us", quota, other) >= 1 &&
       read_numbers(folder, "cpu.cfs_period_us", period, other) >= 1))
    return cores_of_quota(quota, period);
  return 0;
}

/// Returns the smallest quota of a group and its parents, or 0. root: the mount point of the groups; group begins with
/// a slash.
inline std::int64_t quota_of_group(const char* root, const char* hierarchy, const char* group) noexcept {
  char folder[4096];
  const int top = std::snprintf(folder, sizeof folder, "%s%s", root, hierarchy);
  const int length = std::snprintf(folder, sizeof folder, "%s%s%s", root, hierarchy, group);
  if (top < 0 || length >= int(sizeof folder)) return 0;
  for (std::int64_t quota = 0;;) {
    quota = smaller_quota(quota, quota_of_folder(folder));
    char* const slash = std::strrchr(folder + top, '/');
    if (!slash) return quota;
    *slash = '\0';
  }
}

/// Returns true if cpu is one of the controllers in a list such as "cpu,cpuacct".
inline bool names_cpu(const char* controllers) noexcept {
  for (;; ++controllers) {
    const std::size_t length = std::strcspn(controllers, ",");
    if (length == 3 && std::memcmp(controllers, "cpu", 3) == 0) return true;
    controllers += length;
    if (*controllers == '\0') return false;
  }
}

/// Returns the quota of the process. membership: /proc/self/cgroup, lines such as "0::/a/b" (v2) or "4:cpu,cpuacct:/a".
/// This file has no std::string, because every program compiles it again, and then parts of std::string with it.
inline std::int64_t quota_of_process(const char* membership, const char* mounts) noexcept {
  std::FILE* const file = std::fopen(membership, "r");
  if (!file) return 0;
  std::int64_t quota = 0;
  char line[4096];
  while (std::fgets(line, sizeof line, file)) {
    line[std::strcspn(line, "\n")] = '\0';
    char* const first = std::strchr(line, ':');
    char* const second = first ? std::strchr(first + 1, ':') : nullptr;
    if (!second) continue;
    *second = '\0';
    const char *const controllers = first + 1, *const group = second + 1;
    if (*controllers == '\0') quota = smaller_quota(quota, quota_of_group(mounts, "", group));
    if (names_cpu(controllers)) quota = smaller_quota(quota, quota_of_group(mounts, "/cpu", group));
  }
  std::fclose(file);
  return quota;
}

#if defined(__linux__)
/// Returns the cores of the process's first thread, which other threads inherit; no core if a cpu_set_t is too small.
inline cpu_set_t cores_of_process() noexcept {
  cpu_set_t cores;
  if (sched_getaffinity(getpid(), sizeof cores, &cores) != 0) CPU_ZERO(&cores);
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
[[gnu::cold]] inline int usable_threads() {
  static constinit std::atomic<int> known{0};
  if (const int threads = known; threads > 0) return threads;
#if defined(_WIN32)
  const std::int64_t machine = std::thread::hardware_concurrency();
#else
  const std::int64_t machine = sysconf(_SC_NPROCESSORS_ONLN);
#endif
  std::int64_t affinity = 0, quota = 0;
#if defined(__linux__)
  const cpu_set_t cores = cores_of_process();
  affinity = CPU_COUNT(&cores);
  quota = quota_of_process("/proc/self/cgroup", "/sys/fs/cgroup");
#elif defined(_WIN32)
  affinity = cores_of_process();
#endif
  const int threads = threads_for(machine, affinity, quota);
  known = threads;
  return threads;
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
