// SPDX-License-Identifier: MIT
// The chunks of a call, divided among its threads.
#include <hone/cpu/run/shares.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace {

using hone::index, hone::on_cpu::chunk_shares;
using chunks_in_order = std::vector<index>;

struct shares_of {
  alignas(64) std::byte memory[chunk_shares::bytes(8)];
  chunk_shares chunks;

  shares_of(int threads, index n) : chunks(memory, threads, n) {}
  chunks_in_order taken_by(int slot) {
    chunks_in_order seen;
    chunks.take(
        slot, [](void* to, index chunk, int) noexcept { static_cast<chunks_in_order*>(to)->push_back(chunk); }, &seen);
    return seen;
  }
};

}  // namespace

TEST_CASE("a thread takes the chunks of its own range in order, then those of the threads after it") {
  CHECK(shares_of(1, 4).taken_by(0) == chunks_in_order{0, 1, 2, 3});
  CHECK(shares_of(3, 8).taken_by(0) == chunks_in_order{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(shares_of(3, 8).taken_by(1) == chunks_in_order{3, 4, 5, 6, 7, 0, 1, 2});
  CHECK(shares_of(3, 8).taken_by(2) == chunks_in_order{6, 7, 0, 1, 2, 3, 4, 5});
  CHECK(shares_of(5, 2).taken_by(4) == chunks_in_order{0, 1});  // more threads than chunks
  CHECK(shares_of(2, 0).taken_by(1).empty());
}

TEST_CASE("a thread that comes late finds nothing") {
  shares_of all(2, 5);
  CHECK(all.taken_by(0).size() == 5);
  CHECK(all.taken_by(1).empty());
}

TEST_CASE("threads that work at the same time take every chunk once") {
  for (const index n : {1, 2, 7, 1000}) {
    struct counts {
      std::vector<std::atomic<int>> of;
    } seen{std::vector<std::atomic<int>>(std::size_t(n))};
    shares_of all(4, n);
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int slot = 0; slot < 4; ++slot)
      threads.emplace_back([&all, &seen, slot] {
        all.chunks.take(
            slot, [](void* to, index chunk, int) noexcept { ++static_cast<counts*>(to)->of[std::size_t(chunk)]; },
            &seen);
      });
    for (std::thread& t : threads) t.join();
    for (auto const& times : seen.of) CHECK(times == 1);
  }
}
