// SPDX-License-Identifier: MIT
#include <gpu/table.hpp>
#include <gpu/timing.hpp>

#include <cuda_profiler_api.h>

#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <vector>

namespace bench {
namespace {

/// The device's limit: as many bytes read and written, 16 at a time.
__global__ void copy_kernel(float4 const* __restrict__ from, float4* __restrict__ to, index n) {
  const index first = blockIdx.x * index(4 * blockDim.x) + threadIdx.x;
  float4 v[4];
  for (int k = 0; k < 4; ++k)
    if (first + k * index(blockDim.x) < n) v[k] = from[first + k * index(blockDim.x)];
  for (int k = 0; k < 4; ++k)
    if (first + k * index(blockDim.x) < n) to[first + k * index(blockDim.x)] = v[k];
}

/// Two ways to read half of the bytes and to write as many.
class copies {
 public:
  copies(index bytes, int sets, cudaStream_t stream) : n_((bytes / 2 + 15) / 16), stream_(stream) {
    for (float4** p : {&from_, &to_}) {
      check(cudaMalloc(p, size(sets)), "cudaMalloc");
      check(cudaMemsetAsync(*p, 1, size(sets), stream), "cudaMemsetAsync");
    }
  }
  ~copies() {
    cudaFree(from_);
    cudaFree(to_);
  }
  copies(copies const&) = delete;
  copies& operator=(copies const&) = delete;

  void by_runtime(int set) const {
    check(cudaMemcpyAsync(to_ + set * n_, from_ + set * n_, size(1), cudaMemcpyDeviceToDevice, stream_),
          "cudaMemcpyAsync");
  }
  void by_kernel(int set) const {
    copy_kernel<<<unsigned((n_ + 1023) / 1024), 256, 0, stream_>>>(from_ + set * n_, to_ + set * n_, n_);
    check(cudaGetLastError(), "copy_kernel");
  }

 private:
  std::size_t size(int sets) const { return std::size_t(n_ * sets) * sizeof(float4); }

  index n_;
  cudaStream_t stream_;
  float4 *from_ = nullptr, *to_ = nullptr;
};

}  // namespace

bool table::wants(entry const& e) {
  const std::string shape = std::to_string(e.rows) + "x" + std::to_string(e.columns);
  const std::string all = e.name + ", " + shape + ", " + e.type;
  if (all.find(o_.filter) == std::string::npos) return false;
  if (o_.list) std::printf("%s\n", all.c_str());
  return !o_.list && (!o_.once || called_.insert(e.name + e.type).second);
}

int table::sets_for(index bytes) const {
  if (o_.once) return 1;
  return o_.quick ? 2 : 1 + int(std::max<index>(1, 4 * index(o_.l2_bytes) / bytes));
}

void table::measure(entry const& e, index bytes, int sets, cudaStream_t stream, std::function<void(int)> const& call,
                    std::function<std::string()> const& wrong, bool in_graph) {
  const auto rows = std::intmax_t(e.rows), columns = std::intmax_t(e.columns);
  if (o_.once) {
    check(cudaProfilerStart(), "cudaProfilerStart");
    call(0);
    check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
    check(cudaProfilerStop(), "cudaProfilerStop");
    return;
  }
  if (const std::string what = wrong(); !what.empty()) {
    right_ = false;
    std::printf("WRONG: %s, %jd x %jd, %s: %s\n", e.name.c_str(), rows, columns, e.type, what.c_str());
    return;
  }
  const copies copy(bytes, sets, stream);
  const timing t = rotate(stream,
                          {{call, in_graph},
                           {call, false},
                           {[&](int set) { copy.by_runtime(set); }, true},
                           {[&](int set) { copy.by_kernel(set); }, true}},
                          sets, o_);
  const double graph = t.microseconds[0], alone = t.microseconds[1], runtime = t.microseconds[2],
               kernel = t.microseconds[3], speed = double(bytes) / graph * 1e-3,
               part = std::min(runtime, kernel) / graph;
  std::printf("| %-44s | %7jd x %8jd | %-8s | %8.1f | %8.1f | %6.0f | %5.2f |\n", e.name.c_str(), rows, columns, e.type,
              graph, alone, speed, part);
  std::fflush(stdout);
  if (!o_.table) return;
  std::fprintf(o_.table, "%s\t%jd\t%jd\t%s\t%jd\t%d\t%d\t%d\t%.3f\t%.3f\t%.3f\t%.3f\t%.1f\t%.3f\n", e.name.c_str(),
               rows, columns, e.type, std::intmax_t(bytes), sets, t.calls, t.rounds, graph, alone, runtime, kernel,
               speed, part);
  std::fflush(o_.table);
}

}  // namespace bench
