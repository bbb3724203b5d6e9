// SPDX-License-Identifier: MIT
#include <hone/average/state_file.hpp>

#include "average/saved_model.hpp"
#include "support/folder.hpp"
#include "support/message.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>
#include <string>
#include <thread>

namespace {

namespace fs = std::filesystem;
using saved::bytes_of;
using saved::io_message;
using saved::model;
using saved::seed_of_test;
using saved::x_of;
using support::folder;

TEST_CASE("save_file replaces the file and leaves no other file behind") {
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

TEST_CASE("save_file of a path without a folder writes to the working folder") {
  const folder here;
  const fs::path before = fs::current_path();
  fs::current_path(here.path);
  hone::save_file(model(3).state, "state");
  fs::current_path(before);
  model read(0);
  hone::load_file(read.state, here.file("state"));
  CHECK(x_of(read.state) == 3);
}

TEST_CASE("load_file of a file with any bit flipped throws with its name and changes nothing") {
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

TEST_CASE("load_file rejects bytes after the state, and load from a stream leaves them") {
  const folder here;
  const std::string path = here.file("state");
  hone::save_file(model(5, 100).state, path);
  const std::string whole = bytes_of(path);
  model m(4, 100);
  for (std::string const& more : {std::string("x"), std::string(1, '\0'), std::string(5000, 'y'), whole}) {
    std::ofstream(path, std::ios::binary | std::ios::app) << more;
    CHECK(support::message([&] { hone::load_file(m.state, path); }) ==
          "load_file: " + path + ": the state ends after " + std::to_string(whole.size()) + " bytes, and more follow");
    CHECK(x_of(m.state) == 4);
    fs::resize_file(path, whole.size());
  }
  hone::load_file(m.state, path);
  CHECK(x_of(m.state) == 5);
  std::stringstream stream(whole + "epoch 7" + whole);
  m.state.load(stream);
  std::string word, seven;
  stream >> word >> seven;
  CHECK(word == "epoch");
}

TEST_CASE("load_file of a truncated file throws with its name and changes nothing") {
  const folder here;
  const std::string path = here.file("state");
  model m(4);
  hone::save_file(model(5).state, path);
  fs::resize_file(path, fs::file_size(path) - 1);
  CHECK(
      support::message([&] { hone::load_file(m.state, path); }).starts_with("load_file: " + path + ": the state ends"));
  CHECK(x_of(m.state) == 4);
}

TEST_CASE("two threads that save to one path always leave a complete file") {
  const folder here;
  const std::string path = here.file("state");
  hone::save_file(model(1).state, path);
  std::atomic<int> left{2};
  std::string failed[2];
  const auto saves = [&](int x) {
    const model m(x);
    for (int i = 0; i < 60; ++i) failed[x % 2] += io_message([&] { hone::save_file(m.state, path); });
    --left;
  };
  std::thread one(saves, 2), other(saves, 3);
  int damaged = 0;
  for (model read(0); left > 0; damaged += x_of(read.state) < 0 ? 1 : 0)
    damaged += support::message([&] { hone::load_file(read.state, path); }).empty() ? 0 : 1;
  one.join(), other.join();
  CHECK(failed[0] == "");
  CHECK(failed[1] == "");
  CHECK(damaged == 0);
  CHECK(here.files() == 1);
}

TEST_CASE("save_file of a swapped state throws and leaves no file") {
  const folder here;
  model m(1);
  m.state.exchanged();
  CHECK(support::message([&] {
          hone::save_file(m.state, here.file("state"));
        }).starts_with("save_file: the state holds"));
  CHECK(here.files() == 0);
}

}  // namespace
