// SPDX-License-Identifier: MIT
// Executors: hone works on the threads of the program, with the bits of its own pool.
#include <hone/hone.hpp>

#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cfenv>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

const auto in_order = [](int n, hone::cpu_task task) {
  for (int i = 0; i < n; ++i) task(i);
};
const auto backwards = [](int n, hone::cpu_task task) {
  for (int i = n - 1; i >= 0; --i) task(i);
};
const auto on_new_threads = [](int n, hone::cpu_task task) {
  std::vector<std::thread> threads;
  threads.reserve(std::size_t(n));
  for (int i = 0; i < n; ++i) threads.emplace_back(task, i);
  for (std::thread& t : threads) t.join();
};

/// Counts the calls and the tasks that run at the same time.
struct counting {
  mutable std::atomic<int> calls{0}, running{0}, most{0};
  void operator()(int n, hone::cpu_task task) const {
    ++calls;
    std::vector<std::thread> threads;
    threads.reserve(std::size_t(n));
    for (int i = 0; i < n; ++i)
      threads.emplace_back([this, task, i] {
        const int now = ++running;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        task(i);
        --running;
      });
    for (std::thread& t : threads) t.join();
  }
};

struct problem {
  hone::index rows, columns;
  std::vector<float> z, parameters;
  std::vector<int> labels;

  problem(hone::index n, hone::index k) : rows(n), columns(k) {
    for (double x : support::noise(0, n * k)) z.push_back(static_cast<float>(x));
    labels = support::labels(n, k);
  }
  double loss(hone::cpu const& cpu, std::vector<float>& gradient) const {
    gradient.assign(z.size(), 0);
    return hone::evaluate(cpu, hone::cross_entropy(hone::smooth(hone::classes(labels), 0.1)),
                          hone::matrix_view{z.data(), rows, columns}, {.gradient = {gradient.data(), rows, columns}});
  }
};

template <class Executor>
void has_the_bits_of_one_thread(Executor const& executor) {
  for (const auto& [n, k] : {std::pair<hone::index, hone::index>{3001, 10}, {700, 100}, {3, 40000}, {1, 7}}) {
    const problem p(n, k);
    std::vector<float> expected, gradient;
    const double loss = p.loss(hone::cpu(1), expected);
    for (const int threads : {1, 2, 5}) {
      CHECK(p.loss(hone::cpu(threads, executor), gradient) == loss);
      CHECK(gradient == expected);
    }
  }
}

}  // namespace

TEST_CASE("an executor computes the bits of one thread, in whatever order it runs the tasks") {
  has_the_bits_of_one_thread(in_order);
  has_the_bits_of_one_thread(backwards);
  has_the_bits_of_one_thread(on_new_threads);
}

TEST_CASE("an executor runs every verb that works on several threads") {
  const counting executor;
  const hone::cpu cpu(3, executor), one(1);
  std::vector<float> a(300000, 2), b = a;
  hone::tensor_list<float> first, second;
  first.push_back({a.data(), hone::index(a.size())}), second.push_back({b.data(), hone::index(b.size())});
  CHECK(hone::transform(cpu, hone::clip_by_global_norm(1), first).norm ==
        hone::transform(one, hone::clip_by_global_norm(1), second).norm);
  CHECK(a == b);
  CHECK(executor.calls > 0);
}

TEST_CASE("an executor gets as many tasks as the backend has threads, and one chunk needs none") {
  const counting executor;
  std::vector<float> gradient;
  problem(3001, 100).loss(hone::cpu(3, executor), gradient);
  CHECK(executor.calls == 1);
  CHECK(executor.most <= 3);
  problem(1, 7).loss(hone::cpu(3, executor), gradient);
  CHECK(executor.calls == 1);
}

TEST_CASE("a call from a thread that an executor uses works, with an executor or the pool") {
  const problem p(3001, 10);
  std::vector<float> expected;
  const double loss = p.loss(hone::cpu(1), expected);
  double losses[4] = {};
  std::vector<std::thread> callers;
  callers.reserve(4);
  for (int i = 0; i < 4; ++i)
    callers.emplace_back([&p, &losses, i] {
      std::vector<float> gradient;
      losses[i] = p.loss(i % 2 == 0 ? hone::cpu(2, on_new_threads) : hone::cpu(2), gradient);
    });
  for (std::thread& t : callers) t.join();
  for (const double x : losses) CHECK(x == loss);
}

#if HONE_HAS_EXCEPTIONS
TEST_CASE("an exception of an executor leaves the call, and the next call works") {
  const auto failing = [](int, hone::cpu_task) { throw std::runtime_error("no threads"); };
  const problem p(3001, 10);
  std::vector<float> gradient;
  CHECK_THROWS_AS(p.loss(hone::cpu(2, failing), gradient), std::runtime_error);
  CHECK(p.loss(hone::cpu(2, in_order), gradient) == p.loss(hone::cpu(1), gradient));
}
#endif

TEST_CASE("tasks use the rounding mode of the caller and restore that of their thread") {
  const problem p(3001, 10);
  std::vector<float> expected, gradient;
  int after = -1;
  const auto on_another = [&after](int n, hone::cpu_task task) {
    std::thread([&] {
      std::fesetround(FE_DOWNWARD);
      for (int i = 0; i < n; ++i) task(i);
      after = std::fegetround();
    }).join();
  };
  std::fesetround(FE_UPWARD);
  const double up = p.loss(hone::cpu(1), expected), other = p.loss(hone::cpu(2, on_another), gradient);
  std::fesetround(FE_TONEAREST);
  CHECK(up == other);
  CHECK(gradient == expected);
  CHECK(after == FE_DOWNWARD);
}

static_assert(hone::cpu_executor<decltype(in_order)>);
static_assert(!hone::cpu_executor<int>);
static_assert(!std::is_constructible_v<hone::cpu, int, counting>);  // a temporary with state would be gone
static_assert(std::is_constructible_v<hone::cpu, int, counting const&>);
static_assert(std::is_constructible_v<hone::cpu, int, std::remove_const_t<decltype(in_order)>>);
