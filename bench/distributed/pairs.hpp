// SPDX-License-Identifier: MIT
/// Two ways to do one thing, measured in turns: the ratio of their times.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace bench {

struct pair_of_times {
  double ordinary, over_ranks;  // seconds
};

template <class F>
double seconds_of(F const& f) {
  const auto begin = std::chrono::steady_clock::now();
  f();
  benchmark::ClobberMemory();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

inline double quantile(std::vector<double> x, double q) {
  const auto at = static_cast<std::ptrdiff_t>(q * static_cast<double>(x.size() - 1));
  std::nth_element(x.begin(), x.begin() + at, x.end());
  return x[static_cast<std::size_t>(at)];
}

/// Registers a benchmark whose time is that over ranks. Its counters: `ordinary`, the median of the other way in
/// seconds; `ratio`, the median of over_ranks / ordinary of one turn each, and its quartiles. `make` is called once,
/// before the first turn, and returns what measures a turn.
template <class Make>
void add_pairs(std::string const& name, int turns, Make const& make) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [make](benchmark::State& state) {
                                 auto turn = make();
                                 turn(), turn();
                                 std::vector<double> ratios, ordinary;
                                 for (auto _ : state) {
                                   const pair_of_times t = turn();
                                   state.SetIterationTime(t.over_ranks);
                                   ordinary.push_back(t.ordinary), ratios.push_back(t.over_ranks / t.ordinary);
                                 }
                                 state.counters["ordinary"] = quantile(ordinary, 0.5);
                                 state.counters["ratio"] = quantile(ratios, 0.5);
                                 state.counters["ratio_25"] = quantile(ratios, 0.25);
                                 state.counters["ratio_75"] = quantile(ratios, 0.75);
                               })
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond)
      ->Iterations(turns);
}

/// Calls both in turns, the first one first every other time.
template <class A, class B>
auto in_turns(A ordinary, B over_ranks) {
  return [=, first = false]() mutable {
    pair_of_times t{};
    first = !first;
    if (first) t.ordinary = seconds_of(ordinary);
    t.over_ranks = seconds_of(over_ranks);
    if (!first) t.ordinary = seconds_of(ordinary);
    return t;
  };
}

}  // namespace bench
