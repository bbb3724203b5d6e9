// SPDX-License-Identifier: MIT
#include "progress.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

namespace demo {
namespace {

bool on_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) != 0 && term != nullptr && std::string_view(term) != "dumb";
}

int terminal_width() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string format(const char* pattern, auto... values) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

}  // namespace

std::string clock_text(double seconds) {
  const auto s = static_cast<long>(std::ceil(seconds));
  return s < 3600 ? format("%ld:%02ld", s / 60, s % 60) : format("%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
}

progress::progress(int trainings, int epochs, hone::index images_per_epoch)
    : trainings_(trainings), epochs_(epochs), images_per_epoch_(images_per_epoch), terminal_(on_terminal()) {}

void progress::begin(const std::string& recipe, std::uint64_t seed) {
  label_ = format("[%d/%d] ", ++training_, trainings_) + recipe + format(" seed %d", static_cast<int>(seed));
}

void progress::step(int epoch, hone::index images, double loss, double accuracy) {
  done_ += images;
  const clock::time_point now = clock::now();
  if (!terminal_ || now - drawn_ < std::chrono::milliseconds(100)) return;
  drawn_ = now;
  const std::string left = label_ + format(" epoch %d/%d ", epoch, epochs_);
  const std::string right =
      format(" loss %.3f acc %.1f%% %s left", loss, 100 * accuracy, clock_text(seconds_left()).c_str());
  const int room = std::min(30, terminal_width() - 3 - static_cast<int>(left.size() + right.size()));
  std::string bar;
  if (room >= 5) {  // a narrow terminal gets the numbers only
    const hone::index of_training = images_per_epoch_ * epochs_;
    const auto full = static_cast<int>(room * (done_ - (training_ - 1) * of_training) / of_training);
    bar = '[' + std::string(static_cast<std::size_t>(full), '#') +
          std::string(static_cast<std::size_t>(room - full), '.') + ']';
  }
  const std::string line = (left + bar + right).substr(0, static_cast<std::size_t>(terminal_width() - 1));
  std::printf("\r%s\033[K", line.c_str());
  std::fflush(stdout);
  visible_ = true;
}

void progress::epoch(int epoch, double loss, double accuracy, double test_accuracy) {
  clear();
  std::printf("%s epoch %d/%d  loss %.4f  accuracy %.2f %%  test accuracy %.2f %%  %s left\n", label_.c_str(), epoch,
              epochs_, loss, 100 * accuracy, 100 * test_accuracy, clock_text(seconds_left()).c_str());
  std::fflush(stdout);
}

void progress::clear() {
  if (visible_) std::printf("\r\033[K");
  std::fflush(stdout);
  visible_ = false;
}

double progress::seconds_left() const {
  const double gone = std::chrono::duration<double>(clock::now() - start_).count();
  const auto all = static_cast<double>(images_per_epoch_ * epochs_ * trainings_);
  return gone * (all / static_cast<double>(std::max<hone::index>(done_, 1)) - 1);
}

}  // namespace demo
