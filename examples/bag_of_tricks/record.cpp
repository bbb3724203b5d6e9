// SPDX-License-Identifier: MIT
#include "record.hpp"

#include "text.hpp"

#include <charconv>
#include <span>
#include <sstream>

namespace ladder {
namespace {

constexpr const char* first_line = "hone bag_of_tricks record 1";

/// visit(name, numbers as a vector or an array or one number) for everything in a record, in the order of the file.
template <class Record, class Visit>
void each_field(Record& r, const Visit& visit) {
  visit("loss", r.loss);
  visit("watched_error", r.watched_error);
  visit("error", r.error);
  visit("calibration_error", r.calibration_error);
  visit("likelihood", r.likelihood);
  visit("temperature", r.temperature);
  visit("scaled_calibration_error", r.scaled_calibration_error);
  visit("bias", r.bias);
  visit("recall", r.recall);
  visit("lifted_recall", r.lifted_recall);
  visit("confusion", r.confusion);
  visit("bin_count", r.bin_count);
  visit("bin_correct", r.bin_correct);
  visit("bin_confidence", r.bin_confidence);
  visit("seconds", r.seconds);
}

std::span<const double> numbers_of(const double& one) { return {&one, 1}; }
std::span<const double> numbers_of(std::span<const double> many) { return many; }

bool set(double& one, const std::vector<double>& read) {
  if (read.size() == 1) one = read[0];
  return read.size() == 1;
}
bool set(std::vector<double>& many, const std::vector<double>& read) {
  many = read;
  return true;
}
bool set(std::array<double, 100>& many, const std::vector<double>& read) {
  if (read.size() != many.size()) return false;
  std::copy(read.begin(), read.end(), many.begin());
  return true;
}

/// The line must be `name` and numbers.
bool numbers_in(const std::string& line, const std::string& name, std::vector<double>& to) {
  if (!line.starts_with(name)) return false;
  const char *at = line.data() + name.size(), *end = line.data() + line.size();
  while (at != end) {
    double x = 0;
    if (*at != ' ') return false;
    const auto [next, error] = std::from_chars(at + 1, end, x);
    if (error != std::errc{}) return false;
    to.push_back(x);
    at = next;
  }
  return true;
}

}  // namespace

std::string text_of(const record& r, const std::string& plan, const std::string& id) {
  std::string text = std::string(first_line) + "\nplan " + plan + "\ntraining " + id + "\n";
  each_field(r, [&](const char* name, const auto& numbers) {
    text += name;
    for (const double x : numbers_of(numbers)) text += demo::format(" %.17g", x);
    text += "\n";
  });
  return text;
}

record parse_record(const std::string& text, const std::string& plan, const std::string& id,
                    const std::filesystem::path& file) {
  std::istringstream lines(text);
  std::string line;
  const auto fail = [&file](const std::string& why) -> void { throw record_error(file.string() + ": " + why); };
  if (!std::getline(lines, line) || line != first_line) fail("no record of a training");
  std::getline(lines, line);
  if (line != "plan " + plan)
    fail("made by another plan; use another --work folder. It has\n  " + line + "\nand this run has\n  plan " + plan);
  std::getline(lines, line);
  if (line != "training " + id) fail("of another training: " + line);
  record r;
  each_field(r, [&](const char* name, auto& numbers) {
    std::vector<double> read;
    if (!std::getline(lines, line) || !numbers_in(line, name, read) || !set(numbers, read))
      fail(std::string("damaged at ") + name);
  });
  return r;
}

}  // namespace ladder
