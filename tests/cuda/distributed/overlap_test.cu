// SPDX-License-Identifier: MIT
// Which work of a call waits for which: the simulator runs all work in the order of the calls, so a forgotten wait
// would change no result there. The linker leads launches and events to this file, which follows them by vector clocks.
#include <hone/cuda/distributed/class_parallel.cuh>
#include <hone/loss/row/cross_entropy.hpp>
#include <hone/loss/row/softmax_focal.hpp>

#include <doctest/doctest.h>
#include <cuda/device.cuh>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace {

using clock_of_streams = std::map<cudaStream_t, int>;

struct work {
  std::string what;
  cudaStream_t stream;
  clock_of_streams done;  // how much of each stream is done when it begins, and itself
};

std::map<cudaStream_t, clock_of_streams> now;
std::map<cudaEvent_t, clock_of_streams> recorded;
std::vector<work> seen;

void note(std::string const& what, cudaStream_t stream) {
  ++now[stream][stream];
  seen.push_back({what, stream, now[stream]});
}

/// The place of the n-th work whose name contains `what`.
std::size_t find(std::string const& what, int n = 0) {
  for (std::size_t i = 0; i < seen.size(); ++i)
    if (seen[i].what.find(what) != std::string::npos && n-- == 0) return i;
  FAIL("no ", what);
  return 0;
}
/// Whether work b waits for work a.
bool waits(std::size_t b, std::size_t a) {
  cudaStream_t const stream = seen[a].stream;
  const auto found = seen[b].done.find(stream);
  return found != seen[b].done.end() && found->second >= seen[a].done.at(stream);
}

}  // namespace

namespace overlap {

/// The first of two ranks; its messages go nowhere.
struct noted_ranks {
  static int rank() { return 0; }
  static int size() { return 2; }
  static void sum(std::int64_t*, std::size_t, cudaStream_t stream) { note("sum of integers", stream); }
  static void sum(double*, std::size_t, cudaStream_t stream) { note("sum", stream); }
  static void max(double*, std::size_t, cudaStream_t stream) { note("max", stream); }
  static void broadcast(void*, std::size_t, int, cudaStream_t stream) { note("broadcast", stream); }
};
static_assert(hone::device_communicator<noted_ranks>);

}  // namespace overlap

extern "C" {

cudaError_t __real_cudaLaunchKernel(void const*, dim3, dim3, void**, std::size_t, cudaStream_t);
cudaError_t __real_cudaEventRecord(cudaEvent_t, cudaStream_t);
cudaError_t __real_cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned);

cudaError_t __wrap_cudaLaunchKernel(void const* kernel, dim3 grid, dim3 block, void** arguments, std::size_t shared,
                                    cudaStream_t stream) {
  char const* name = "";
  cudaFuncGetName(&name, kernel);
  note(name, stream);
  return __real_cudaLaunchKernel(kernel, grid, block, arguments, shared, stream);
}
cudaError_t __wrap_cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  recorded[event] = now[stream];
  return __real_cudaEventRecord(event, stream);
}
cudaError_t __wrap_cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags) {
  for (auto const& [other, count] : recorded[event]) now[stream][other] = std::max(now[stream][other], count);
  return __real_cudaStreamWaitEvent(stream, event, flags);
}
}

TEST_CASE("messages of a block of rows wait for its sweep alone, and the next sweep does not wait for them") {
  const hone::index rows = 2048;
  const device::stream stream;
  hone::cuda gpu(stream);
  const device::buffer<float> z(std::vector<float>(rows * 4, 1)), g(rows * 4), value(1);
  const device::buffer<int> labels(std::vector<int>(rows, 2));
  const auto target = hone::classes(std::span<const int>(labels.data(), rows));
  const auto call = [&](auto const& objective, hone::index n) {
    seen.clear();
    hone::evaluate(gpu, objective, hone::class_shard{hone::matrix_view{z.data(), n, 4}, 0, 8, overlap::noted_ranks()},
                   {.gradient = {g.data(), n, 4}, .value = value.data()}, hone::sum);
    stream.wait();
  };

  for (int again = 0; again < 2; ++again) {  // the events are used again
    call(hone::cross_entropy(target), rows);
    const std::size_t gather[] = {find("shard_kernel", 0), find("shard_kernel", 1)};
    const std::size_t gradient[] = {find("shard_kernel", 2), find("shard_kernel", 3)};
    const std::size_t conclude[] = {find("conclude_kernel", 0), find("conclude_kernel", 1)};
    const std::size_t max[] = {find("max", 0), find("max", 1)}, sum[] = {find("sum", 0), find("sum", 1)};
    const std::size_t rise[] = {find("rise_kernel", 0), find("rise_kernel", 1)}, check = find("check_claims_kernel");
    for (const int b : {0, 1}) {
      CHECK(waits(max[b], gather[b]));
      CHECK(waits(rise[b], max[b]));
      CHECK(waits(sum[b], rise[b]));
      CHECK(waits(conclude[b], sum[b]));
      CHECK(waits(conclude[b], check));
      CHECK(waits(gradient[b], conclude[b]));
      CHECK(seen[max[b]].stream != seen[gather[b]].stream);
    }
    CHECK(waits(rise[0], find("print_kernel")));
    CHECK_FALSE(waits(gather[1], max[0]));    // the second sweep runs beside the messages of the first
    CHECK_FALSE(waits(max[0], gather[1]));    // which do not wait for it
    CHECK_FALSE(waits(gradient[0], max[1]));  // the first gradient runs beside the messages of the second block
  }

  call(hone::softmax_focal_loss(target), rows);  // gather, later, finish
  const std::size_t sweep[] = {find("shard_kernel", 0), find("shard_kernel", 1), find("shard_kernel", 2)};
  CHECK(waits(find("sum", 1), sweep[1]));  // of the second block
  const std::size_t later_sum = find("sum", 2);
  CHECK(waits(later_sum, sweep[2]));
  CHECK_FALSE(waits(sweep[2], find("sum", 1)));
  CHECK(waits(find("conclude_kernel", 2), find("sum", 1)));
  CHECK(waits(find("conclude_kernel", 2), find("rise_kernel", 1)));
  for (int k = 0; k < 4; ++k) CHECK(waits(find("shard_kernel", 5), find("sum", k)));

  const auto fewer = hone::classes(std::span<const int>(labels.data(), rows - 1));
  call(hone::cross_entropy(fewer), rows - 1);  // one block: all in one stream
  for (work const& w : seen) CHECK(w.stream == cudaStream_t(stream));
}
