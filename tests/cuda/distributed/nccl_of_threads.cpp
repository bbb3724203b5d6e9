// SPDX-License-Identifier: MIT
#include "nccl_of_threads.hpp"

#include <hone/distributed/communicator.hpp>

#include <cuda_runtime_api.h>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <exception>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

namespace {

enum class verb { sum_of_integers, sum_of_doubles, max_of_doubles, broadcast };

struct request {
  verb what;
  std::size_t count, bytes;
  int root;
  void* at;
  ncclComm_t of;
};

/// Where ranks meet. The mutex is held by the rank that runs.
struct group {
  explicit group(int ranks) : brought(static_cast<std::size_t>(ranks)), asked(brought.size()) {}

  int size() const { return static_cast<int>(brought.size()); }

  std::mutex running;
  std::condition_variable changed;
  std::vector<std::vector<std::byte>> brought;
  std::vector<request const*> asked;
  std::vector<std::byte> result;
  int arrived = 0;
  std::int64_t meeting = 0;
  bool gone = false;  // a rank has ended with an error, or ranks have asked for different things
};

thread_local std::unique_lock<std::mutex>* holds = nullptr;

template <class T, class Combine>
void combine(group& all, std::size_t count, Combine const& with) {
  all.result = all.brought[0];
  T* const to = reinterpret_cast<T*>(all.result.data());
  for (std::size_t r = 1; r < all.brought.size(); ++r) {
    T const* const from = reinterpret_cast<T const*>(all.brought[r].data());
    for (std::size_t i = 0; i < count; ++i) to[i] = with(to[i], from[i]);
  }
}

void combine(group& all) {
  request const& one = *all.asked[0];
  for (request const* r : all.asked)
    if (r->what != one.what || r->count != one.count || r->root != one.root) {
      all.gone = true;
      return;
    }
  switch (one.what) {
    case verb::sum_of_integers:
      return combine<std::int64_t>(all, one.count, [](std::int64_t a, std::int64_t b) { return a + b; });
    case verb::sum_of_doubles:
      return combine<double>(all, one.count, [](double a, double b) { return a + b; });
    case verb::max_of_doubles:
      return combine<double>(all, one.count, [](double a, double b) { return std::max(a, b); });
    case verb::broadcast:
      all.result = all.brought[static_cast<std::size_t>(one.root)];
  }
}

}  // namespace

struct ncclComm {
  group* all;
  int rank;
  ncclResult_t asynchronous = ncclSuccess;
  bool fails = false;
  int collectives = 0;
  std::list<request> requests = {};  // graphs hold pointers to them
};

namespace {

/// The host function of a stream. (On a device such a function must not call CUDA; the simulator allows it.)
void meet(void* data) {
  auto const& mine = *static_cast<request const*>(data);
  ncclComm& rank = *mine.of;
  group& all = *rank.all;
  ++rank.collectives;
  if (!all.gone) {
    const auto r = static_cast<std::size_t>(rank.rank);
    all.brought[r].resize(mine.bytes);
    all.asked[r] = &mine;
    if (cudaMemcpy(all.brought[r].data(), mine.at, mine.bytes, cudaMemcpyDeviceToHost) != cudaSuccess) all.gone = true;
    if (++all.arrived == all.size()) {
      combine(all);
      all.arrived = 0, ++all.meeting;
      all.changed.notify_all();
    } else {
      const std::int64_t this_one = all.meeting;
      if (!all.changed.wait_for(*holds, std::chrono::seconds(60), [&] { return all.gone || all.meeting != this_one; }))
        all.gone = true;
      if (all.meeting == this_one) all.changed.notify_all();
    }
  }
  if (all.gone) {
    rank.asynchronous = ncclRemoteError;
    return;
  }
  cudaMemcpy(mine.at, all.result.data(), mine.bytes, cudaMemcpyHostToDevice);
}

ncclResult_t enqueue(ncclComm_t rank, request const& asked, cudaStream_t stream) {
  if (rank->fails) return ncclSystemError;
  if (rank->asynchronous != ncclSuccess) return rank->asynchronous;
  rank->requests.push_back(asked);
  return cudaLaunchHostFunc(stream, meet, &rank->requests.back()) == cudaSuccess ? ncclSuccess : ncclUnhandledCudaError;
}

}  // namespace

namespace nccl_of_threads {

void on_ranks(int ranks, std::function<void(ncclComm_t)> const& body) {
  group all(ranks);
  std::list<ncclComm> of_ranks;
  std::vector<std::thread> threads;
  std::exception_ptr own, consequence;
  threads.reserve(static_cast<std::size_t>(ranks));
  for (int r = 0; r < ranks; ++r) of_ranks.push_back({&all, r});
  for (ncclComm& rank : of_ranks)
    threads.emplace_back([&, of = &rank] {
      std::unique_lock lock(all.running);
      holds = &lock;
      try {
        body(of);
        return;
      } catch (hone::communicator_error const&) {
        if (!consequence) consequence = std::current_exception();
      } catch (...) {
        if (!own) own = std::current_exception();
      }
      all.gone = true;
      all.changed.notify_all();
    });
  for (std::thread& t : threads) t.join();
  if (own || consequence) std::rethrow_exception(own ? own : consequence);
}

int collectives(ncclComm_t rank) { return rank->collectives; }
void fail_calls(ncclComm_t rank, bool fail) { rank->fails = fail; }

}  // namespace nccl_of_threads

extern "C" {

ncclResult_t ncclCommUserRank(ncclComm_t comm, int* rank) {
  *rank = comm->rank;
  return ncclSuccess;
}
ncclResult_t ncclCommCount(ncclComm_t comm, int* count) {
  *count = comm->all->size();
  return ncclSuccess;
}
ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* error) {
  *error = comm->asynchronous;
  return ncclSuccess;
}
const char* ncclGetErrorString(ncclResult_t result) {
  return result == ncclSuccess ? "no error" : result == ncclRemoteError ? "remote process exited" : "a simulated error";
}
const char* ncclGetLastError(ncclComm_t) { return "in the simulation of NCCL"; }

ncclResult_t ncclAllReduce(const void* from, void* to, std::size_t count, ncclDataType_t type, ncclRedOp_t how,
                           ncclComm_t comm, cudaStream_t stream) {
  const bool sums = how == ncclSum, integers = type == ncclInt64;
  if (from != to || !(sums || (how == ncclMax && !integers)) || !(integers || type == ncclFloat64))
    return ncclInvalidArgument;
  const verb what = integers ? verb::sum_of_integers : sums ? verb::sum_of_doubles : verb::max_of_doubles;
  return enqueue(comm, {what, count, count * 8, 0, to, comm}, stream);
}
ncclResult_t ncclBroadcast(const void* from, void* to, std::size_t count, ncclDataType_t type, int root,
                           ncclComm_t comm, cudaStream_t stream) {
  if (from != to || type != ncclUint8 || root < 0 || root >= comm->all->size()) return ncclInvalidArgument;
  return enqueue(comm, {verb::broadcast, count, count, root, to, comm}, stream);
}

}  // extern "C"
