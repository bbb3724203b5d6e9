// SPDX-License-Identifier: MIT
// hone::nccl over NCCL itself, with one rank. Its status is 77, "skipped", where there is no GPU.
#include <hone/adapt/nccl.cuh>
#include <hone/cuda/distributed/transform.cuh>
#include <hone/gradient/clip_by_norm.hpp>

#include <cuda/device.cuh>

#include <cstdio>
#include <vector>

static int failures = 0;

static void check(bool right, const char* what) {
  std::printf("%s: %s\n", right ? "passed" : "FAILED", what);
  failures += right ? 0 : 1;
}

static void of_one_rank(ncclComm_t communicator) {
  const hone::nccl ranks(communicator);
  check(ranks.rank() == 0 && ranks.size() == 1, "one rank");
  const device::stream stream;
  const device::buffer<std::int64_t> integers(std::vector<std::int64_t>{7, -3});
  const device::buffer<double> numbers(std::vector<double>{0.5, 2});
  ranks.sum(integers.data(), 2, stream);
  ranks.sum(numbers.data(), 2, stream);
  ranks.max(numbers.data(), 2, stream);
  ranks.broadcast(numbers.data(), 2 * sizeof(double), 0, stream);
  const device::graph replay(stream, [&] { ranks.sum(integers.data(), 2, stream); });
  replay.launch();
  ranks.wait(stream, std::chrono::seconds(60));
  check(integers.host() == std::vector<std::int64_t>{7, -3} && numbers.host() == std::vector<double>{0.5, 2},
        "sum, max and broadcast of one rank change nothing, in a stream and in a graph");

  hone::cuda gpu(stream);
  const device::buffer<float> memory(std::vector<float>{3, 4});
  const hone::device_list<float> gradients(gpu, {{memory.data(), 2}});
  hone::device_report report(gpu);
  gpu.reserve(hone::workspace_bytes(gradients, ranks));
  const device::graph step(stream,
                           [&] { hone::transform(gpu, hone::clip_by_global_norm(1), gradients, ranks, &report); });
  step.launch();
  ranks.wait(stream, std::chrono::seconds(60));
  check(report.host().norm == 5 && memory.host() == std::vector<float>{0.6f, 0.8f}, "a clip in a graph");
}

int main() {
  int devices = 0;
  const cudaError_t error = cudaGetDeviceCount(&devices);
  if (error != cudaSuccess || devices == 0) {
    std::printf("SKIPPED: NCCL is linked, but there is no GPU: %s\n", cudaGetErrorString(error));
    return 77;
  }
  ncclComm_t communicator = nullptr;
  const ncclResult_t made = ncclCommInitAll(&communicator, 1, nullptr);
  if (made != ncclSuccess) {
    std::printf("FAILED: ncclCommInitAll: %s\n", ncclGetErrorString(made));
    return 1;
  }
  of_one_rank(communicator);
  ncclCommDestroy(communicator);
  return failures == 0 ? 0 : 1;
}
