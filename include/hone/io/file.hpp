// SPDX-License-Identifier: MIT
/// Files that are always whole: the old one or the new one, whatever stops the program in between. By the calls of the
/// system, which has a header of its own with the same names in it.
#pragma once

#if defined(_WIN32)
#include <hone/io/windows_file.hpp>
#else
#include <hone/io/posix_file.hpp>
#endif
