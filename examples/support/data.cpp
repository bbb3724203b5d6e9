// SPDX-License-Identifier: MIT
#include "data.hpp"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

namespace demo {
namespace {

using std::filesystem::path;

[[noreturn]] void fail(const path& file, const std::string& what) { throw data_error(file.string() + ": " + what); }

/// One idx file: a magic number, sizes, bytes. zlib passes files that are not compressed through as they are.
class idx_file {
 public:
  explicit idx_file(const path& file) : file_(file) {
    errno = 0;
    stream_.reset(gzopen(file.c_str(), "rb"));
    if (!stream_) fail(file, errno != 0 ? std::strerror(errno) : "cannot be opened");
  }

  std::uint32_t number(const char* what) {  // big-endian
    std::uint8_t b[4];
    read(b, sizeof b, what);
    return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
  }

  void expect(const char* what, std::uint32_t expected) {
    const std::uint32_t found = number(what);
    if (found != expected)
      fail(file_, std::string(what) + " is " + std::to_string(found) + ", must be " + std::to_string(expected));
  }

  /// In portions, so that a corrupt size meets the end of the file and not the end of the memory.
  std::vector<std::uint8_t> bytes(std::size_t count, const char* what) {
    std::vector<std::uint8_t> all;
    while (all.size() < count) {
      const std::size_t done = all.size(), portion = std::min(count - done, std::size_t{1} << 24);
      all.resize(done + portion);
      read(all.data() + done, portion, what);
    }
    return all;
  }

  void expect_end() {
    char extra;
    const int got = gzread(stream_.get(), &extra, 1);
    if (got < 0) fail(file_, reason());
    if (got > 0) fail(file_, "has more bytes than its sizes say");
    int code = Z_OK;
    gzerror(stream_.get(), &code);
    if (code != Z_OK && code != Z_STREAM_END) fail(file_, reason());  // the checksum behind the data is cut off
  }

 private:
  void read(void* to, std::size_t count, const char* what) {
    const int got = gzread(stream_.get(), to, static_cast<unsigned>(count));
    if (got < 0) fail(file_, reason());
    if (static_cast<std::size_t>(got) < count) fail(file_, std::string("ends early, in the ") + what);
  }

  std::string reason() {
    int code = 0;
    const char* text = gzerror(stream_.get(), &code);
    if (code == Z_ERRNO) return std::strerror(errno);
    if (code == Z_BUF_ERROR) return "ends early, in the compressed data";
    return std::string("is corrupt (") + text + ")";
  }

  struct closer {
    void operator()(gzFile stream) const { gzclose(stream); }
  };
  path file_;
  std::unique_ptr<gzFile_s, closer> stream_;
};

/// The file itself or its compressed form, whichever is there; empty if neither is.
path find(const path& folder, const std::string& name) {
  for (const char* ending : {"", ".gz"})
    if (path file = folder / (name + ending); std::filesystem::exists(file)) return file;
  return {};
}

image_set read_set(const path& folder, const std::string& prefix) {
  const path images_path = find(folder, prefix + "-images-idx3-ubyte");
  const path labels_path = find(folder, prefix + "-labels-idx1-ubyte");
  if (images_path.empty()) fail(folder, "has no " + prefix + "-images-idx3-ubyte, neither plain nor .gz");
  if (labels_path.empty()) fail(folder, "has no " + prefix + "-labels-idx1-ubyte, neither plain nor .gz");

  idx_file images(images_path), labels(labels_path);
  images.expect("magic number", 0x803);  // unsigned bytes, 3 dimensions
  labels.expect("magic number", 0x801);  // unsigned bytes, 1 dimension
  const std::size_t count = images.number("number of images");
  if (count == 0) fail(images_path, "holds no images");
  images.expect("height", image_side);
  images.expect("width", image_side);
  if (const std::size_t n = labels.number("number of labels"); n != count)
    fail(labels_path, "holds " + std::to_string(n) + " labels for " + std::to_string(count) + " images");

  image_set set;
  set.pixels = images.bytes(count * image_pixels, "images");
  images.expect_end();
  const std::vector<std::uint8_t> classes = labels.bytes(count, "labels");
  labels.expect_end();
  if (const auto bad = std::find_if(classes.begin(), classes.end(), [](auto c) { return c >= class_count; });
      bad != classes.end())
    fail(labels_path, "label " + std::to_string(bad - classes.begin()) + " is " + std::to_string(*bad) +
                          ", must be 0 to " + std::to_string(class_count - 1));
  set.labels.assign(classes.begin(), classes.end());
  return set;
}

}  // namespace

image_set image_set::part(std::size_t begin, std::size_t end) const {
  const auto at = [](const auto& v, std::size_t i) { return v.begin() + static_cast<std::ptrdiff_t>(i); };
  return {{at(pixels, begin * image_pixels), at(pixels, end * image_pixels)}, {at(labels, begin), at(labels, end)}};
}

dataset read_dataset(const path& folder) {
  if (folder.empty() && !std::filesystem::is_directory(debian_folder))
    throw data_error(std::string("no Fashion-MNIST in ") + debian_folder +
                     "\n  on Debian and Ubuntu: apt-get install dataset-fashion-mnist"
                     "\n  anywhere else: --data FOLDER with the four idx files, plain or .gz");
  const path where = folder.empty() ? path(debian_folder) : folder;
  if (!std::filesystem::is_directory(where)) fail(where, "is not a folder");
  return {read_set(where, "train"), read_set(where, "t10k")};
}

}  // namespace demo
