// SPDX-License-Identifier: MIT
/// The folder of a run's records, for one run at a time.
#pragma once

#include "record.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace ladder {

/// Makes the folder. However the program ends, the next one can have it. Throws record_error where another run has it.
class work_folder {
 public:
  explicit work_folder(const std::filesystem::path& path) : path_(path) {
    std::filesystem::create_directories(path);
    lock_ = open((path / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock_ < 0) throw record_error(path.string() + ": cannot be written to");
    if (flock(lock_, LOCK_EX | LOCK_NB) == 0) return;
    close(lock_);
    throw record_error(path.string() + ": another run is at work in it");
  }
  work_folder(const work_folder&) = delete;
  work_folder& operator=(const work_folder&) = delete;
  ~work_folder() { close(lock_); }

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int lock_ = -1;
};

}  // namespace ladder
