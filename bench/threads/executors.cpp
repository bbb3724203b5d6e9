// SPDX-License-Identifier: MIT
// Cross entropy by two threads of every executor in docs/threads.md, in a process of LibTorch: alone, and right after
// at::mm, when the threads of OpenMP still spin. Google Benchmark, with its options:
//   nice -n -10 hone_executors_bench
// The counter `gain` is the time of one thread by that of two, in the same state and in turns.
#include <hone/adapt/torch/cpu.hpp>
#include <hone/hone.hpp>

#include <ATen/ops/mm.h>
#include <ATen/ops/rand.h>
#include <benchmark/benchmark.h>
#include <dlib/threads.h>
#include <omp.h>
#include <sched.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#include <tbb/task_scheduler_observer.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace {

using index = hone::index;

/// Keeps a worker off the caller's core, as hone does with its own: some systems wake threads on the core of the waker.
void use_core(unsigned core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  sched_setaffinity(0, sizeof cores, &cores);
}

/// A pool with a queue, a lock and futures, as many programs have it.
class queue_pool {
 public:
  queue_pool() : worker_([this] { work(); }) {}
  ~queue_pool() {
    submit(nullptr);
    worker_.join();
  }
  std::future<void> submit(std::function<void()> f) {
    const bool last = !f;
    auto task = std::make_shared<std::packaged_task<void()>>(last ? [] {} : std::move(f));
    auto done = task->get_future();
    {
      const std::lock_guard lock(lock_);
      queue_.push_back({last, task});
    }
    more_.notify_one();
    return done;
  }

 private:
  struct job {
    bool last;
    std::shared_ptr<std::packaged_task<void()>> task;
  };
  void work() {
    use_core(1);
    for (;;) {
      std::unique_lock lock(lock_);
      more_.wait(lock, [this] { return !queue_.empty(); });
      const job next = queue_.front();
      queue_.pop_front();
      lock.unlock();
      (*next.task)();
      if (next.last) return;
    }
  }

  std::mutex lock_;
  std::condition_variable more_;
  std::deque<job> queue_;
  std::thread worker_;
};

struct placed_tbb : tbb::task_scheduler_observer {
  placed_tbb() { observe(true); }
  void on_scheduler_entry(bool worker) override {
    if (worker) use_core(1);
  }
};

const auto on_openmp = [](int n, hone::cpu_task task) {
#pragma omp parallel for num_threads(n) schedule(static, 1)
  for (int i = 0; i < n; ++i) task(i);
};
const auto on_tbb = [](int n, hone::cpu_task task) {
  tbb::parallel_for(0, n, [task](int i) { task(i); }, tbb::simple_partitioner());
};

struct problem {
  index rows;
  std::vector<float> z, gradient;
  std::vector<std::int64_t> labels;

  explicit problem(index n) : rows(n), z(std::size_t(n * 1000)), gradient(z.size()) {
    for (std::size_t i = 0; i < z.size(); ++i) z[i] = 3 * std::sin(float(i));
    for (index i = 0; i < n; ++i) labels.push_back(i * 7 % 1000);
  }
  double seconds(hone::cpu const& cpu) {
    const auto begin = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(hone::evaluate(cpu, hone::cross_entropy(hone::smooth(hone::classes(labels), 0.1)),
                                            hone::matrix_view{z.data(), rows, 1000},
                                            {.gradient = {gradient.data(), rows, 1000}}));
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
};

/// An eighth of the times are below it: other programs lengthen the others.
double low(std::vector<double> x) {
  std::nth_element(x.begin(), x.begin() + std::ptrdiff_t(x.size() / 8), x.end());
  return x[x.size() / 8];
}

void measure(benchmark::State& state, std::shared_ptr<problem> const& of, hone::cpu const& cpu, bool after_mm) {
  static const at::Tensor a = at::rand({1024, 1024}), b = at::rand({1024, 1024});
  const auto seconds = [&](hone::cpu const& on) {
    if (after_mm) {
      benchmark::DoNotOptimize(at::mm(a, b));
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(8));  // the threads of OpenMP sleep, and
      of->seconds(on), of->seconds(on);                           // those of this executor are awake
    }
    return of->seconds(on);
  };
  std::vector<double> ones, twos;
  for (auto _ : state) {
    const double one = seconds(hone::cpu{1}), two = seconds(cpu);
    ones.push_back(one), twos.push_back(two);
    state.SetIterationTime(two);
  }
  state.counters["gain"] = low(ones) / low(twos);
}

}  // namespace

int main(int argc, char** argv) {
  problem(256).seconds(hone::cpu{2});  // hone's pool reads the affinity of the process before it changes
  const int threads_of_tbb = tbb::this_task_arena::max_concurrency();  // so does oneTBB
  use_core(0);
  at::set_num_threads(2);
#pragma omp parallel num_threads(2)
  use_core(unsigned(omp_get_thread_num()));
  const placed_tbb placed;
  queue_pool queue;
  dlib::thread_pool dlib_pool(1);
  dlib_pool.add_task_by_value([] { use_core(1); });
  dlib_pool.wait_for_all_tasks();
  const auto on_queue = [&queue](int n, hone::cpu_task task) {
    std::vector<std::future<void>> others;
    for (int i = 1; i < n; ++i) others.push_back(queue.submit([task, i] { task(i); }));
    task(0);
    for (auto& other : others) other.wait();
  };
  const auto on_dlib = [&dlib_pool](int n, hone::cpu_task task) {
    dlib::parallel_for(dlib_pool, 0, n, [task](long i) { task(int(i)); });
  };

  const std::pair<const char*, hone::cpu> executors[] = {{"hone", hone::cpu{2}},
                                                         {"openmp", hone::cpu{2, on_openmp}},
                                                         {"torch", hone::cpu{2, hone::adapt::at_parallel_for<>{}}},
                                                         {"tbb", hone::cpu{2, on_tbb}},
                                                         {"dlib", hone::cpu{2, on_dlib}},
                                                         {"queue", hone::cpu{2, on_queue}}};
  for (const hone::index rows : {256, 1024, 8192}) {
    const auto of = std::make_shared<problem>(rows);
    for (auto const& [name, cpu] : executors)
      for (const bool after_mm : {false, true})
        benchmark::RegisterBenchmark(
            ("cross_entropy/" + std::to_string(rows) + "x1000/" + name + (after_mm ? "/after_mm" : "/alone")).c_str(),
            [of, cpu = cpu, after_mm](benchmark::State& s) { measure(s, of, cpu, after_mm); })
            ->UseManualTime()
            ->Unit(benchmark::kMicrosecond)
            ->Iterations(50);
  }
  benchmark::AddCustomContext("threads_of_tbb", std::to_string(threads_of_tbb));
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
