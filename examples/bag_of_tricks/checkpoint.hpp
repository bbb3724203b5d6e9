// SPDX-License-Identifier: MIT
/// A training between two epochs, on disk. All else, the order of images and every draw, follows from its seed.
#pragma once

#include "networks.hpp"

#include <filesystem>
#include <optional>

namespace ladder {

/// What a training carries from epoch to epoch.
struct training_state {
  std::unique_ptr<network> net;
  Eigen::VectorXf velocity;
  std::optional<hone::ema_state<float>> average = {};  // with the trick only
  std::vector<double> loss = {}, watched_error = {};   // so far
  double seconds = 0;

  int epochs() const { return static_cast<int>(loss.size()); }
};

/// Replaces the file at once.
void save_checkpoint(const std::filesystem::path& file, const std::string& key, const training_state& state);
/// False where there is no file. Throws record_error where it is damaged, or `key`, which names plan and training, is
/// another's.
bool load_checkpoint(const std::filesystem::path& file, const std::string& key, training_state& state);

/// A network as its tests saw it, for students.
void save_network(const std::filesystem::path& file, const std::string& key, network& net);
/// Throws record_error.
void load_network(const std::filesystem::path& file, const std::string& key, network& net);

/// The whole file; empty where there is none.
std::optional<std::string> contents_of(const std::filesystem::path& file);

}  // namespace ladder
