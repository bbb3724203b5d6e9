// SPDX-License-Identifier: MIT
// What only Windows has: error numbers, paths, file attributes and sharing, and terminated child processes.
#if defined(_WIN32)
#include <hone/average/state_file.hpp>

#include "average/saved_model.hpp"
#include "support/folder.hpp"

#include <doctest/doctest.h>

#include <windows.h>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace fs = std::filesystem;
namespace windows = hone::detail::windows;
using saved::bytes_of;
using saved::io_message;
using saved::model;
using saved::x_of;
using support::folder;

static_assert(sizeof(windows::overlapped) == sizeof(OVERLAPPED) &&
              offsetof(windows::overlapped, low) == offsetof(OVERLAPPED, Offset) &&
              offsetof(windows::overlapped, high) == offsetof(OVERLAPPED, OffsetHigh) &&
              offsetof(windows::overlapped, event) == offsetof(OVERLAPPED, hEvent));
static_assert(windows::to_read == GENERIC_READ && windows::to_write == GENERIC_WRITE);
static_assert(windows::create_new == CREATE_NEW && windows::open_existing == OPEN_EXISTING);
static_assert(windows::read_only == FILE_ATTRIBUTE_READONLY && windows::folder == FILE_ATTRIBUTE_DIRECTORY &&
              windows::reparse_point == FILE_ATTRIBUTE_REPARSE_POINT);
static_assert(windows::access_denied == ERROR_ACCESS_DENIED && windows::sharing_violation == ERROR_SHARING_VIOLATION &&
              windows::handle_eof == ERROR_HANDLE_EOF && windows::file_exists == ERROR_FILE_EXISTS);
static_assert(windows::utf8 == CP_UTF8);

TEST_CASE("a file that cannot be opened throws with its name, the reason and the error number") {
  const folder here;
  model m(1);
  const std::string missing = here.file("none/state"), taken = here.file("taken");
  const auto says = [](std::string const& said, std::string const& begin, const char* end) {
    CAPTURE(said);
    CHECK(said.starts_with(begin));
    CHECK(said.ends_with(end));
  };
  says(io_message([&] { hone::load_file(m.state, missing); }), "load_file: " + missing + ": open: ", " (error 3)");
  says(io_message([&] { hone::load_file(m.state, here.file("none")); }),
       "load_file: " + here.file("none") + ": open: ", " (error 2)");
  says(io_message([&] { hone::save_file(m.state, missing); }),
       "save_file: " + here.file("none/") + ": open: ", " (error 2)");
  fs::create_directory(taken);
  says(io_message([&] { hone::load_file(m.state, taken); }), "load_file: " + taken + ": read: ", "error 336");
  says(io_message([&] { hone::save_file(m.state, taken); }), "save_file: " + taken + ": rename: ", "error 336");
  CHECK(here.files() == 1);
  CHECK(x_of(m.state) == 1);
}

TEST_CASE("paths are UTF-8, and others throw") {
  const folder here;
  const std::string name = here.path.string() + "/mod\xc3\xa8le \xe6\xa8\xa1\xe5\x9e\x8b";
  hone::save_file(model(7).state, name);
  CHECK(fs::exists(here.path / L"mod\u00e8le \u6a21\u578b"));
  model read(0);
  hone::load_file(read.state, name);
  CHECK(x_of(read.state) == 7);
  const std::string bad = here.path.string() + "/mod\xe8le";
  CHECK(io_message([&] { hone::save_file(read.state, bad); }) == "save_file: " + bad + ": the path is not UTF-8");
  CHECK(io_message([&] { hone::load_file(read.state, bad); }) == "load_file: " + bad + ": the path is not UTF-8");
  CHECK(here.files() == 1);
}

TEST_CASE("paths take slashes and backslashes") {
  const folder here;
  fs::create_directory(here.path / "deep");
  model read(0);
  int x = 2;
  for (const char* name : {"deep/a", "deep\\a", "deep/../a", ".\\deep\\..\\deep/a"}) {
    hone::save_file(model(x).state, here.file(name));
    hone::load_file(read.state, here.file(name));
    CHECK(x_of(read.state) == x++);
  }
  const fs::path before = fs::current_path();
  fs::current_path(here.path);
  const std::string drive = here.path.string().substr(0, 2);  // "C:", of which there is a working folder
  hone::save_file(model(9).state, drive + "b");
  fs::current_path(before);
  hone::load_file(read.state, here.file("b"));
  CHECK(x_of(read.state) == 9);
  CHECK(here.files() == 3);
}

TEST_CASE("load_file and save_file throw for a pipe or a device, without waiting") {
  const std::string pipe = "\\\\.\\pipe\\hone." + std::to_string(GetCurrentProcessId());
  const HANDLE end = CreateNamedPipeA(pipe.c_str(), PIPE_ACCESS_DUPLEX, 0, 4, 100, 100, 0, nullptr);
  REQUIRE(end != INVALID_HANDLE_VALUE);
  model m(3);
  const auto says = [](const char* function, std::string const& path) {
    return std::string(function) + ": " + path + ": a pipe, a socket or a device, must be a file";
  };
  CHECK(io_message([&] { hone::save_file(m.state, pipe); }) == says("save_file", pipe));
  CloseHandle(end);
  const HANDLE again = CreateNamedPipeA(pipe.c_str(), PIPE_ACCESS_DUPLEX, 0, 4, 100, 100, 0, nullptr);
  REQUIRE(again != INVALID_HANDLE_VALUE);
  CHECK(io_message([&] { hone::load_file(m.state, pipe); }) == says("load_file", pipe));
  CloseHandle(again);
  CHECK(io_message([&] { hone::save_file(m.state, "NUL"); }) == says("save_file", "NUL"));
  CHECK(io_message([&] { hone::load_file(m.state, "NUL"); }) == says("load_file", "NUL"));
  CHECK(x_of(m.state) == 3);
}

