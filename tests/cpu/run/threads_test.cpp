// SPDX-License-Identifier: MIT
// The shared pool: bit-identical for every number of threads, callers on many threads, and many short calls.
#include <hone/hone.hpp>

#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <thread>
#include <vector>

namespace {

struct answer {
  double value = 0;
  std::vector<float> gradient, losses;

  bool operator==(answer const&) const = default;
};

struct batch {
  hone::index rows, columns;
  std::vector<float> z, teacher;
  std::vector<int> labels;

  batch(hone::index n, hone::index K) : rows(n), columns(K) {
    for (hone::index i = 0; i < n * K; ++i) {
      z.push_back(static_cast<float>(support::noise(i)));
      teacher.push_back(static_cast<float>(support::noise(i + 77)));
    }
    for (hone::index i = 0; i < n; ++i) labels.push_back(i % 11 == 3 ? -1 : static_cast<int>((i * 7) % K));
  }
  answer run(auto const& objective, int threads) const {
    answer a{0, std::vector<float>(z.size()), std::vector<float>(z.size())};
    a.value = hone::evaluate(hone::cpu(threads), objective, hone::matrix_view{z.data(), rows, columns},
                             {.gradient = {a.gradient.data(), rows, columns}, .unreduced = a.losses.data()});
    return a;
  }
  answer rows_on(int threads) const {
    return run(hone::cross_entropy(hone::smooth(hone::classes(labels, {.ignore = -1}), 0.1)) +
                   0.5 * hone::distillation(hone::matrix_view{teacher.data(), rows, columns}, 4),
               threads);
  }
  answer elements_on(int threads) const {
    return run(hone::sigmoid_focal_loss(hone::classes(labels, {.ignore = -1})), threads);
  }
};

}  // namespace

TEST_CASE("evaluate is bit-identical for every number of threads") {
  for (const batch& b : {batch(3001, 10), batch(700, 100), batch(3, 40000), batch(1, 7), batch(5000, 33)}) {
    const answer rows = b.rows_on(1), elements = b.elements_on(1);
    for (const int threads : {2, 3, 7}) {
      CHECK(b.rows_on(threads) == rows);
      CHECK(b.elements_on(threads) == elements);
    }
  }
}

TEST_CASE("several threads may call evaluate at once, each with another number of threads") {
  const batch b(2000, 37);
  const answer rows = b.rows_on(1), elements = b.elements_on(1);
  std::vector<int> wrong(5, 0);
  std::vector<std::thread> users;
  users.reserve(5);
  for (int user = 0; user < 5; ++user)
    users.emplace_back([&, user] {
      for (int round = 0; round < 30; ++round) {
        const int threads = 1 + (round + user) % 5;
        wrong[std::size_t(user)] += b.rows_on(threads) != rows || b.elements_on(threads) != elements;
      }
    });
  for (std::thread& u : users) u.join();
  CHECK(wrong == std::vector<int>(5, 0));
}

TEST_CASE("evaluate may be called from nested tasks") {
  const batch b(2000, 37);
  const answer rows = b.rows_on(1);
  const auto inner = [&] { return b.rows_on(3) == rows; };
  const auto outer = [&] {
    auto task = std::async(std::launch::async, inner);
    const bool mine = b.rows_on(2) == rows;
    return task.get() && mine;
  };
  for (int round = 0; round < 20; ++round) {
    auto one = std::async(std::launch::async, outer), two = std::async(std::launch::async, outer);
    CHECK(one.get());
    CHECK(two.get());
  }
}

TEST_CASE("many short calls return the right value, also after calls that throw") {
  const batch b(3, 8193);  // three chunks: the smallest rows that the pool shares out
  const std::vector<int> bad{0, 8193, 1};
  const hone::cpu cpu(3);
  const hone::matrix_view view{b.z.data(), 3, 8193};
  const auto good = hone::z_loss(1) + hone::cross_entropy(hone::classes(b.labels));
  const double value = hone::evaluate(hone::cpu(1), good, view);
  int wrong = 0, thrown = 0;
  for (int i = 0; i < 5000; ++i) {
    wrong += hone::evaluate(cpu, good, view) != value;
    if (i % 50 == 0) try {
        hone::evaluate(cpu, hone::cross_entropy(hone::classes(bad)), view);
      } catch (hone::invalid_argument const&) {
        ++thrown;
      }
    if (i % 1000 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));  // the workers fall asleep
  }
  CHECK(wrong == 0);
  CHECK(thrown == 100);
}
