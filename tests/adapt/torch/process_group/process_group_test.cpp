// SPDX-License-Identifier: MIT
// What is said of every communicator is tested by tests/distributed/communicator_test.cpp, which is part of this
// program.
#include "gloo_ranks.hpp"

#include <doctest/doctest.h>

namespace {

TEST_CASE("process_group: a rank that does not come is waited for no longer than the time limit") {
  const auto store = c10::make_intrusive<c10d::HashStore>();
  hone::run_ranks(2, [&](hone::thread_rank thread) {
    const auto group = gloo_group(store, thread.rank(), 2, std::chrono::seconds(60));
    const hone::process_group ranks(group, {.time_limit = std::chrono::milliseconds(200)});
    if (thread.rank() == 0) CHECK_THROWS_AS(ranks.barrier(), hone::communicator_error);
    thread.barrier();
  });
}

TEST_CASE("process_group: a rank that is gone is an error of the others") {
  const auto store = c10::make_intrusive<c10d::HashStore>();
  hone::run_ranks(3, [&](hone::thread_rank thread) {
    auto group = gloo_group(store, thread.rank(), 3, std::chrono::seconds(20));
    if (thread.rank() == 1) {
      group.reset();
      return;
    }
    std::int64_t one = 1;
    const hone::process_group ranks(group);
    CHECK_THROWS_AS(ranks.sum(std::span(&one, 1)), hone::communicator_error);
  });
}

TEST_CASE("process_group: a group that is null, and a root that is no rank") {
  const c10::intrusive_ptr<c10d::ProcessGroup> none;
  CHECK_THROWS_WITH_AS(hone::process_group{none}, "process_group: group is null", hone::invalid_argument);
  const auto store = c10::make_intrusive<c10d::HashStore>();
  const hone::process_group alone(gloo_group(store, 0, 1, std::chrono::seconds(20)));
  CHECK_THROWS_WITH_AS(alone.broadcast({}, 1), "process_group: root is 1, must be a rank of the group",
                       hone::invalid_argument);
}

}  // namespace
