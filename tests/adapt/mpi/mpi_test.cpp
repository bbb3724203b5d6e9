// SPDX-License-Identifier: MIT
// hone::mpi itself. What every communicator does is tested by tests/distributed, which is part of the same program.
#include <hone/adapt/mpi.hpp>

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

namespace {

using hone::mpi;

/// A communicator of the test's own, whose handler returns.
class own_comm {
 public:
  own_comm() {
    MPI_Comm_dup(MPI_COMM_WORLD, &comm_);
    MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN);
  }
  own_comm(own_comm const&) = delete;
  own_comm& operator=(own_comm const&) = delete;
  ~own_comm() { MPI_Comm_free(&comm_); }

  operator MPI_Comm() const { return comm_; }

 private:
  MPI_Comm comm_ = MPI_COMM_NULL;
};

TEST_CASE("mpi: ranks are those of the communicator, and copies share it") {
  const own_comm comm;
  int rank = 0, size = 0;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  const mpi ranks(comm);
  mpi copy = ranks;
  copy = mpi(ranks);
  CHECK(copy.rank() == rank);
  CHECK(copy.size() == size);
  double one = 1;
  copy.sum({&one, 1});
  CHECK(one == size);
}

TEST_CASE("mpi: broadcasts and sums are cut, and every piece arrives at its place") {
  const own_comm comm;
  const mpi ranks(comm);
  constexpr std::size_t most = hone::detail::mpi_group::most_bytes;
  static_assert(most / sizeof(std::byte) <= 0x7fffffff);
  for (const std::size_t size : {most - 1, most, most + 1, 2 * most + 3}) {
    const int root = ranks.size() - 1;
    std::vector<std::byte> bytes(size);
    const auto expected = [](std::size_t i) { return std::byte(i % 251 + i / most); };
    if (ranks.rank() == root)
      for (std::size_t i = 0; i < size; ++i) bytes[i] = expected(i);
    ranks.broadcast(bytes, root);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < size; ++i) wrong += bytes[i] != expected(i) ? 1 : 0;
    CHECK(wrong == 0);
  }
  std::vector<std::int64_t> integers(most / sizeof(std::int64_t) + 2);
  for (std::size_t i = 0; i < integers.size(); ++i) integers[i] = std::int64_t(i) * (ranks.rank() + 1);
  ranks.sum(integers);
  std::size_t wrong = 0;
  const std::int64_t factor = std::int64_t(ranks.size()) * (ranks.size() + 1) / 2;
  for (std::size_t i = 0; i < integers.size(); ++i) wrong += integers[i] != std::int64_t(i) * factor ? 1 : 0;
  CHECK(wrong == 0);
}

TEST_CASE("mpi: what the trainer gives is checked") {
  CHECK_THROWS_WITH_AS(mpi{MPI_COMM_NULL}, "mpi: the communicator is MPI_COMM_NULL", hone::invalid_argument);
  CHECK_THROWS_WITH_AS((mpi{MPI_COMM_WORLD, {.time_limit = std::chrono::milliseconds(0)}}),
                       "mpi: time_limit in ms is 0, must be at least 1", hone::invalid_argument);
  const own_comm comm;
  const mpi ranks(comm);
  CHECK_THROWS_WITH_AS(ranks.broadcast({}, ranks.size()),
                       ("mpi: broadcast: root is " + std::to_string(ranks.size()) + ", and there are " +
                        std::to_string(ranks.size()) + " ranks")
                           .c_str(),
                       hone::invalid_argument);
  CHECK_THROWS_AS(ranks.broadcast({}, -1), hone::invalid_argument);
  MPI_Comm_set_errhandler(comm, MPI_ERRORS_ARE_FATAL);
  CHECK_THROWS_WITH_AS(mpi{comm},
                       "mpi: an error would end the process, before hone can report it; call "
                       "MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN) before",
                       hone::invalid_argument);
}

TEST_CASE("mpi: an intercommunicator is refused") {
  const own_comm all;
  int rank = 0, size = 0;
  MPI_Comm_rank(all, &rank);
  MPI_Comm_size(all, &size);
  if (size < 2) return;
  MPI_Comm half = MPI_COMM_NULL, between = MPI_COMM_NULL;
  MPI_Comm_split(all, rank % 2, rank, &half);
  MPI_Intercomm_create(half, 0, all, 1 - rank % 2, 7, &between);
  CHECK_THROWS_WITH_AS(mpi{between}, "mpi: the communicator is an intercommunicator", hone::invalid_argument);
  MPI_Comm_free(&between);
  MPI_Comm_free(&half);
}

TEST_CASE("mpi: without MPI_THREAD_SERIALIZED, another thread is refused, and nothing is summed") {
  int level = 0;
  MPI_Query_thread(&level);
  if (level >= MPI_THREAD_SERIALIZED) return;
  const own_comm comm;
  const mpi ranks(comm);
  double one = 1;
  std::string error;
  std::thread([&] {
    try {
      ranks.sum({&one, 1});
    } catch (hone::invalid_argument const& e) {
      error = e.what();
    }
  }).join();
  CHECK(error ==
        "mpi: sum is called by another thread than the one that initialised MPI, which needs MPI_Init_thread with "
        "MPI_THREAD_SERIALIZED");
  CHECK(one == 1);
  ranks.sum({&one, 1});
  CHECK(one == ranks.size());
}

}  // namespace
