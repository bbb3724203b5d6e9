// SPDX-License-Identifier: MIT
/// Files that hold complete contents at any time: the old or the new, even if the program is interrupted. Each system
/// has its own header, with the same names, which uses the calls of the system.
#pragma once

#if defined(_WIN32)
#include <hone/io/windows_file.hpp>
#else
#include <hone/io/posix_file.hpp>
#endif
