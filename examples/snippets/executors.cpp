// SPDX-License-Identifier: MIT
// What docs/threads.md shows of executors: hone on the threads of OpenMP, oneTBB, dlib and of a pool of one's own.
// Those that are installed are compiled.
#include <hone/hone.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <future>
#include <vector>

#if defined(WITH_TBB)
#include <tbb/parallel_for.h>
#endif
#if defined(WITH_DLIB)
#include <dlib/threads.h>
#endif

namespace {

/// Stands for a pool whose submit returns a future.
struct own_pool {
  std::future<void> submit(std::function<void()> f) const { return std::async(std::launch::async, std::move(f)); }
};

int wrong = 0;

void compare(char const* name, hone::cpu const& cpu) {
  const hone::index rows = 2000, columns = 50;
  std::vector<float> logits;
  std::vector<int> labels;
  for (hone::index i = 0; i < rows * columns; ++i) logits.push_back(std::sin(float(i)));
  for (hone::index i = 0; i < rows; ++i) labels.push_back(int(i % columns));
  const auto objective = hone::cross_entropy(hone::classes(labels));
  const hone::matrix_view z{logits.data(), rows, columns};
  const bool same = hone::evaluate(cpu, objective, z) == hone::evaluate(hone::cpu{1}, objective, z);
  std::printf("%s: %s\n", name, same ? "the same bits" : "WRONG");
  wrong += !same;
}

void pool() {
  own_pool pool;
  // [pool]
  const auto on_pool = [&pool](int n, hone::cpu_task task) {
    std::vector<std::future<void>> others;
    for (int i = 1; i < n; ++i) others.push_back(pool.submit([task, i] { task(i); }));
    task(0);  // on the caller's thread
    for (auto& other : others) other.wait();
  };
  hone::cpu cpu{4, on_pool};
  // [/pool]
  compare("a pool", cpu);
}

#if defined(_OPENMP)
// [openmp]
const auto on_openmp = [](int n, hone::cpu_task task) {
#pragma omp parallel for num_threads(n) schedule(static, 1)
  for (int i = 0; i < n; ++i) task(i);
};
const hone::cpu openmp_cpu{4, on_openmp};
// [/openmp]
void openmp() { compare("OpenMP", openmp_cpu); }
#endif
#if defined(WITH_TBB)
void one_tbb() {
  // [tbb]
  const auto on_tbb = [](int n, hone::cpu_task task) {
    tbb::parallel_for(0, n, [task](int i) { task(i); }, tbb::simple_partitioner());
  };
  hone::cpu cpu{4, on_tbb};
  // [/tbb]
  compare("oneTBB", cpu);
}
#endif
#if defined(WITH_DLIB)
void dlib_pool() {
  dlib::thread_pool pool(3);
  // [dlib]
  const auto on_dlib = [&pool](int n, hone::cpu_task task) {
    dlib::parallel_for(pool, 0, n, [task](long i) { task(int(i)); });
  };
  hone::cpu cpu{4, on_dlib};
  // [/dlib]
  compare("dlib", cpu);
}
#endif

}  // namespace

int main() {
  pool();
#if defined(_OPENMP)
  openmp();
#endif
#if defined(WITH_TBB)
  one_tbb();
#endif
#if defined(WITH_DLIB)
  dlib_pool();
#endif
  return wrong;
}
