// SPDX-License-Identifier: MIT
// A plugin with a hone of its own, see plugins.cpp.
#include "work.hpp"

extern "C" double all_on_threads(int threads) { return process::work(400, 37).all(threads); }
