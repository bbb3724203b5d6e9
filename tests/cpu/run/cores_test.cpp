// SPDX-License-Identifier: MIT
// The number of threads of hone::cpu{}: limited by the pool, the affinity and the quota of the process.
#include <hone/cpu/run/backend.hpp>

#include <support/folder.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#if defined(_WIN32)
#include <windows.h>
#endif

namespace {

void write(std::filesystem::path const& file, std::string const& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

}  // namespace

TEST_CASE("threads_for returns the smallest known limit, and at most the size of the pool") {
  using hone::on_cpu::threads_for;
  CHECK(threads_for(0, 0, 0) == 1);  // nothing is known
  CHECK(threads_for(8, 0, 0) == 8);
  CHECK(threads_for(0, 6, 0) == 6);
  CHECK(threads_for(8, 6, 0) == 6);
  CHECK(threads_for(8, 6, 2) == 2);
  CHECK(threads_for(8, 2, 6) == 2);
  CHECK(threads_for(8, 0, 3) == 3);
  CHECK(threads_for(8, 8, 100) == 8);
  CHECK(threads_for(0, 0, 3) == 1);
  for (const std::int64_t cores : {1023, 1024, 1025, 1792, 4096, 1 << 20}) {
    const int most = cores < 1024 ? static_cast<int>(cores) : 1024;
    CHECK(threads_for(cores, 0, 0) == most);
    CHECK(threads_for(cores, cores, 0) == most);
    CHECK(threads_for(cores, cores, cores) == most);
  }
  CHECK_NOTHROW(hone::cpu(threads_for(4096, 0, 0)));
  CHECK(hone::cpu().threads() >= 1);
  CHECK(hone::cpu().threads() <= 1024);
  CHECK(hone::cpu().threads() == hone::cpu().threads());
}

TEST_CASE("cores_of_quota rounds up to whole cores") {
  using hone::on_cpu::cores_of_quota;
  CHECK(cores_of_quota(200000, 100000) == 2);
  CHECK(cores_of_quota(200001, 100000) == 3);
  CHECK(cores_of_quota(150000, 100000) == 2);
  CHECK(cores_of_quota(1000, 100000) == 1);
  CHECK(cores_of_quota(-1, 100000) == 0);
  CHECK(cores_of_quota(100000, 0) == 0);
  CHECK(cores_of_quota(1e300, 1e-300) == 0);
}

TEST_CASE("quota_of_process reads control groups of both versions and their parents") {
  const support::folder folder;
  const std::filesystem::path& root = folder.path;
  const std::string groups = (root / "fs").string(), member = (root / "cgroup").string();
  const auto quota_of_process = [](std::string const& membership, std::string const& mounts) {
    return hone::on_cpu::quota_of_process(membership.c_str(), mounts.c_str());
  };
  CHECK(quota_of_process(member, groups) == 0);  // no such file
  write(member, "0::/a/b\n");
  CHECK(quota_of_process(member, groups) == 0);
  write(root / "fs/a/b/cpu.max", "max 100000\n");
  CHECK(quota_of_process(member, groups) == 0);
  write(root / "fs/a/cpu.max", "350000 100000\n");
  CHECK(quota_of_process(member, groups) == 4);
  write(root / "fs/a/b/cpu.max", "200000 100000\n");
  CHECK(quota_of_process(member, groups) == 2);
  write(root / "fs/cpu.max", "50000 100000\n");
  CHECK(quota_of_process(member, groups) == 1);
  write(member, "0::/\n");  // in a container that sees itself as the root
  CHECK(quota_of_process(member, groups) == 1);
  write(root / "fs/cpu.max", "nonsense\n");
  CHECK(quota_of_process(member, groups) == 0);

  write(member, "5:memory:/a\n4:cpu,cpuacct:/docker/x\n3:cpuset:/b\n");
  CHECK(quota_of_process(member, groups) == 0);
  write(root / "fs/cpu/cpu.cfs_quota_us", "-1\n");
  write(root / "fs/cpu/cpu.cfs_period_us", "100000\n");
  CHECK(quota_of_process(member, groups) == 0);
  write(root / "fs/cpu/cpu.cfs_quota_us", "300000\n");  // its own group is not mounted: the root is the container's
  CHECK(quota_of_process(member, groups) == 3);
  write(root / "fs/cpu/docker/x/cpu.cfs_quota_us", "150000\n");
  write(root / "fs/cpu/docker/x/cpu.cfs_period_us", "100000\n");
  CHECK(quota_of_process(member, groups) == 2);
}

#if defined(_WIN32)
TEST_CASE("cores_of_process counts the cores of the process affinity") {
  const HANDLE here = GetCurrentProcess();
  DWORD_PTR own = 0, all = 0;
  REQUIRE(GetProcessAffinityMask(here, &own, &all));
  const DWORD_PTR one = own & (~own + 1);
  REQUIRE(SetProcessAffinityMask(here, one));
  CHECK(hone::on_cpu::cores_of_process() == 1);
  REQUIRE(SetProcessAffinityMask(here, own));
  std::int64_t cores = 0;
  for (DWORD_PTR left = own; left != 0; left &= left - 1) ++cores;
  CHECK(hone::on_cpu::cores_of_process() == cores);
}
#endif
