// SPDX-License-Identifier: MIT
// The losses of sections 2 and 3 of the face beside a plain loop, the stream limit and PyTorch; then boxes, averages,
// gradients and a whole training step.
//
//   hone_bench [--budget SECONDS] [--filter TEXT] [--threads N]
#include "models.hpp"
#include "paired.hpp"
#include "peer.hpp"
#include "plain.hpp"
#include "streams.hpp"

#include <hone/hone.hpp>

#include <cstring>
#include <iostream>
#include <random>

namespace {

using hone::index;

struct shape {
  index rows, columns;
};

std::string name_of(shape s) { return std::to_string(s.rows) + "x" + std::to_string(s.columns); }

/// All that the workloads read and write, on warm pages aligned to a cache line.
struct data {
  shape size;
  std::vector<float> store;
  float *logits, *teacher, *targets, *gradient, *sink;
  std::vector<std::int64_t> labels, other;
  std::vector<float> lambda;

  explicit data(shape s) : size(s), store(static_cast<std::size_t>(5 * (s.rows * s.columns + 16) + 16)) {
    float* at = reinterpret_cast<float*>((reinterpret_cast<std::uintptr_t>(store.data()) + 63) / 64 * 64);
    for (float** p : {&logits, &teacher, &targets, &gradient, &sink})
      *p = at, at += (s.rows * s.columns + 15) / 16 * 16;
    std::mt19937 random(1);
    std::normal_distribution<float> normal(0, 3);
    for (index i = 0; i < s.rows * s.columns; ++i) logits[i] = normal(random), teacher[i] = normal(random);
    for (index i = 0; i < s.rows; ++i) {
      labels.push_back(static_cast<std::int64_t>(random() % static_cast<unsigned>(s.columns)));
      other.push_back(static_cast<std::int64_t>(random() % static_cast<unsigned>(s.columns)));
      lambda.push_back(static_cast<float>(random() % 1000) / 1000);
      targets[i * s.columns + labels.back()] = 1;
    }
  }
  hone::matrix_view<float> view(float* p) const { return {p, size.rows, size.columns}; }
  bench::peer::batch batch() {
    return {logits, teacher, targets, labels.data(), other.data(), lambda.data(), size.rows, size.columns};
  }
};

struct options {
  double budget = 3;
  std::string filter;
  int threads = 0;
};

template <class Objective>
void compare(options const& o, std::string const& name, data& d, Objective const& objective, int inputs,
             std::function<void()> torch, std::function<void()> plain = {}, bool in_place = false) {
  const std::string label = name + ", " + name_of(d.size);
  if (label.find(o.filter) == std::string::npos) return;
  const index n = d.size.rows * d.size.columns;
  for (int threads : {1, 2}) {
    if (o.threads && threads != o.threads) continue;
    const hone::cpu cpu(threads);
    bench::peer::set_threads(threads);
    std::vector<float const*> reads{d.logits};
    if (inputs > 1) reads.push_back(d.teacher);
    float* out = in_place ? d.sink : d.gradient;
    if (in_place) std::memcpy(d.sink, d.logits, sizeof(float) * static_cast<std::size_t>(n));
    if (in_place) reads[0] = out;
    std::vector<bench::contender> all;
    all.push_back({"hone", [&] {
                     hone::evaluate(cpu, objective, d.view(in_place ? out : d.logits), {.gradient = d.view(out)});
                   }});
    all.push_back({"limit", bench::stream_limit{cpu, reads, out, n, false}});
    if (!in_place) all.push_back({"limit past caches", bench::stream_limit{cpu, reads, out, n, true}});
    if (torch) all.push_back({"torch", torch});
    if (plain && threads == 1) all.push_back({"plain", plain});
    const auto t = bench::rotate(all, o.budget);
    const double limit = in_place ? t[1] : std::min(t[1], t[2]), bytes = 4.0 * static_cast<double>(n) * (inputs + 1);
    const std::size_t at = in_place ? 2 : 3;
    std::printf("| %-44s | %d | %7.3f | %5.1f | %4.2f |", label.c_str(), threads, t[0] * 1e3, bytes / t[0] * 1e-9,
                limit / t[0]);
    if (torch)
      std::printf(" %5.1f |", t[at] / t[0]);
    else
      std::printf("     - |");
    if (plain && threads == 1)
      std::printf(" %5.1f |\n", t[at + (torch ? 1 : 0)] / t[0]);
    else
      std::printf("     - |\n");
    std::fflush(stdout);
  }
}

void run(options const& o) {
  namespace peer = bench::peer;
  const auto torch_or_none = [](std::function<void()> f) { return peer::available() ? f : std::function<void()>(); };
  for (shape s : {shape{256, 1000}, shape{8192, 1000}, shape{1024, 32000}, shape{65536, 10}}) {
    data d(s);
    const auto labels = hone::classes(d.labels);
    const auto ce = hone::cross_entropy(hone::smooth(labels, 0.1f));
    compare(o, "cross entropy, smoothing 0.1", d, ce, 1, torch_or_none(peer::cross_entropy(d.batch(), 0.1)),
            [&] { bench::plain::cross_entropy(d.logits, d.labels.data(), 0.1f, s.rows, s.columns, d.gradient); });
    if (s.rows == 8192) compare(o, "the same in place", d, ce, 1, {}, {}, true);
    if (s.rows == 8192 || s.rows == 65536) {
      compare(o, "distillation T=4 + cross entropy", d,
              0.7f * hone::cross_entropy(labels) + 0.3f * hone::distillation(d.view(d.teacher), 4.0f), 2,
              torch_or_none(peer::distillation(d.batch(), 4)));
    }
    if (s.rows == 8192) {
      compare(o, "mixed two-label (torch: dense)", d,
              hone::cross_entropy(hone::mix(labels, hone::classes(d.other), d.lambda)), 1,
              torch_or_none(peer::soft_targets(d.batch())));
      compare(o, "dense soft target", d, hone::cross_entropy(hone::probabilities(d.view(d.targets))), 2,
              torch_or_none(peer::soft_targets(d.batch())));
      compare(o, "composed: smooth mix, teacher, z-loss", d,
              0.7f * hone::cross_entropy(hone::smooth(hone::mix(labels, hone::classes(d.other), d.lambda), 0.1f)) +
                  0.3f * hone::distillation(d.view(d.teacher), 4.0f) + hone::z_loss(1e-4),
              2, {});
    }
  }
  data d({100000, 80});
  compare(o, "sigmoid focal, dense targets", d, hone::sigmoid_focal_loss(d.view(d.targets)), 2,
          torch_or_none(peer::sigmoid_focal(d.batch())),
          [&] { bench::plain::sigmoid_focal(d.logits, d.targets, d.size.rows * d.size.columns, d.gradient); });
}

}  // namespace

int main(int argc, char** argv) {
  options o;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (i + 1 == argc)
      return std::cerr << "hone_bench: " << name << " is not an option with a value\n", 2;
    else if (name == "--budget")
      o.budget = std::stod(argv[i + 1]);
    else if (name == "--filter")
      o.filter = argv[i + 1];
    else if (name == "--threads")
      o.threads = std::stoi(argv[i + 1]);
    else
      return std::cerr << "hone_bench: unknown option " << name << "\n", 2;
  }
  std::printf("float, value and gradient; lanes %d; PyTorch %s; medians of paired rounds\n\n",
              hone::on_cpu::pack<float>::size, bench::peer::version().c_str());
  std::printf("| %-44s | threads | ms | GB/s | of limit | x torch | x plain loop |\n|---|---|---|---|---|---|---|\n",
              "work");
  run(o);
  bench::boxes(o.budget, o.filter, o.threads);
  bench::mixing(o.budget, o.filter, o.threads);
  bench::averages(o.budget, o.filter, o.threads);
  bench::gradients(o.budget, o.filter, o.threads);
  bench::steps(o.budget, o.filter, o.threads);
}
