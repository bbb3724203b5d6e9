// SPDX-License-Identifier: MIT
// hone in a process of LibTorch: what a call of the adapter costs, and cross entropy with its gradient beside
// LibTorch's.
//   nice -n -10 hone_torch_bench
//   hone_torch_bench --memory hone|torch      the peak memory of a loss with its gradient, beyond that of the logits
// Microseconds, an eighth of the times are below. "after mm": right after at::mm of 1024 x 1024, whose threads still
// spin.
#include <hone/adapt/torch.hpp>
#include <hone/loss.hpp>
#include <hone/target.hpp>

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/full.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>

#include <sys/resource.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace ha = hone::adapt;

double low(std::vector<double> x) {
  std::nth_element(x.begin(), x.begin() + std::ptrdiff_t(x.size() / 8), x.end());
  return x[x.size() / 8];
}
double seconds(std::function<void()> const& body) {
  const auto begin = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

struct problem {
  at::Tensor z, y, gradient;

  problem(std::int64_t rows, std::int64_t columns)
      : z(at::randn({rows, columns}).requires_grad_()),
        y(at::randint(columns, {rows}, at::kLong)),
        gradient(at::rand({rows, columns})) {}

  auto objective() const { return hone::cross_entropy(hone::smooth(hone::classes(ha::labels_of(y)), 0.1)); }
  void clear() const { z.mutable_grad().reset(); }

  /// Runs of the logits' own backward pass alone are the cost of the engine.
  void engine() const { clear(), z.backward(gradient); }
  void evaluate() const {
    hone::evaluate(ha::torch_cpu(), objective(), ha::rows_of(z), {.gradient = ha::rows_of(gradient)});
  }
  void backward() const { clear(), ha::backward<float>(objective(), z); }
  void node() const { clear(), ha::loss<float>(objective(), z).backward(); }
  void scaled_node() const { clear(), ha::loss<float>(objective(), z).backward(factor); }
  void torch() const { clear(), at::cross_entropy_loss(z, y, {}, 1, -100, 0.1).backward(); }

  at::Tensor factor = at::full({}, 3.0, at::kFloat);
};

const std::pair<const char*, void (problem::*)() const> works[] = {
    {"engine alone", &problem::engine},         {"hone::evaluate", &problem::evaluate},
    {"adapt::backward", &problem::backward},    {"adapt::loss", &problem::node},
    {"adapt::loss x 3", &problem::scaled_node}, {"LibTorch", &problem::torch}};

void overhead() {
  const problem p(8, 10);
  at::set_num_threads(1);
  std::printf("a call at 8 x 10, us\n");
  for (auto const& [name, work] : works) {
    std::vector<double> times;
    for (int i = 0; i < 200; ++i)
      times.push_back(seconds([&] {
                        for (int k = 0; k < 100; ++k) (p.*work)();
                      }) /
                      100);
    std::printf("  %-16s %8.2f\n", name, low(times) * 1e6);
  }
}

void beside_torch() {
  const at::Tensor a = at::rand({1024, 1024}), b = at::rand({1024, 1024});
  for (auto const& [rows, columns] : {std::pair{64, 10}, {256, 1000}, {512, 8000}}) {
    const problem p(rows, columns);
    for (const int threads : {1, 2}) {
      at::set_num_threads(threads);
      for (const bool after_mm : {false, true}) {
        std::printf("%d x %d, %d threads, %s, us\n", rows, columns, threads, after_mm ? "after mm" : "alone");
        std::vector<double> times[std::size(works)];
        for (int i = 0; i < 40; ++i)
          for (std::size_t k = 0; k < std::size(works); ++k) {
            if (after_mm) {
              at::mm(a, b);
            } else {
              std::this_thread::sleep_for(std::chrono::milliseconds(8));  // the threads of OpenMP sleep, and
              (p.*works[k].second)(), (p.*works[k].second)();             // those of this work are awake
            }
            times[k].push_back(seconds([&] { (p.*works[k].second)(); }));
          }
        for (std::size_t k = 0; k < std::size(works); ++k)
          std::printf("  %-16s %8.1f\n", works[k].first, low(times[k]) * 1e6);
      }
    }
  }
}

/// The growth of the largest memory of the process by one call, in MiB; another call has loaded the libraries before.
void memory(bool by_hone) {
  const auto call = [&](problem const& p) { by_hone ? p.node() : p.torch(); };
  const auto largest = [] {
    rusage all{};
    getrusage(RUSAGE_SELF, &all);
    return double(all.ru_maxrss) / 1024;
  };
  at::set_num_threads(1);
  call(problem(8, 10));
  const problem p(4096, 4000);
  const double before = largest();
  call(p);
  std::printf("4096 x 4000, logits of %.1f MiB: %.1f MiB more\n", double(p.z.nbytes()) / (1 << 20), largest() - before);
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 3 && std::string(arguments[1]) == "--memory") {
    memory(std::string(arguments[2]) == "hone");
    return 0;
  }
  overhead();
  beside_torch();
}
