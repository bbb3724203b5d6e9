// SPDX-License-Identifier: MIT
// What only POSIX has: file modes, pipes, symbolic links without permissions of their own, full disks and child
// processes killed at any time.
#if !defined(_WIN32)
#include <hone/average/state_file.hpp>

#include "average/saved_model.hpp"
#include "support/folder.hpp"

#include <doctest/doctest.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

namespace {

namespace fs = std::filesystem;
using saved::io_message;
using saved::model;
using saved::seed_of_test;
using saved::x_of;
using support::folder;

unsigned mode_of(std::string const& path) {
  struct stat is{};
  REQUIRE(::stat(path.c_str(), &is) == 0);
  return is.st_mode & 07777;
}

TEST_CASE("a file that cannot be opened throws with its name and the reason") {
  const folder here;
  model m(1);
  const std::string missing = here.file("none/state");
  CHECK(io_message([&] { hone::load_file(m.state, missing); }) ==
        "load_file: " + missing + ": open: No such file or directory");
  CHECK(io_message([&] { hone::save_file(m.state, missing); }) ==
        "save_file: " + here.file("none/") + ": open: No such file or directory");
  CHECK(io_message([&] { hone::load_file(m.state, here.path.string()); }) ==
        "load_file: " + here.path.string() + ": read: Is a directory");
  fs::create_directory(here.path / "taken");
  CHECK(io_message([&] { hone::save_file(m.state, here.file("taken")); }) ==
        "save_file: " + here.file("taken") + ": rename: Is a directory");
  CHECK(here.files() == 1);
}

TEST_CASE("save_file follows a symbolic link and keeps it") {
  const folder here;
  fs::create_directory(here.path / "deep");
  fs::create_symlink("deep/last", here.path / "one");            // of its own folder
  fs::create_symlink(here.file("one"), here.path / "absolute");  // to a link
  fs::create_symlink("../absolute", here.path / "deep" / "back");
  model read(0);
  int x = 2;
  for (const char* name : {"one", "absolute", "deep/back", "deep/last"}) {  // at first there is no file
    hone::save_file(model(x).state, here.file(name));
    for (const char* link : {"one", "absolute", "deep/back"}) CHECK(fs::is_symlink(here.file(link)));
    CHECK(fs::is_regular_file(fs::symlink_status(here.file("deep/last"))));
    hone::load_file(read.state, here.file("deep/last"));
    CHECK(x_of(read.state) == x++);
    CHECK(std::distance(fs::directory_iterator(here.path), {}) == 3);
    CHECK(std::distance(fs::directory_iterator(here.path / "deep"), {}) == 2);
  }
  fs::create_symlink("circle", here.path / "circle");
  CHECK(io_message([&] {
          hone::save_file(model(1).state, here.file("circle"));
        }).ends_with(": readlink: Too many levels of symbolic links"));
}

TEST_CASE("save_file keeps the mode of an existing file, and gives a new one that of the process") {
  const folder here;
  const std::string path = here.file("state");
  const ::mode_t before = ::umask(022);
  hone::save_file(model(1).state, path);
  CHECK(mode_of(path) == 0644);
  for (const unsigned mode : {0600u, 0640u, 0666u, 0444u}) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    hone::save_file(model(2).state, path);
    CHECK(mode_of(path) == mode);
  }
  ::umask(before);
}

TEST_CASE("load_file and save_file throw for a pipe or a device, without waiting") {
  const folder here;
  const std::string pipe = here.file("pipe"), link = here.file("link"), null = here.file("null");
  REQUIRE(::mkfifo(pipe.c_str(), 0666) == 0);
  fs::create_symlink("pipe", link);
  fs::create_symlink("/dev/null", null);
  model m(3);
  const auto says = [](const char* function, std::string const& path) {
    return std::string(function) + ": " + path + ": a pipe, a socket or a device, must be a file";
  };
  for (std::string const& path : {pipe, link}) {
    CHECK(io_message([&] { hone::save_file(m.state, path); }) == says("save_file", pipe));
    CHECK(io_message([&] { hone::load_file(m.state, path); }) == says("load_file", path));  // and does not block
  }
  CHECK(io_message([&] { hone::save_file(m.state, null); }) == says("save_file", "/dev/null"));
  CHECK(io_message([&] { hone::load_file(m.state, null); }) == says("load_file", null));
  CHECK(fs::is_fifo(pipe));
  CHECK(here.files() == 3);
  CHECK(x_of(m.state) == 3);
}

TEST_CASE("save_file to a folder that is not writable throws") {
  if (::geteuid() == 0) return;  // root writes everywhere
  const folder here;
  fs::permissions(here.path, fs::perms::owner_read | fs::perms::owner_exec);
  CHECK(
      io_message([&] { hone::save_file(model(1).state, here.file("state")); }).ends_with(": open: Permission denied"));
  fs::permissions(here.path, fs::perms::owner_all);
}

TEST_CASE("save_file neither uses nor removes partial files left by a killed process with the same id") {
  const folder here;
  const std::string path = here.file("state");
  for (int i = 0; i < 2000; ++i)
    std::ofstream(path + "." + std::to_string(::getpid()) + "." + std::to_string(i) + ".partial") << "left behind";
  hone::save_file(model(2).state, path);
  model read(0);
  hone::load_file(read.state, path);
  CHECK(x_of(read.state) == 2);
  CHECK(here.files() == 2001);
}

TEST_CASE("save_file to an unreadable folder throws before anything is written") {
  const folder here;
  const std::string path = here.file("state");
  hone::save_file(model(5).state, path);
  fs::permissions(here.path,
                  fs::perms::all & ~(fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read));
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && ::seteuid(65534) != 0) std::_Exit(2);  // root reads everywhere
    const std::string text = io_message([&] { hone::save_file(model(6).state, path); });
    std::_Exit(text.ends_with(": open: Permission denied") ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  fs::permissions(here.path, fs::perms::owner_all);
  CHECK(here.files() == 1);
  model read(0);
  hone::load_file(read.state, path);
  CHECK(x_of(read.state) == 5);
}

TEST_CASE("save_file on a full disk throws and leaves the old file only") {
  const folder here;
  const std::string path = here.file("state");
  hone::save_file(model(5).state, path);
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{70000, 70000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const std::string text = io_message([&] { hone::save_file(model(6).state, path); });
    std::_Exit(text.ends_with(": write: File too large") ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(here.files() == 1);
  model read(0);
  hone::load_file(read.state, path);
  CHECK(x_of(read.state) == 5);
}

TEST_CASE("save_file replaces the file atomically when the process is killed") {
  const folder here;
  const std::string path = here.file("state");
  hone::save_file(model(1).state, path);
  int moved_on = 0;
  unsigned longest = 14000;  // microseconds; more until a program has saved, for a sanitizer or another load slows it
  std::mt19937_64 random(seed_of_test());
  const auto begin = std::chrono::steady_clock::now();
  for (int round = 0; round < 150; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (int x = 2;; ++x) hone::save_file(model(x).state, path);
    }
    ::usleep(static_cast<useconds_t>(random() % longest));
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    model read(0);
    REQUIRE_NOTHROW(hone::load_file(read.state, path));
    REQUIRE(x_of(read.state) >= 1);
    moved_on += x_of(read.state) > 1;
    if (moved_on == 0) longest = std::min(2 * longest, 1000000U);
    if (std::chrono::steady_clock::now() - begin > std::chrono::seconds(8)) break;
  }
  CHECK(moved_on > 0);
}

}  // namespace
#endif
