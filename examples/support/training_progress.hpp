// SPDX-License-Identifier: MIT
/// What a program says while it trains one network after another.
#pragma once

#include "terminal.hpp"
#include "text.hpp"

#include <algorithm>

namespace demo {

/// A bar on a terminal, a plain line per epoch anywhere else.
class training_progress {
 public:
  training_progress(int trainings, int epochs, std::size_t images)
      : trainings_(trainings), epochs_(epochs), of_training_(static_cast<double>(images) * epochs) {}

  void begin(const std::string& recipe, std::uint64_t seed) {
    label_ = format("[%d/%d] ", ++training_, trainings_) + recipe + format(" seed %d", static_cast<int>(seed));
  }
  /// `images` more are done; the loss is the mean over the epoch so far.
  void step(int epoch, std::ptrdiff_t images, double loss) {
    done_ += static_cast<double>(images);
    line_.show(label_ + format(" epoch %d/%d ", epoch, epochs_), done_ / of_training_ - (training_ - 1),
               format(" loss %.3f %s left", loss, clock_text(seconds_left()).c_str()));
  }
  /// `result`: what the tests say.
  void epoch(int epoch, double loss, const std::string& result) {
    line_.clear();
    std::printf("%s epoch %d/%d  loss %.4f  %s  %s left\n", label_.c_str(), epoch, epochs_, loss, result.c_str(),
                clock_text(seconds_left()).c_str());
    std::fflush(stdout);
  }

 private:
  using clock = std::chrono::steady_clock;

  double seconds_left() const {
    const double gone = std::chrono::duration<double>(clock::now() - start_).count();
    return gone * (of_training_ * trainings_ / std::max(done_, 1.0) - 1);
  }

  const int trainings_, epochs_;
  const double of_training_;
  const clock::time_point start_ = clock::now();
  status_line line_;
  std::string label_;
  int training_ = 0;
  double done_ = 0;  // images, of all trainings
};

}  // namespace demo
