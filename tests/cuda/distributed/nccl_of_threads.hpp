// SPDX-License-Identifier: MIT
/// A SIMULATION of the functions of NCCL that hone::nccl calls, for the simulator of CUDA, which has no NCCL. Ranks are
/// threads of this process, of which one runs at a time, because the simulator serves one thread: another goes on where
/// one waits for it in a collective. Collectives are host functions of a stream, so graphs may hold them. Sums are
/// added in the order of ranks. It says nothing about NCCL's speed, or about what NCCL does when a device fails.
#pragma once

#include <nccl.h>
#include <functional>

namespace nccl_of_threads {

/// Calls body(communicator) in a thread per rank. If a body throws, the others' collectives end with ncclRemoteError,
/// as if that rank's process had ended; the first error that is not such a consequence is thrown at the end.
void on_ranks(int ranks, std::function<void(ncclComm_t)> const& body);

/// How many collectives this rank has taken part in: replays of graphs count, captures do not.
int collectives(ncclComm_t rank);

/// Makes the next calls of this rank fail as ncclSystemError, for tests of error messages.
void fail_calls(ncclComm_t rank, bool fail);

}  // namespace nccl_of_threads
