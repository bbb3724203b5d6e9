// SPDX-License-Identifier: MIT
#include <hone/average/state_file.hpp>

#include "support/folder.hpp"
#include "support/message.hpp"

#include <doctest/doctest.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace fs = std::filesystem;
using support::folder;

// Two tensors that both hold x everywhere, with x steps.
struct model {
  std::vector<float> numbers;
  hone::ema_state<float> state;

  explicit model(int x, std::size_t size = 40000)
      : numbers(size, static_cast<float>(x)),
        state(hone::tensor_list<float>{{numbers.data(), size}, {numbers.data(), 3}}, {.steps = x}) {}
};

// The x of a state; -1 where it is not of one piece.
int x_of(hone::ema_state<float> const& state) {
  for (auto const& t : state.tensors())
    for (hone::index i = 0; i < t.size; ++i)
      if (t.data[i] != static_cast<float>(state.steps())) return -1;
  return static_cast<int>(state.steps());
}

// Another one in every run, and told; HONE_TEST_SEED repeats one.
std::uint64_t seed_of_test() {
  char const* const given = std::getenv("HONE_TEST_SEED");
  const std::uint64_t seed = given ? std::strtoull(given, nullptr, 10) : std::random_device()();
  MESSAGE("HONE_TEST_SEED=", seed);
  return seed;
}

template <class Body>
std::string io_message(Body body) {
  try {
    body();
  } catch (hone::io_error const& error) {
    return error.what();
  }
  return {};
}

TEST_CASE("a file holds what was saved last, and nothing lies beside it") {
  const folder here;
  const std::string path = here.file("state");
  model read(0);
  for (const int x : {5, 6}) {
    hone::save_file(model(x).state, path);
    hone::load_file(read.state, path);
    CHECK(x_of(read.state) == x);
    CHECK(here.files() == 1);
  }
  std::ostringstream stream;
  model(6).state.save(stream);
  std::ifstream file(path, std::ios::binary);
  CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == stream.str());
}

TEST_CASE("a path without a folder is a file of the working one") {
  const folder here;
  const fs::path before = fs::current_path();
  fs::current_path(here.path);
  hone::save_file(model(3).state, "state");
  fs::current_path(before);
  model read(0);
  hone::load_file(read.state, here.file("state"));
  CHECK(x_of(read.state) == 3);
}

TEST_CASE("a file with any bit flipped is named and changes nothing") {
  const folder here;
  const std::string path = here.file("state");
  hone::save_file(model(5, 3000).state, path);
  model m(4, 3000);
  std::mt19937_64 random(seed_of_test());
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto flip = [&](std::uintmax_t bit) {
    const auto at = static_cast<std::streamoff>(bit / 8);
    file.seekg(at);
    const int byte = file.get();
    file.seekp(at);
    file.put(static_cast<char>(byte ^ (1 << bit % 8))).flush();
    REQUIRE(file.good());
  };
  for (int i = 0; i < 400; ++i) {
    const std::uintmax_t bit = random() % (8 * fs::file_size(path));
    CAPTURE(bit);
    flip(bit);
    CHECK(support::message([&] { hone::load_file(m.state, path); }).starts_with("load_file: " + path + ": "));
    CHECK(x_of(m.state) == 4);
    flip(bit);
  }
  hone::load_file(m.state, path);
  CHECK(x_of(m.state) == 5);
}

TEST_CASE("files that cannot be opened are named, with the reason") {
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

TEST_CASE("a folder that is not writable") {
  if (::geteuid() == 0) return;  // root writes everywhere
  const folder here;
  fs::permissions(here.path, fs::perms::owner_read | fs::perms::owner_exec);
  CHECK(
      io_message([&] { hone::save_file(model(1).state, here.file("state")); }).ends_with(": open: Permission denied"));
  fs::permissions(here.path, fs::perms::owner_all);
}

TEST_CASE("a damaged file is named and changes nothing") {
  const folder here;
  const std::string path = here.file("state");
  model m(4);
  hone::save_file(model(5).state, path);
  fs::resize_file(path, fs::file_size(path) - 1);
  CHECK(
      support::message([&] { hone::load_file(m.state, path); }).starts_with("load_file: " + path + ": the state ends"));
  CHECK(x_of(m.state) == 4);
}

TEST_CASE("two threads that save to one path leave a whole file, whoever came last") {
  const folder here;
  const std::string path = here.file("state");
  hone::save_file(model(1).state, path);
  std::atomic<int> left{2}, failed{0};
  const auto saves = [&](int x) {
    const model m(x);
    for (int i = 0; i < 60; ++i) failed += io_message([&] { hone::save_file(m.state, path); }).empty() ? 0 : 1;
    --left;
  };
  std::thread one(saves, 2), other(saves, 3);
  int damaged = 0;
  for (model read(0); left > 0; damaged += x_of(read.state) < 0 ? 1 : 0)
    damaged += support::message([&] { hone::load_file(read.state, path); }).empty() ? 0 : 1;
  one.join(), other.join();
  CHECK(failed == 0);
  CHECK(damaged == 0);
  CHECK(here.files() == 1);
}

TEST_CASE("partial files that a killed program of the same number left behind are neither used nor removed") {
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

TEST_CASE("a folder that cannot be opened is told before anything is written") {
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

TEST_CASE("a state that is swapped is not saved, and leaves no file") {
  const folder here;
  model m(1);
  m.state.exchanged();
  CHECK(support::message([&] {
          hone::save_file(m.state, here.file("state"));
        }).starts_with("save_file: the state holds"));
  CHECK(here.files() == 0);
}

TEST_CASE("a full disk leaves the old file, and nothing beside it") {
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

TEST_CASE("a program that is killed at any moment while it saves leaves a whole file") {
  const folder here;
  const std::string path = here.file("state");
  hone::save_file(model(1).state, path);
  int moved_on = 0;
  std::mt19937_64 random(seed_of_test());
  const auto begin = std::chrono::steady_clock::now();
  for (int round = 0; round < 150; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (int x = 2;; ++x) hone::save_file(model(x).state, path);
    }
    ::usleep(static_cast<useconds_t>(random() % 14000));
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    model read(0);
    REQUIRE_NOTHROW(hone::load_file(read.state, path));
    REQUIRE(x_of(read.state) >= 1);
    moved_on += x_of(read.state) > 1;
    if (std::chrono::steady_clock::now() - begin > std::chrono::seconds(8)) break;
  }
  CHECK(moved_on > 0);
}

}  // namespace
