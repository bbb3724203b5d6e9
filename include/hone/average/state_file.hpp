// SPDX-License-Identifier: MIT
/// A state as a file that is always whole: the old one or the new one, whatever stops the program in between.
#pragma once

#include <hone/average/ema_state.hpp>
#include <hone/io/file.hpp>

#include <cstddef>
#include <string>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Writes a file beside `path`, makes sure that it is on the disk, and renames it: `path` holds the old state until it
/// holds the new one, from whichever thread or program. A symbolic link stays one, and the file that it leads to is
/// written; a file that is there already keeps its mode; a pipe or a device is refused. Throws hone::io_error with the
/// function, the path and the reason; `path` is then as it was, or, where the last step failed (the fsync of the
/// folder), holds the new state, which a crash of the machine may still undo. A program killed in the middle leaves
/// PATH.PROCESS.NUMBER.partial behind, which may be removed.
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

/// Reads such a file. Throws hone::io_error where there is none that can be read, hone::invalid_argument where it holds
/// another state or bytes behind it, ends early, is damaged or holds values that no state has; the state is then as it
/// was.
template <class T, class Memory>
void load_file(ema_state<T, Memory>& state, std::string const& path) {
  detail::file whole("load_file", path);
  const std::string where = "load_file: " + path;
  state.read_from(where.c_str(), [&](void* data, std::size_t size) { return whole.read(data, size); }, true);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
