// SPDX-License-Identifier: MIT
/// Runs a test on several ranks: threads, or processes where the program is built with MPI (HONE_TEST_RANKS).
#pragma once

#ifdef HONE_TEST_RANKS
#include HONE_TEST_RANKS  // defines on_ranks(ranks, body)
#else
#include <hone/distributed/thread_group.hpp>

/// Calls body(communicator) on every rank of a group.
template <class Body>
void on_ranks(int ranks, Body const& body) {
  hone::run_ranks(ranks, body, std::chrono::seconds(60));
}
#endif

/// The numbers of ranks for which bits must be the same.
inline constexpr int numbers_of_ranks[] = {1, 2, 3, 4, 8};