TEST_CASE("save_file to a read-only file throws and leaves it unchanged") {
  const folder here;
  const std::string path = here.file("state");
  hone::save_file(model(4).state, path);
  REQUIRE(SetFileAttributesA(path.c_str(), FILE_ATTRIBUTE_READONLY));
  CHECK(io_message([&] { hone::save_file(model(5).state, path); }) ==
        "save_file: " + path + ": a read-only file, must be writable");
  model read(0);
  hone::load_file(read.state, path);
  CHECK(x_of(read.state) == 4);
  CHECK(here.files() == 1);
  REQUIRE(SetFileAttributesA(path.c_str(), FILE_ATTRIBUTE_NORMAL));
}

TEST_CASE("load_file waits for a file that another program holds briefly") {
  const folder here;
  const std::string path = here.file("state");
  hone::save_file(model(1).state, path);
  const HANDLE held = CreateFileA(path.c_str(), GENERIC_READ, 0, nullptr, OPEN_EXISTING, 0, nullptr);  // shares nothing
  REQUIRE(held != INVALID_HANDLE_VALUE);
  std::thread other([&] {
    Sleep(150);
    CloseHandle(held);
  });
  model read(0);
  hone::load_file(read.state, path);
  other.join();
  CHECK(x_of(read.state) == 1);
}

TEST_CASE("file::read_at serves several threads, offsets beyond 32 bits, and sequential reads between") {
  CHECK(windows::overlapped(0x123456789a).low == 0x3456789a);
  CHECK(windows::overlapped(0x123456789a).high == 0x12);
  const folder here;
  const std::string path = here.file("numbers");
  const std::uint32_t count = 20000;
  {
    std::ofstream out(path, std::ios::binary);
    for (std::uint32_t i = 0; i < count; ++i) out.write(reinterpret_cast<char const*>(&i), sizeof i);
  }
  hone::detail::file file("test", path);
  CHECK(file.size() == 4 * count);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (std::uint32_t first = 0; first < 4; ++first)
    threads.emplace_back([&, first] {
      for (std::uint32_t i = first; i < count; i += 7) {
        std::uint32_t x = 0;
        wrong += file.read_at(4 * std::int64_t(i), &x, sizeof x) != sizeof x || x != i;
      }
    });
  for (std::uint32_t i = 0; i < count; ++i) {
    std::uint32_t x = 0;
    wrong += file.read(&x, sizeof x) != sizeof x || x != i;
  }
  for (std::thread& t : threads) t.join();
  CHECK(wrong == 0);
  char rest[8];
  CHECK(file.read(rest, 8) == 0);
  CHECK(file.read_at(4 * count - 3, rest, 8) == 3);
  CHECK(file.read_at(std::int64_t(5) << 32, rest, 8) == 0);
}

TEST_CASE("file writes in order and at offsets, truncates, and removes an unfinished file") {
  const folder here;
  const std::string path = here.file("made");
  {
    hone::detail::file made = hone::detail::file::beside("test", path);
    made.write("abcdef", 6);
    made.write_at(1, "XY", 2);
    made.write("ghij", 4);
    made.truncate(8);
    CHECK(made.size() == 8);
    made.sync();
    CHECK(here.files() == 1);
    hone::detail::file const kept = std::move(made);
    CHECK(here.files() == 1);
  }
  CHECK(here.files() == 0);
  for (int i = 0; i < 500; ++i)
    std::ofstream(path + "." + std::to_string(GetCurrentProcessId()) + "." + std::to_string(i) + ".partial") << "left";
  hone::detail::file made = hone::detail::file::beside("test", path);
  made.write("abcdef", 6);
  made.close();
  made.move_to(path);
  CHECK(bytes_of(path) == "abcdef");
  CHECK(here.files() == 501);
}

TEST_CASE("saves until it is ended" * doctest::skip()) {  // by the next test, in a child
  char path[4096];
  REQUIRE(GetEnvironmentVariableA("HONE_TEST_SAVES_TO", path, sizeof path) > 0);
  for (int x = 2;; ++x) hone::save_file(model(x).state, path);
}

TEST_CASE("save_file replaces the file atomically when the process is terminated") {
  const folder here;
  const std::string path = here.file("state");
  hone::save_file(model(1).state, path);
  char program[MAX_PATH];
  REQUIRE(GetModuleFileNameA(nullptr, program, sizeof program) > 0);
  REQUIRE(SetEnvironmentVariableA("HONE_TEST_SAVES_TO", path.c_str()));
  std::string command = "\"" + std::string(program) + "\" --no-skip --test-case=\"saves until it is ended\"";
  std::mt19937_64 random(saved::seed_of_test());
  int moved_on = 0;
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < std::chrono::seconds(6)) {
    STARTUPINFOA start{};
    start.cb = sizeof start;
    PROCESS_INFORMATION child{};
    REQUIRE(CreateProcessA(nullptr, command.data(), nullptr, nullptr, FALSE, 0, nullptr, nullptr, &start, &child));
    Sleep(static_cast<DWORD>(50 + random() % 300));
    REQUIRE(TerminateProcess(child.hProcess, 9));
    REQUIRE(WaitForSingleObject(child.hProcess, 10000) == WAIT_OBJECT_0);
    CloseHandle(child.hThread);
    CloseHandle(child.hProcess);
    model read(0);
    REQUIRE_NOTHROW(hone::load_file(read.state, path));
    REQUIRE(x_of(read.state) >= 1);
    moved_on += x_of(read.state) > 1;
  }
  CHECK(moved_on > 0);
}

}  // namespace
#endif
