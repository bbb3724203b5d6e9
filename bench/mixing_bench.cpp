// SPDX-License-Identifier: MIT
// Mixing a batch of ImageNet's size beside a plain loop, the limit of one read and one write of every image, and the
// best of PyTorch's forms.
#include "models.hpp"
#include "paired.hpp"
#include "peer.hpp"
#include "streams.hpp"

#include <hone/hone.hpp>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <vector>

namespace {

using hone::index;

constexpr index rows = 256, height = 224, width = 224, features = 3 * height * width;

struct batch_of_images {
  std::vector<float> images = std::vector<float>(std::size_t(rows * features)), mixed = images;
  hone::matrix_view<float> from{images.data(), rows, features}, to{mixed.data(), rows, features};

  batch_of_images() {
    for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(i % 1000) * 1e-3f;
  }
};

void plain(hone::mixup_draw const& draw, float const* from, float* to) {
  for (index i = 0; i < rows; ++i) {
    float const *own = from + i * features, *other = from + draw.partner[std::size_t(i)] * features;
    const float l = draw.lambda[std::size_t(i)];
    for (index f = 0; f < features; ++f) to[i * features + f] = l * own[f] + (1 - l) * other[f];
  }
}

/// `hone` against peers on the same work; in place the images decay towards their mean, which costs nothing.
void compare(const char* name, double budget, std::string const& filter, int only, batch_of_images& b, bool in_place,
             std::function<void(hone::cpu const&)> const& hone, std::function<void()> const& loop,
             std::vector<std::function<void()>> const& torch) {
  if (std::string(name).find(filter) == std::string::npos) return;
  for (const int threads : {1, 2}) {
    if (only && threads != only) continue;
    const hone::cpu cpu(threads);
    bench::peer::set_threads(threads);
    std::vector<bench::contender> all{
        {"hone", [&] { hone(cpu); }},
        {"limit",
         bench::stream_limit{cpu, {b.from.data}, in_place ? b.from.data : b.to.data, rows * features, !in_place}}};
    if (loop) all.push_back({"plain", loop});
    for (auto const& form : torch) all.push_back({"torch", form});
    const auto t = bench::rotate(all, budget);
    const std::size_t peers = loop ? 3 : 2;
    std::printf("| %-44s | %d | %7.3f | %5.1f | %4.2f |", name, threads, t[0] * 1e3,
                double(rows * features) * 8 / t[0] * 1e-9, t[1] / t[0]);
    if (t.size() > peers)
      std::printf(" %5.2f |", *std::min_element(t.begin() + std::ptrdiff_t(peers), t.end()) / t[0]);
    else
      std::printf("     - |");
    if (loop && threads == 1)
      std::printf(" %5.2f |\n", t[2] / t[0]);
    else
      std::printf("     - |\n");
    std::fflush(stdout);
  }
}

}  // namespace

void bench::mixing(double budget, std::string const& filter, int threads) {
  const char* const names[] = {"mixup, a λ per image, 256x3x224x224", "mixup, pairs, 256x3x224x224",
                               "mixup in place, 256x3x224x224", "mixup in place, pairs, 256x3x224x224",
                               "cutmix, 256x3x224x224"};
  if (std::none_of(std::begin(names), std::end(names),
                   [&](std::string const& n) { return n.find(filter) != std::string::npos; }))
    return;
  batch_of_images b;
  const auto per_row = hone::mixup{.alpha = 0.2}.draw(1, 2, rows),
             pairs = hone::mixup{.alpha = 0.2, .per = hone::pair}.draw(1, 2, rows);
  const auto cut = hone::cutmix{}.draw(1, 2, rows, height, width);
  const peer::images seen{b.images.data(),        b.mixed.data(), per_row.lambda.data(),
                          per_row.partner.data(), rows,           features};
  const auto blend = [&b](auto const& draw, bool in_place) {
    return [&b, &draw, in_place](hone::cpu const& cpu) { hone::blend(cpu, draw, b.from, in_place ? b.from : b.to); };
  };
  const auto loop = [&] { plain(per_row, b.images.data(), b.mixed.data()); };
  compare(names[0], budget, filter, threads, b, false, blend(per_row, false), loop, peer::mixup(seen));
  compare(names[1], budget, filter, threads, b, false, blend(pairs, false), {}, peer::mixup_of_batch(seen));
  compare(names[2], budget, filter, threads, b, true, blend(per_row, true), {}, peer::mixup_in_place(seen));
  compare(names[3], budget, filter, threads, b, true, blend(pairs, true), {}, peer::mixup_in_place(seen));
  compare(names[4], budget, filter, threads, b, false, blend(cut, false), {}, {});
}
