// SPDX-License-Identifier: MIT
// Box losses over a million boxes, value and gradient, beside the stream limit and PyTorch; matrices of overlaps.
#include "models.hpp"
#include "paired.hpp"
#include "peer.hpp"
#include "streams.hpp"

#include <hone/hone.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <random>

namespace {

using hone::index;

/// Boxes of some size, and others not far from them, on warm pages aligned to a cache line.
struct boxes {
  index size;
  std::vector<float> store;
  float *predicted, *wanted, *gradient;

  explicit boxes(index n) : size(n), store(static_cast<std::size_t>(12 * n + 64)) {
    float* at = reinterpret_cast<float*>((reinterpret_cast<std::uintptr_t>(store.data()) + 63) / 64 * 64);
    predicted = at, wanted = at + 4 * n, gradient = at + 8 * n;
    std::mt19937 random(1);
    std::uniform_real_distribution<float> place(0, 600), side(8, 100), off(-10, 10);
    for (index i = 0; i < n; ++i) {
      const float x = place(random), y = place(random);
      for (const float edge : {x, y, x + side(random), y + side(random)}) *at++ = edge;
    }
    for (index i = 0; i < 4 * n; ++i) wanted[i] = predicted[i] + off(random);
  }
  hone::matrix_view<float> view(float* p) const { return {p, size, index(4)}; }
  bench::peer::batch batch() const { return {predicted, nullptr, wanted, nullptr, nullptr, nullptr, size, 4}; }
};

void print(std::string const& name, int threads, double seconds, double bytes, double limit, double torch) {
  std::printf("| %-44s | %d | %7.3f | %5.1f | %4.2f |", name.c_str(), threads, seconds * 1e3, bytes / seconds * 1e-9,
              limit / seconds);
  if (torch > 0)
    std::printf(" %5.1f |     - |\n", torch / seconds);
  else
    std::printf("     - |     - |\n");
  std::fflush(stdout);
}

struct asked {
  double budget;
  std::string const& filter;
  int threads;

  bool wants(std::string const& name) const { return name.find(filter) != std::string::npos; }
};

template <class Loss>
void losses(asked const& o, boxes& b, std::string const& name, Loss const& loss, std::function<void()> const& torch) {
  const std::string label = name + ", " + std::to_string(b.size) + " boxes";
  if (!o.wants(label)) return;
  for (int threads : {1, 2}) {
    if (o.threads && threads != o.threads) continue;
    const hone::cpu cpu(threads);
    bench::peer::set_threads(threads);
    std::vector<bench::contender> all;
    all.push_back({"hone", [&] {
                     hone::evaluate(cpu, loss(b.view(b.wanted)), b.view(b.predicted), {.gradient = b.view(b.gradient)});
                   }});
    for (const bool past : {false, true})
      all.push_back({"limit", bench::stream_limit{cpu, {b.predicted, b.wanted}, b.gradient, 4 * b.size, past}});
    if (torch && bench::peer::available()) all.push_back({"torch", torch});
    const auto t = bench::rotate(all, o.budget);
    print(label, threads, t[0], 48.0 * static_cast<double>(b.size), std::min(t[1], t[2]), t.size() > 3 ? t[3] : 0);
  }
}

void overlaps(asked const& o, index rows, index columns) {
  const std::string label = "pairwise_iou, " + std::to_string(rows) + " x " + std::to_string(columns);
  if (!o.wants(label)) return;
  boxes a(rows), b(columns);
  std::vector<float> out(static_cast<std::size_t>(rows * columns));
  for (int threads : {1, 2}) {
    if (o.threads && threads != o.threads) continue;
    const hone::cpu cpu(threads);
    bench::peer::set_threads(threads);
    std::vector<bench::contender> all;
    all.push_back({"hone", [&] {
                     hone::pairwise_iou(cpu, a.view(a.predicted), b.view(b.predicted),
                                        hone::matrix_view{out.data(), rows, columns});
                   }});
    all.push_back({"limit", bench::write_limit{cpu, out.data(), rows * columns}});
    if (bench::peer::available())
      all.push_back({"torch", bench::peer::pairwise_iou(a.predicted, rows, b.predicted, columns)});
    const auto t = bench::rotate(all, o.budget);
    print(label, threads, t[0], 4.0 * static_cast<double>(rows * columns), t[1], t.size() > 2 ? t[2] : 0);
  }
}

}  // namespace

void bench::boxes(double budget, std::string const& filter, int threads) {
  const asked o{budget, filter, threads};
  ::boxes b(1000000);
  losses(o, b, "iou_loss", [](auto t) { return hone::iou_loss(t); }, {});
  losses(o, b, "giou_loss", [](auto t) { return hone::giou_loss(t); }, peer::giou(b.batch()));
  losses(o, b, "diou_loss", [](auto t) { return hone::diou_loss(t); }, peer::diou(b.batch()));
  losses(o, b, "ciou_loss", [](auto t) { return hone::ciou_loss(t); }, peer::ciou(b.batch()));
  losses(o, b, "eiou_loss", [](auto t) { return hone::eiou_loss(t); }, {});
  losses(o, b, "siou_loss", [](auto t) { return hone::siou_loss(t); }, {});
  overlaps(o, 10000, 1000);
}
