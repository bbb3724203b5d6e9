// SPDX-License-Identifier: MIT
#include "progress.hpp"

#include "text.hpp"

#include <algorithm>

namespace demo {

progress::progress(int trainings, int epochs, hone::index images_per_epoch)
    : trainings_(trainings), epochs_(epochs), images_per_epoch_(images_per_epoch) {}

void progress::begin(const std::string& recipe, std::uint64_t seed) {
  label_ = format("[%d/%d] ", ++training_, trainings_) + recipe + format(" seed %d", static_cast<int>(seed));
}

void progress::step(int epoch, hone::index images, double loss, double accuracy) {
  done_ += images;
  const hone::index of_training = images_per_epoch_ * epochs_;
  line_.show(label_ + format(" epoch %d/%d ", epoch, epochs_),
             static_cast<double>(done_ - (training_ - 1) * of_training) / static_cast<double>(of_training),
             format(" loss %.3f acc %.1f%% %s left", loss, 100 * accuracy, clock_text(seconds_left()).c_str()));
}

void progress::epoch(int epoch, double loss, double accuracy, double test_accuracy) {
  line_.clear();
  std::printf("%s epoch %d/%d  loss %.4f  accuracy %.2f %%  test accuracy %.2f %%  %s left\n", label_.c_str(), epoch,
              epochs_, loss, 100 * accuracy, 100 * test_accuracy, clock_text(seconds_left()).c_str());
  std::fflush(stdout);
}

double progress::seconds_left() const {
  const double gone = std::chrono::duration<double>(clock::now() - start_).count();
  const auto all = static_cast<double>(images_per_epoch_ * epochs_ * trainings_);
  return gone * (all / static_cast<double>(std::max<hone::index>(done_, 1)) - 1);
}

}  // namespace demo
