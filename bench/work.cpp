// SPDX-License-Identifier: MIT
#include "work.hpp"

#include "lanes.hpp"

#include <benchmark/benchmark.h>
#include <Eigen/Core>
#include <hone/version.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>

namespace bench {
namespace {

/// Sleeps until other pools' threads have stopped spinning on the cores that this contender needs, and wakes its own.
void settle(call const& run) {
  std::this_thread::sleep_for(std::chrono::milliseconds(12));
  run();
}

void time(benchmark::State& state, work const& w, contender const& c) {
  w.data->open();
  settle(c.run);
  for (auto _ : state) benchmark::DoNotOptimize(c.run());
  state.SetBytesProcessed(static_cast<std::int64_t>(static_cast<double>(state.iterations()) * w.bytes));
}

char const* compiler() {
#if defined(__clang__)
  return "clang++ " __clang_version__;
#else
  return "g++ " __VERSION__;
#endif
}

}  // namespace

void data::open() {
  if (open_) return;
  fill();
  open_ = true;
}

void data::show(std::string name, float* p, index n) {
  arrays_.push_back({std::move(name), "float32", {n}, {1}, p, static_cast<std::size_t>(n) * sizeof(float), true});
}

void data::writes(std::string const& name) {
  for (array& a : arrays_)
    if (a.name == name) a.output = true;
}

void* data::allocate(std::string name, char const* type, std::size_t size, std::vector<index> shape,
                     std::vector<index> strides) {
  if (strides.empty()) {
    index stride = 1;
    for (std::size_t k = shape.size(); k-- > 0; stride *= shape[k]) strides.insert(strides.begin(), stride);
  }
  const std::size_t bytes = static_cast<std::size_t>(shape[0] * strides[0]) * size,
                    rounded = (bytes + 4095) / 4096 * 4096 + 4096;  // twins prefetch and load a little past the end
  void* p = std::aligned_alloc(4096, rounded);
  if (p == nullptr) throw std::bad_alloc();
  memory_.emplace_back(p, std::free);
  std::memset(p, 0, rounded);
  arrays_.push_back({std::move(name), type, std::move(shape), std::move(strides), p, bytes, false});
  return p;
}

int run(registry& r, int argc, char** argv) {
  for (work const& w : r.works)
    for (contender const& c : w.contenders)
      benchmark::RegisterBenchmark((w.name + "/" + c.who).c_str(),
                                   [&w, &c](benchmark::State& state) { time(state, w, c); })
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
  benchmark::AddCustomContext("hone", hone::version);
  benchmark::AddCustomContext("eigen", std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) +
                                           "." + std::to_string(EIGEN_MINOR_VERSION));
  benchmark::AddCustomContext("compiler", compiler());
  benchmark::AddCustomContext("flags", BENCH_FLAGS);
  benchmark::AddCustomContext("lanes", std::to_string(lanes));
  for (auto const& [key, value] : r.notes) benchmark::AddCustomContext(key, value);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace bench
