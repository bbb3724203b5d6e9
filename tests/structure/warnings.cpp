// SPDX-License-Identifier: MIT
// What a user compiles with warnings of his own and with hone as one of his include directories: nothing is printed.
#include <process/work.hpp>

double work_of_all_verbs() { return process::work().all(2); }
