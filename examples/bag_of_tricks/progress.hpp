// SPDX-License-Identifier: MIT
/// The progress of all trainings together: a bar on a terminal, and a plain line per epoch where there is none.
#pragma once

#include "terminal.hpp"
#include "train.hpp"

#include <chrono>
#include <mutex>
#include <vector>

namespace ladder {

class progress final : public observer {
 public:
  /// What there is to do; what is recorded already is not among it.
  progress(const std::vector<training>& to_do, const plan& plan);

  void images(const training& what, int count) override;
  void epoch(const training& what, int epoch, double loss, double watched_error) override;
  void resumed(const training& what, int epochs) override;
  void done(const training& what, const record& r);

 private:
  using clock = std::chrono::steady_clock;

  std::string left() const;

  const plan& plan_;
  const clock::time_point start_ = clock::now();
  const bool terminal_;
  std::mutex mutex_;
  demo::status_line line_;
  double all_ = 0, done_ = 0, earlier_ = 0;  // images, weighed by what they cost; earlier: before this run
  std::size_t trainings_ = 0, finished_ = 0;
};

}  // namespace ladder
