// SPDX-License-Identifier: MIT
/// Times on a stream: contenders run in rounds, in turns, and medians are compared.
#pragma once

#include <gpu/options.hpp>

#include <hone/cuda/run/error.cuh>

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>
#include <vector>

namespace bench {

using hone::on_cuda::check;

/// call(i) enqueues one call on the i-th set of buffers.
struct contender {
  std::function<void(int)> call;
  bool as_graph;
};

struct timing {
  std::vector<double> microseconds;  // of one call, per contender
  int calls, rounds;                 // calls per round
};

class stopwatch {
 public:
  explicit stopwatch(cudaStream_t stream) : stream_(stream) {
    check(cudaEventCreate(&begin_), "cudaEventCreate");
    check(cudaEventCreate(&end_), "cudaEventCreate");
  }
  ~stopwatch() {
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
  }
  stopwatch(stopwatch const&) = delete;
  stopwatch& operator=(stopwatch const&) = delete;

  template <class Work>
  double microseconds(Work const& work) const {
    check(cudaEventRecord(begin_, stream_), "cudaEventRecord");
    work();
    check(cudaEventRecord(end_, stream_), "cudaEventRecord");
    check(cudaEventSynchronize(end_), "cudaEventSynchronize");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin_, end_), "cudaEventElapsedTime");
    return 1e3 * double(milliseconds);
  }

 private:
  cudaStream_t stream_;
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
};

/// Many calls as one launch: what the host takes to enqueue them is not in their time.
class graph {
 public:
  template <class Work>
  graph(cudaStream_t stream, Work const& work) {
    cudaGraph_t captured = nullptr;
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), "cudaStreamBeginCapture");
    work();
    check(cudaStreamEndCapture(stream, &captured), "cudaStreamEndCapture");
    check(cudaGraphInstantiate(&replay_, captured, 0), "cudaGraphInstantiate");
    check(cudaGraphDestroy(captured), "cudaGraphDestroy");
  }
  ~graph() { cudaGraphExecDestroy(replay_); }
  graph(graph&& other) noexcept : replay_(std::exchange(other.replay_, nullptr)) {}
  graph& operator=(graph&&) = delete;

  void launch(cudaStream_t stream) const { check(cudaGraphLaunch(replay_, stream), "cudaGraphLaunch"); }

 private:
  cudaGraphExec_t replay_ = nullptr;
};

inline double median(std::vector<double> x) {
  std::nth_element(x.begin(), x.begin() + std::ptrdiff_t(x.size() / 2), x.end());
  return x[x.size() / 2];
}

/// Every round calls every contender on all sets of buffers, at least once and for about a millisecond.
inline timing rotate(cudaStream_t stream, std::vector<contender> const& contenders, int sets, options const& o) {
  using clock = std::chrono::steady_clock;
  const stopwatch watch(stream);
  const auto seconds_since = [](clock::time_point t) {
    return std::chrono::duration<double>(clock::now() - t).count();
  };
  const auto all_sets = [&](contender const& c) {
    return [&] {
      for (int i = 0; i < sets; ++i) c.call(i);
    };
  };
  double rotation = 1;
  const auto begin = clock::now();  // clocks rise while the device works: a fifth of the time is for that
  do rotation = watch.microseconds(all_sets(contenders[0]));
  while (!o.quick && seconds_since(begin) < 0.2 * o.seconds);
  const int turns = o.quick ? 1 : std::clamp(int(1e3 / std::max(rotation, 1.0)), 1, std::max(1, 1000 / sets));

  std::vector<std::function<void()>> works;
  std::vector<graph> graphs;
  graphs.reserve(contenders.size());
  for (contender const& c : contenders) {
    const auto calls = [turns, sets, &c] {
      for (int i = 0; i < turns * sets; ++i) c.call(i % sets);
    };
    if (!c.as_graph) {
      works.push_back(calls);
      continue;
    }
    graph const& g = graphs.emplace_back(stream, calls);
    works.push_back([&g, stream] { g.launch(stream); });
  }

  std::vector<std::vector<double>> times(works.size());
  const auto round = [&](bool counts) {
    for (std::size_t i = 0; i < works.size(); ++i) {
      const double t = watch.microseconds(works[i]) / (turns * sets);
      if (counts) times[i].push_back(t);
    }
  };
  const auto timed = clock::now();
  round(false);
  const double once = seconds_since(timed);
  timing result{{}, turns * sets, o.quick ? 1 : std::clamp(int(0.8 * o.seconds / once), 11, 201)};
  for (int r = 0; r < result.rounds; ++r) round(true);
  for (auto const& t : times) result.microseconds.push_back(median(t));
  return result;
}

}  // namespace bench
