// SPDX-License-Identifier: MIT
// Every twin gives hone's value and hone's outputs, on small shapes with remainders, with stores that use the caches
// and with stores that do not, on one thread and on two.
#include "lanes.hpp"
#include "work.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace {

using bytes = std::vector<std::byte>;

std::vector<bytes> saved(bench::data const& d) {
  std::vector<bytes> all;
  for (bench::array const& a : d.arrays()) {
    auto const* const begin = static_cast<std::byte const*>(a.data);
    all.emplace_back(begin, begin + a.bytes);
  }
  return all;
}
void restore(bench::data const& d, std::vector<bytes> const& all) {
  for (std::size_t k = 0; k < all.size(); ++k)
    std::copy(all[k].begin(), all[k].end(), static_cast<std::byte*>(d.arrays()[k].data));
}

std::vector<double> numbers(bench::array const& a, bytes const& from) {
  std::vector<double> x;
  const bool wide = std::string(a.type) == "float32";
  for (std::size_t at = 0; at < from.size(); at += wide ? 4 : 2) {
    float f = 0;
    std::memcpy(reinterpret_cast<char*>(&f) + (wide ? 0 : 2), from.data() + at, wide ? 4 : 2);
    x.push_back(f);
  }
  return x;
}

/// Exponentials of twins have an absolute error of 4e-8, sums of a thousand numbers in float one of 1e-5.
bool close(double a, double b, double scale, double relative) {
  return std::abs(a - b) <= relative * std::abs(b) + 2e-6 * scale;
}

int compare(bench::work const& w) {
  const auto find = [&](char const* who) {
    return std::find_if(w.contenders.begin(), w.contenders.end(), [&](auto const& c) { return c.who == who; });
  };
  const auto hone = find("hone"), twin = find("twin");
  w.data->open();
  if (twin == w.contenders.end()) return 0;
  const auto before = saved(*w.data);
  const double expected = hone->run();
  const auto after_hone = saved(*w.data);
  restore(*w.data, before);
  const double value = twin->run();
  const auto after_twin = saved(*w.data);
  restore(*w.data, before);

  if (!close(value, expected, 0, 2e-5)) {
    std::printf("%s: the twin's value is %.9g, hone's %.9g\n", w.name.c_str(), value, expected);
    return 1;
  }
  for (std::size_t k = 0; k < before.size(); ++k) {
    bench::array const& a = w.data->arrays()[k];
    if (!a.output) {
      if (after_twin[k] == before[k]) continue;
      std::printf("%s: the twin changes %s, which is an input\n", w.name.c_str(), a.name.c_str());
      return 1;
    }
    const auto x = numbers(a, after_twin[k]), y = numbers(a, after_hone[k]);
    double most = 0;
    for (const double v : y) most = std::max(most, std::abs(v));
    const double relative = std::string(a.type) == "bfloat16" ? 1 / 128.0 : 1e-4;
    for (std::size_t i = 0; i < x.size(); ++i)
      if (!close(x[i], y[i], most, relative)) {
        std::printf("%s: the twin's %s[%zu] is %.9g, hone's %.9g\n", w.name.c_str(), a.name.c_str(), i, x[i], y[i]);
        return 1;
      }
    if (most == 0) {
      std::printf("%s: %s is zero\n", w.name.c_str(), a.name.c_str());
      return 1;
    }
  }
  return 0;
}

}  // namespace

int main() {
  int wrong = 0, twins = 0;
  for (const double past_caches_from : {0.0, std::numeric_limits<double>::infinity()}) {
    bench::registry r({.threads = {1, 2}, .most_rows = 83, .most_columns = 137, .past_caches_from = past_caches_from});
    bench::add_all(r);
    for (bench::work& w : r.works) {
      wrong += compare(w);
      for (auto const& c : w.contenders) twins += c.who == "twin";
      for (auto const& c : w.contenders) c.run();  // the limits run too
      w = {};
    }
  }
  std::printf("%d of %d twins differ\n", wrong, twins);
  return wrong > 0 || twins == 0;
}
