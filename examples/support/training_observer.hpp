// SPDX-License-Identifier: MIT
/// What a training tells while it runs, and how a program shows it.
#pragma once

#include "training_progress.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

namespace demo {

/// The loss is the mean over the current epoch so far; the result is that of the tests after the epoch.
template <class Result>
class training_observer {
 public:
  virtual ~training_observer() = default;
  virtual void begin(const std::string& recipe, std::uint64_t seed) = 0;
  virtual void step(int epoch, std::ptrdiff_t images, double loss) = 0;
  virtual void epoch(int epoch, double loss, const Result& result) = 0;
};

/// Shows the progress of all trainings; `text` says what a result is.
template <class Result>
class shown_progress final : public training_observer<Result> {
 public:
  using result_text = std::function<std::string(const Result&)>;

  shown_progress(int trainings, int epochs, std::size_t images, result_text text)
      : lines_(trainings, epochs, images), text_(std::move(text)) {}

  void begin(const std::string& recipe, std::uint64_t seed) override { lines_.begin(recipe, seed); }
  void step(int epoch, std::ptrdiff_t images, double loss) override { lines_.step(epoch, images, loss); }
  void epoch(int epoch, double loss, const Result& result) override { lines_.epoch(epoch, loss, text_(result)); }

 private:
  training_progress lines_;
  const result_text text_;
};

}  // namespace demo
