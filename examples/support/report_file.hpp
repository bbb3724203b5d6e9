// SPDX-License-Identifier: MIT
/// A report that is on disk whole or not at all.
#pragma once

#include <string>

namespace demo {

/// Before the training: a mistyped path must not cost the result. What is there stays until the end. Throws
/// std::runtime_error, which names the file.
void check_writable(const std::string& file);

/// Replaces the file at once. Throws std::runtime_error, and leaves what was there, where that cannot be done.
void write_report(const std::string& file, const std::string& text);

}  // namespace demo
