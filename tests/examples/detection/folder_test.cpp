// SPDX-License-Identifier: MIT
#include "folder.hpp"

#include "idx_files.hpp"

#include <doctest/doctest.h>

using namespace detection;

namespace {

struct scene_folder : test::folder {
  scene_folder() {
    test::write_plain(path / "a.pgm", "P5\n# by hand\n4 2\n255\n" + std::string("\x00\x00\xff\xff\x00\x00\xff\xff", 8));
    test::write_plain(path / "b.ppm", "P3 1 1 255  255 0 0 ");
    test::write_plain(path / "train.txt", "# boxes\na.pgm cat 0 0 2 2\n\na.pgm dog 2 0 4 1 crowd\nb.ppm\n");
    test::write_plain(path / "test.txt", "b.ppm dog 0 0 1 1\n");
  }
};

std::string complaint(const test::folder& folder) {
  try {
    read_scenes(folder.path);
    return {};
  } catch (const demo::data_error& error) {
    return error.what();
  }
}

bool says(const std::string& text, const std::string& words) {
  if (text.find(words) == std::string::npos) MESSAGE("it says: " << text);
  return text.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("read_scenes turns images and boxes into scenes of one size") {
  const scene_folder folder;
  CHECK(is_scene_folder(folder.path));
  const scene_set set = read_scenes(folder.path);
  CHECK(set.classes == std::vector<std::string>{"cat", "dog"});
  REQUIRE(set.train.size() == 2);
  const scene& a = set.train[0];
  CHECK(a.image.width == canvas_side);
  CHECK(a.image.height == canvas_side);
  CHECK(a.image.at(0, 0) == 0);
  CHECK(a.image.at(95, 95) == 255);
  REQUIRE(a.truths.size() == 2);
  CHECK(a.truths[0].box.x2 == 48);  // 2 of 4 pixels
  CHECK(a.truths[0].box.y2 == 96);
  CHECK_FALSE(a.truths[0].crowd);
  CHECK(a.truths[1].crowd);
  CHECK(a.truths[1].label == 1);
  CHECK(a.truths[1].box.y2 == 48);
  CHECK(set.train[1].truths.empty());
  CHECK(set.test[0].truths[0].label == 1);
  CHECK(set.test[0].image.at(40, 40) == 76);  // 0.299 * 255
}

TEST_CASE("an invalid label file throws with its line") {
  const scene_folder folder;
  const auto with = [&](const char* line) {
    test::write_plain(folder / "train.txt", std::string("a.pgm cat 0 0 1 1\n") + line + "\n");
    return complaint(folder);
  };
  CHECK(says(with("a.pgm cat 0 0 2"), "train.txt: line 2: a box is CLASS X1 Y1 X2 Y2"));
  CHECK(says(with("a.pgm cat 0 0 x 2"), "line 2: a box is CLASS X1 Y1 X2 Y2"));
  CHECK(says(with("a.pgm cat 0 0 5 2"), "line 2: the box is not inside its image of 4 x 2"));
  CHECK(says(with("a.pgm cat 1 0 1 2"), "line 2: the box is not inside"));
  CHECK(says(with("a.pgm cat nan 0 1 2"), "line 2: "));
  CHECK(says(with("a.pgm cat 0 0 1 2 crowded"), "line 2: 'crowded' after the box"));
  CHECK(says(with("a.pgm cat 0 0 1 2 crowd 3"), "line 2: '3' after the box"));
  CHECK(says(with("c.pgm cat 0 0 1 2"), "c.pgm: cannot be opened"));
  CHECK(says(with("train.txt cat 0 0 1 2"), "train.txt: is neither PGM nor PPM"));
  test::write_plain(folder / "train.txt", "a.pgm\n");
  CHECK(says(complaint(folder), "train.txt: names no boxes"));
  test::write_plain(folder / "train.txt", "#\n");
  CHECK(says(complaint(folder), "train.txt: names no images"));
  test::write_plain(folder / "train.txt", "a.pgm cat 0 0 1 1\n");
  CHECK(says(complaint(folder), "test.txt: line 1: class 'dog' is not in train.txt"));
  test::fs::remove(folder / "test.txt");
  CHECK(says(complaint(folder), "test.txt: cannot be opened"));
}

TEST_CASE("a damaged image throws with its name") {
  const scene_folder folder;
  const auto with = [&](const std::string& bytes) {
    test::write_plain(folder / "a.pgm", bytes);
    return complaint(folder);
  };
  CHECK(says(with("P5 4 2 255\nshort"), "a.pgm: ends early"));
  CHECK(says(with("P2 4 2 255 1 2 3"), "a.pgm: sample is no number"));
  CHECK(says(with("P2 1 1 255 256"), "a.pgm: sample is 256, must be 0 to 255"));
  CHECK(says(with("P5 0 2 255\n"), "a.pgm: width is 0, must be 1 to 16384"));
  CHECK(says(with("P5 4 999999 255\n"), "a.pgm: height is 999999"));
  CHECK(says(with("P5 4 2 65535\n"), "a.pgm: largest value is 65535"));
  CHECK(says(with("P5 four"), "a.pgm: width is no number"));
  CHECK(says(with("P4 4 2\n"), "a.pgm: is neither"));
  CHECK(says(with(""), "a.pgm: is neither"));
}
