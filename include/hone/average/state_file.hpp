// SPDX-License-Identifier: MIT
/// Files that hold a complete state at any time: the old one or the new one, even if the program is interrupted.
#pragma once

#include <hone/average/ema_state.hpp>
#include <hone/io/file.hpp>

#include <cstddef>
#include <string>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Writes the state to a file next to `path`, flushes it to the disk, and renames it: every thread and program sees the
/// old state or the new one at `path`. A symbolic link is kept, and its target is written; an existing file keeps its
/// mode; a pipe or a device is refused. Throws hone::io_error with the function, the path and the reason. `path` is
/// then unchanged or, if the last step (the fsync of the folder) failed, holds the new state, which a crash of the
/// machine may still undo. A program that is killed during the call leaves PATH.PROCESS.NUMBER.partial, which may be
/// removed.
template <class T, class Memory>
void save_file(ema_state<T, Memory> const& state, std::string const& path) {
  const std::string to = detail::path_to_write("save_file", path);
  detail::file folder = detail::folder_of("save_file", to);
  detail::file partial = detail::file::beside("save_file", to);
  state.write_to("save_file", [&](void const* data, std::size_t size) { partial.write(data, size); });
  partial.sync();
  partial.close();
  partial.move_to(to);
  folder.sync();
}

/// Reads a file of save_file. Throws hone::io_error if the file cannot be read, and
/// hone::invalid_argument if it holds another state or extra bytes, ends early, is damaged or holds
/// impossible values; the state is then unchanged.
template <class T, class Memory>
void load_file(ema_state<T, Memory>& state, std::string const& path) {
  detail::file input("load_file", path);
  const std::string where = "load_file: " + path;
  state.read_from(where.c_str(), [&](void* data, std::size_t size) { return input.read(data, size); }, true);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
