// SPDX-License-Identifier: MIT
// The gradients of ResNet-50: their norm, and clipping that writes, beside the limit of one read, and of that and a
// read and write in place, and PyTorch's forms.
#include "models.hpp"
#include "paired.hpp"
#include "peer.hpp"
#include "streams.hpp"

#include <hone/hone.hpp>

#include <algorithm>
#include <cstdio>

namespace {

using hone::index;

void row(const char* name, int threads, double bytes, double seconds, double limit, double torch) {
  std::printf("| %-44s | %d | %7.3f | %5.1f | %4.2f |", name, threads, seconds * 1e3, bytes / seconds * 1e-9,
              limit / seconds);
  if (torch > 0)
    std::printf(" %5.2f |     - |\n", torch / seconds);
  else
    std::printf("     - |     - |\n");
  std::fflush(stdout);
}

}  // namespace

void bench::gradients(double budget, std::string const& filter, int only) {
  const char *norm = "norm, 161 tensors, 25.6 M", *clip = "clip by global norm, 161 tensors, 25.6 M";
  if (std::string(norm).find(filter) == std::string::npos && std::string(clip).find(filter) == std::string::npos)
    return;
  const auto sizes = resnet50();
  const model<float> network(sizes);
  std::vector<float> all;
  for (auto const& v : network.numbers) all.insert(all.end(), v.begin(), v.end());
  const auto n = static_cast<index>(all.size()) / 16 * 16;
  for (const int threads : {1, 2}) {
    if (only && threads != only) continue;
    const hone::cpu cpu(threads);
    peer::set_threads(threads);
    bool larger = false;
    std::vector<contender> contenders{
        {"norm", [&] { hone::measure(cpu, hone::clip_by_global_norm(1), network.list); }},
        {"clip",
         [&] {  // times two, then halved: every call writes
           larger = !larger;
           hone::transform(cpu, hone::chain(hone::unscale(larger ? 0.5 : 2), hone::clip_by_global_norm(1e30)),
                           network.list);
         }},
        {"read", read_limit{cpu, all.data(), n}},
        {"in place", stream_limit{cpu, {all.data()}, all.data(), n, false}}};
    const auto norms = peer::norms(network.list), clips = peer::clips(network.list);
    for (auto const& form : norms) contenders.push_back({"torch norm", form});
    for (auto const& form : clips) contenders.push_back({"torch clip", form});
    const auto t = rotate(contenders, 2 * budget);
    const auto best = [&](std::size_t from, std::size_t count) {
      return count == 0 ? 0 : *std::min_element(t.begin() + long(from), t.begin() + long(from + count));
    };
    row(norm, threads, double(n) * 4, t[0], t[2], best(4, norms.size()));
    row(clip, threads, double(n) * 12, t[1], t[2] + t[3], best(4 + norms.size(), clips.size()));
  }
}
