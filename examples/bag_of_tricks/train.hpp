// SPDX-License-Identifier: MIT
/// One training from its seed, or from where it was stopped, to its record.
#pragma once

#include "divergence.hpp"
#include "images.hpp"
#include "record.hpp"

#include <filesystem>

namespace ladder {

using demo::divergence;

/// What trainings tell while they run, from several threads.
class observer {
 public:
  virtual ~observer() = default;
  virtual void images(const training& what, int count) = 0;  // trained on since the last call
  virtual void epoch(const training& what, int epoch, double loss, double watched_error) = 0;
  virtual void resumed(const training& what, int epochs) = 0;  // that were there already
};

/// The files of a training in the folder of a run.
struct training_files {
  std::filesystem::path record, checkpoint, network;

  training_files(const std::filesystem::path& folder, const std::string& id)
      : record(folder / (id + ".txt")),
        checkpoint(folder / (id + ".checkpoint")),
        network(folder / (id + ".network")) {}
};

/// Nothing where there is none yet. Throws record_error.
std::optional<record> recorded(const training& what, const plan& plan, const std::filesystem::path& folder);

/// Trains on one thread. After every epoch a checkpoint is written, from which it goes on; at the end the network and
/// the record. What it computes depends on `what` and `plan` alone. Its teacher must be recorded in the folder. Nothing
/// where it was interrupted. Throws divergence and record_error.
std::optional<record> train(const training& what, const plan& plan, const images& data,
                            const std::filesystem::path& folder, observer& observer);

}  // namespace ladder
