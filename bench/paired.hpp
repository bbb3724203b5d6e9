// SPDX-License-Identifier: MIT
/// Paired measurements: all contenders of one piece of work run in rotation, on the same buffers in the same
/// process, and medians are compared. Timings on shared machines drift by half; ratios within a round do not.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace bench {

struct contender {
  std::string name;
  std::function<void()> work;
};

inline double seconds_of(std::function<void()> const& work, int repeats) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < repeats; ++i) work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / repeats;
}

inline double median(std::vector<double> x) {
  std::nth_element(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(x.size() / 2), x.end());
  return x[x.size() / 2];
}

/// The median seconds of each contender, over rounds that last about `budget` seconds in all.
inline std::vector<double> rotate(std::vector<contender> const& contenders, double budget) {
  std::vector<int> repeats;
  double round = 0;
  for (contender const& c : contenders) {
    c.work();
    const double once = seconds_of(c.work, 1);
    repeats.push_back(std::clamp(static_cast<int>(2e-3 / std::max(once, 1e-9)), 1, 1000));
    round += once * repeats.back();
  }
  const int rounds = std::clamp(static_cast<int>(budget / round), 5, 101);
  std::vector<std::vector<double>> times(contenders.size());
  for (int r = 0; r < rounds; ++r)
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(12));  // the last one's threads spin no longer
      contenders[i].work();                                        // and this one's are awake
      times[i].push_back(seconds_of(contenders[i].work, repeats[i]));
    }
  std::vector<double> result;
  for (auto const& t : times) result.push_back(median(t));
  return result;
}

}  // namespace bench
