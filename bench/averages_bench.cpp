// SPDX-License-Identifier: MIT
// An average over the parameters of ResNet-50 beside a plain loop, the limit of two reads and a write in place, and the
// best of PyTorch's forms.
#include "models.hpp"
#include "paired.hpp"
#include "peer.hpp"
#include "streams.hpp"

#include <hone/hone.hpp>

#include <algorithm>
#include <cstdio>

namespace {

using bench::model, bench::resnet50;
using hone::index;

template <class T>
void plain(hone::tensor_list<float> const& shadow, hone::tensor_list<T> const& parameters, float d) {
  for (std::size_t k = 0; k < shadow.size(); ++k) {
    float* s = shadow[k].data;
    T const* p = parameters[k].data;
    for (index i = 0; i < shadow[k].size; ++i) s[i] = d * s[i] + (1 - d) * static_cast<float>(p[i]);
  }
}

template <class T>
void compare(const char* name, double budget, std::string const& filter, int only) {
  if (std::string(name).find(filter) == std::string::npos) return;
  const auto sizes = resnet50();
  const model<T> network(sizes);
  hone::ema_state<float> shadow(network.list), other(network.list), third(network.list);
  index n = 0;
  for (const index size : sizes) n += (size + 15) / 16 * 16;
  float* const own = other.tensors()[0].data;  // one block, that long
  std::vector<float> beside(static_cast<std::size_t>(n), 0.5f);
  const hone::ema average{.decay = 0.9999};
  for (int threads : {1, 2}) {
    if (only && threads != only) continue;
    const hone::cpu cpu(threads);
    bench::peer::set_threads(threads);
    std::vector<bench::contender> all;
    all.push_back({"hone", [&] { hone::update(cpu, average, shadow, network.list); }});
    all.push_back({"limit", bench::stream_limit{cpu, {own, beside.data()}, own, n, false}});
    all.push_back({"plain", [&] { plain(third.tensors(), network.list, 0.9999f); }});
    if constexpr (std::is_same_v<T, float>)
      for (auto const& form : bench::peer::averages(third.tensors(), network.list, 0.9999))
        all.push_back({"torch", form});
    const auto t = bench::rotate(all, budget);
    const double bytes = static_cast<double>(n) * (8 + sizeof(T));
    std::printf("| %-44s | %d | %7.3f | %5.1f |", name, threads, t[0] * 1e3, bytes / t[0] * 1e-9);
    if constexpr (std::is_same_v<T, float>)
      std::printf(" %4.2f |", t[1] / t[0]);
    else
      std::printf("    - |");
    if (t.size() > 3)
      std::printf(" %5.2f |", *std::min_element(t.begin() + 3, t.end()) / t[0]);
    else
      std::printf("     - |");
    if (threads == 1)
      std::printf(" %5.2f |\n", t[2] / t[0]);
    else
      std::printf("     - |\n");
    std::fflush(stdout);
  }
}

}  // namespace

void bench::averages(double budget, std::string const& filter, int threads) {
  compare<float>("EMA, 161 tensors, 25.6 M", budget, filter, threads);
  compare<Eigen::bfloat16>("EMA, 161 tensors, 25.6 M bfloat16", budget, filter, threads);
}
