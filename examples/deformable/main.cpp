// SPDX-License-Identifier: MIT
/// Trains a small network with a deformable convolution and one with a plain convolution, and compares them.
#include "cores.hpp"
#include "held_out.hpp"
#include "interrupt.hpp"
#include "options.hpp"
#include "summary.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <thread>

namespace {

using namespace deformable;

/// The first items of the training set to train on; the test set, or the last sixth of the training set, to measure on.
demo::dataset items_of(const options& o) {
  demo::dataset all = demo::read_dataset(o.data);
  const std::size_t count = all.train.size(), kept = demo::kept_of(count);
  const demo::image_set tests = o.plan.validation ? all.train.part(kept, count) : all.test;
  return {all.train.part(0, std::min(kept, static_cast<std::size_t>(o.plan.canvases))),
          tests.part(0, std::min(tests.size(), static_cast<std::size_t>(o.plan.tests)))};
}

/// As many at a time as there are jobs.
std::vector<outcome> train_all(const options& o, const demo::dataset& items) {
  std::vector<outcome> all;
  std::mutex mutex;
  std::atomic<int> next{0};
  const auto work = [&] {
    for (int i = next++; i < 2 * o.plan.seeds && !demo::interrupted(); i = next++) {
      const bool with_offsets = i % 2 == 1;
      const int seed = i / 2 + 1;
      const char* kind = with_offsets ? "deformable" : "plain";
      const auto made =
          train(with_offsets, static_cast<std::uint64_t>(seed), o.plan, items, [&](int epoch, double loss) {
            const std::scoped_lock lock(mutex);
            std::printf("%s seed %d epoch %d/%d  loss %.4f\n", kind, seed, epoch, o.plan.epochs, loss);
            std::fflush(stdout);
          });
      if (!made) return;
      const std::scoped_lock lock(mutex);
      std::printf("%s seed %d: error %.2f %%  (%.1f s)\n", kind, seed, 100 * made->error, made->seconds);
      std::fflush(stdout);
      all.push_back(*made);
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (int i = 1; i < o.jobs; ++i) helpers.emplace_back(work);
    work();
  }
  std::ranges::sort(all, {}, [](const outcome& a) { return 2 * a.seed + (a.with_offsets ? 1 : 0); });
  return all;
}

int run(options o) {
  o.jobs = demo::or_one_per_core(o.jobs);
  const demo::dataset items = items_of(o);
  demo::catch_interrupts();
  std::printf("displaced, rotated and scaled items: %zu to train on, %zu %s; %d epochs, batch %d, %d seeds\n",
              items.train.size(), items.test.size(), o.plan.validation ? "held out" : "to test on", o.plan.epochs,
              o.plan.batch, o.plan.seeds);
  std::fflush(stdout);
  const std::vector<outcome> all = train_all(o, items);
  std::printf("\n%s\n%s\n", table_text(o.plan, all).c_str(), verdict(all).c_str());
  return demo::interrupted() ? demo::stopped : demo::done;
}

}  // namespace

int main(int count, char** arguments) {
  return demo::program("deformable", count, arguments, [](auto given, const std::string&) -> int {
    const options options = parse(given);
    if (!options.help) return run(options);
    std::printf("%s", help_text().c_str());
    return demo::done;
  });
}
