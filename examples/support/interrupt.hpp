// SPDX-License-Identifier: MIT
/// Ctrl-C as a question that the training asks after every step.
#pragma once

#include <csignal>
#include <initializer_list>

namespace demo {

namespace detail {
inline volatile std::sig_atomic_t interrupted = 0;
}

/// From here on the first SIGINT or SIGTERM is only noted; a second one ends the program at once.
inline void catch_interrupts() {
  for (const int signal : {SIGINT, SIGTERM})
    std::signal(signal, [](int which) {
      detail::interrupted = 1;
      std::signal(which, SIG_DFL);
    });
}

inline bool interrupted() { return detail::interrupted != 0; }

}  // namespace demo
