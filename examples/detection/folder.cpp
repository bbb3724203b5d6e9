// SPDX-License-Identifier: MIT
#include "folder.hpp"

#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

namespace detection {
namespace {

using demo::data_error;
using std::filesystem::path;

[[noreturn]] void fail(const path& file, const std::string& what) { throw data_error(file.string() + ": " + what); }

constexpr int largest_side = 1 << 14;

/// The header of a PNM file, and after it the samples.
class pnm_file {
 public:
  explicit pnm_file(const path& file) : file_(file), stream_(file, std::ios::binary) {
    if (!stream_) fail(file, "cannot be opened");
    std::string magic(2, ' ');
    stream_.read(magic.data(), 2);
    if (!stream_ || magic[0] != 'P' || std::string("2356").find(magic[1]) == std::string::npos)
      fail(file, "is neither PGM nor PPM (P2, P3, P5, P6)");
    text = magic[1] < '5';
    colour = magic[1] == '3' || magic[1] == '6';
    width = number("width", 1, largest_side);
    height = number("height", 1, largest_side);
    most_ = number("largest value", 1, 255);
    if (!text) stream_.get();  // the one blank before the samples
  }

  int width, height;
  bool colour, text;

  double sample() {
    const int value = text ? number("sample", 0, most_) : stream_.get();
    if (!stream_) fail(file_, "ends early");
    return 255.0 * std::min(value, most_) / most_;
  }

 private:
  int number(const char* what, int least, int most) {
    for (stream_ >> std::ws; stream_.peek() == '#'; stream_ >> std::ws) {
      std::string comment;
      std::getline(stream_, comment);
    }
    int value = -1;
    if (!(stream_ >> value)) fail(file_, std::string(what) + " is no number");
    if (value < least || value > most)
      fail(file_, std::string(what) + " is " + std::to_string(value) + ", must be " + std::to_string(least) + " to " +
                      std::to_string(most));
    return value;
  }

  path file_;
  std::ifstream stream_;
  int most_ = 0;
};

demo::grey_image read_image(const path& file) {
  pnm_file pnm(file);
  demo::grey_image image{pnm.width, pnm.height, {}};
  for (int i = 0; i < pnm.width * pnm.height; ++i) {
    double grey = pnm.sample();
    if (pnm.colour) {
      const double green = pnm.sample(), blue = pnm.sample();
      grey = 0.299 * grey + 0.587 * green + 0.114 * blue;
    }
    image.pixels.push_back(static_cast<std::uint8_t>(std::lround(grey)));
  }
  return image;
}

/// Images as they are met, each once.
class scene_reader {
 public:
  scene_reader(const path& folder, const char* labels, std::vector<std::string>& classes, bool may_add)
      : folder_(folder), file_(folder / labels), classes_(classes), may_add_(may_add) {}

  std::vector<scene> read() {
    std::ifstream stream(file_);
    if (!stream) fail(file_, "cannot be opened");
    for (std::string text; std::getline(stream, text);) {
      ++line_;
      std::istringstream words(text);
      std::string name;
      if (words >> name && name[0] != '#') add(name, words);
    }
    if (scenes_.empty()) fail(file_, "names no images");
    return std::move(scenes_);
  }

 private:
  struct known {
    std::size_t at;
    int width, height;
  };

  [[noreturn]] void complain(const std::string& what) const {
    fail(file_, "line " + std::to_string(line_) + ": " + what);
  }

  void add(const std::string& name, std::istringstream& words) {
    const known image = find(name);
    std::string label, end;
    if (!(words >> label)) return;  // an image without boxes
    rectangle b{};
    if (!(words >> b.x1 >> b.y1 >> b.x2 >> b.y2)) complain("a box is CLASS X1 Y1 X2 Y2");
    if (!(b.x1 < b.x2 && b.y1 < b.y2 && b.x1 >= 0 && b.y1 >= 0 && b.x2 <= image.width && b.y2 <= image.height))
      complain("the box is not inside its image of " + std::to_string(image.width) + " x " +
               std::to_string(image.height));
    const bool crowd = static_cast<bool>(words >> end);
    if (crowd && end != "crowd") complain("'" + end + "' after the box, where only 'crowd' may be");
    if (words >> end) complain("'" + end + "' after the box");
    const double x = double(canvas_side) / image.width, y = double(canvas_side) / image.height;
    scenes_[image.at].truths.push_back({{b.x1 * x, b.y1 * y, b.x2 * x, b.y2 * y}, class_of(label), crowd});
  }

  known find(const std::string& name) {
    if (const auto there = images_.find(name); there != images_.end()) return there->second;
    const demo::grey_image image = read_image(folder_ / name);
    scenes_.push_back({demo::resized(image.pixels.data(), image.width, image.height, canvas_side, canvas_side), {}});
    return images_[name] = {scenes_.size() - 1, image.width, image.height};
  }

  int class_of(const std::string& label) {
    const auto there = std::find(classes_.begin(), classes_.end(), label);
    if (there != classes_.end()) return static_cast<int>(there - classes_.begin());
    if (!may_add_) complain("class '" + label + "' is not in train.txt");
    classes_.push_back(label);
    return static_cast<int>(classes_.size()) - 1;
  }

  path folder_, file_;
  std::vector<std::string>& classes_;
  bool may_add_;
  int line_ = 0;
  std::vector<scene> scenes_;
  std::map<std::string, known> images_;
};

}  // namespace

bool is_scene_folder(const path& folder) { return std::filesystem::is_regular_file(folder / "train.txt"); }

scene_set read_scenes(const path& folder) {
  scene_set set{"images in " + folder.string(), {}, {}, {}};
  set.train = scene_reader(folder, "train.txt", set.classes, true).read();
  if (set.classes.empty()) fail(folder / "train.txt", "names no boxes");
  set.test = scene_reader(folder, "test.txt", set.classes, false).read();
  return set;
}

}  // namespace detection
