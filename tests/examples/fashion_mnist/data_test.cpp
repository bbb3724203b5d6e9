// SPDX-License-Identifier: MIT
#include "data.hpp"

#include "idx_files.hpp"

#include <doctest/doctest.h>

namespace {

using demo::read_dataset;

struct data_folder : test::folder {
  data_folder() { test::write_data(path, 20, 10); }
};

/// What reading says after the file was replaced; empty if it says nothing.
std::string complaint(const test::folder& folder) {
  try {
    read_dataset(folder.path);
    return {};
  } catch (const demo::data_error& error) {
    return error.what();
  }
}

bool says(const std::string& text, std::initializer_list<const char*> words) {
  bool all = true;
  for (const char* word : words) all = all && text.find(word) != std::string::npos;
  if (!all) MESSAGE("it says: " << text);
  return all;
}

}  // namespace

TEST_CASE("read_dataset reads plain files") {
  const data_folder folder;
  const demo::dataset data = read_dataset(folder.path);
  CHECK(data.train.size() == 20);
  CHECK(data.test.size() == 10);
  CHECK(data.train.labels[13] == 3);
  const std::string images = test::images(20);
  CHECK(data.train.pixels.size() == images.size() - 16);
  CHECK(std::equal(data.train.pixels.begin(), data.train.pixels.end(), images.begin() + 16,
                   [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); }));
}

TEST_CASE("read_dataset reads compressed files as plain ones") {
  const data_folder plain, packed;
  for (const char* name : {test::train_images, test::train_labels, test::test_images, test::test_labels}) {
    test::write_gz(packed / (std::string(name) + ".gz"), test::read(packed / name));
    test::fs::remove(packed / name);
  }
  CHECK(read_dataset(plain.path).train.pixels == read_dataset(packed.path).train.pixels);
  CHECK(read_dataset(plain.path).test.labels == read_dataset(packed.path).test.labels);
}

TEST_CASE("part returns a range of images and labels") {
  const data_folder folder;
  const demo::image_set all = read_dataset(folder.path).train, part = all.part(5, 12);
  CHECK(part.size() == 7);
  CHECK(part.labels.front() == 5);
  CHECK(part.pixels.size() == 7 * demo::image_pixels);
  CHECK(part.pixels[0] == all.pixels[5 * demo::image_pixels]);
}

TEST_CASE("missing folders and files throw with their names") {
  const data_folder folder;
  CHECK_THROWS_WITH_AS(read_dataset("/nowhere/at/all"), "/nowhere/at/all: is not a folder", demo::data_error);
  test::fs::remove(folder / test::test_labels);
  CHECK(says(complaint(folder), {folder.path.c_str(), "has no t10k-labels-idx1-ubyte", ".gz"}));
}

TEST_CASE("wrong headers throw with the file and the expected value") {
  const data_folder folder;
  test::write_plain(folder / test::train_images, test::labels(20));
  CHECK(says(complaint(folder), {test::train_images, "magic number is 2049, must be 2051"}));
  test::write_plain(folder / test::train_images,
                    test::big_endian({0x803, 20, 28, 32}) + std::string(std::size_t(20) * 28 * 32, 'x'));
  CHECK(says(complaint(folder), {test::train_images, "width is 32, must be 28"}));
  test::write_plain(folder / test::train_images, test::images(21));
  CHECK(says(complaint(folder), {test::train_labels, "20 labels for 21 images"}));
  test::write_plain(folder / test::train_images, test::images(0));
  CHECK(says(complaint(folder), {test::train_images, "holds no images"}));
}

TEST_CASE("truncated files throw with their name") {
  const data_folder folder;
  const std::string images = test::images(20);
  for (const std::size_t length : {0u, 3u, 4u, 7u, 15u, 16u, 17u, 1000u, 20u * 784u + 15u}) {
    CAPTURE(length);
    test::write_plain(folder / test::train_images, images.substr(0, length));
    CHECK(says(complaint(folder), {test::train_images, "ends early"}));
  }
  test::write_plain(folder / test::train_images, images);
  test::write_plain(folder / test::test_labels, test::labels(10).substr(0, 17));
  CHECK(says(complaint(folder), {test::test_labels, "ends early, in the labels"}));
}

TEST_CASE("a size beyond the end of the file throws without allocating memory") {
  const data_folder folder;
  test::write_plain(folder / test::train_images, test::big_endian({0x803, 0xffffffff, 28, 28}));
  test::write_plain(folder / test::train_labels, test::big_endian({0x801, 0xffffffff}));
  CHECK(says(complaint(folder), {test::train_images, "ends early, in the images"}));
}

TEST_CASE("files with bytes after their end throw") {
  const data_folder folder;
  test::write_plain(folder / test::train_labels, test::labels(20) + "x");
  CHECK(says(complaint(folder), {test::train_labels, "more bytes than its sizes say"}));
}

TEST_CASE("labels out of range throw") {
  const data_folder folder;
  std::string labels = test::labels(20);
  labels[8 + 7] = 10;
  test::write_plain(folder / test::train_labels, labels);
  CHECK(says(complaint(folder), {test::train_labels, "label 7 is 10, must be 0 to 9"}));
}

TEST_CASE("truncated or damaged compressed files throw, wherever the damage is") {
  const data_folder folder;
  const test::fs::path file = folder / (std::string(test::test_images) + ".gz");
  test::write_gz(file, test::images(10));
  test::fs::remove(folder / test::test_images);
  const std::string whole = test::read(file);
  CHECK(complaint(folder).empty());
  for (std::size_t length = 1; length < whole.size(); length += length < 20 || length + 20 > whole.size() ? 1 : 97) {
    CAPTURE(length);
    test::write_plain(file, whole.substr(0, length));
    CHECK(says(complaint(folder), {file.c_str()}));
  }
  for (const std::size_t at : {whole.size() / 3, whole.size() / 2, whole.size() - 6}) {
    CAPTURE(at);
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    test::write_plain(file, damaged);
    CHECK(says(complaint(folder), {file.c_str()}));
  }
}
