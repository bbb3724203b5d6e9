// SPDX-License-Identifier: MIT
/// What a finished training leaves: numbers in a text file.
#pragma once

#include <array>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace ladder {

/// A file that cannot be used; the message names it.
struct record_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Of one training. "Measured" is on the images of the plan, by default the test set, after the last epoch only.
struct record {
  std::vector<double> loss = {}, watched_error = {};     // after every epoch: of the training, and on held-out images
  double error = 0;                                      // measured
  double calibration_error = 0, likelihood = 0;          // ECE over 15 bins, negative log-likelihood
  double temperature = 1, scaled_calibration_error = 0;  // fitted on held-out images
  double bias = 0, recall = 0, lifted_recall = 0;        // of a class that was missing: chosen on held-out images
  std::array<double, 100> confusion = {};                // true class by said class
  std::vector<double> bin_count = {}, bin_correct = {}, bin_confidence = {};  // of the reliability diagram
  double seconds = 0;  // the only number that another run may not repeat
};

/// Exact: what is read equals what was written.
std::string text_of(const record& r, const std::string& plan, const std::string& id);
/// Throws record_error where the text is no record, or one of another plan or training.
record parse_record(const std::string& text, const std::string& plan, const std::string& id,
                    const std::filesystem::path& file);

}  // namespace ladder
