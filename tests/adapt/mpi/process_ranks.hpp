// SPDX-License-Identifier: MIT
/// on_ranks for tests whose ranks are processes of MPI. No type of MPI is named here, so that the tests of
/// tests/distributed are compiled once for all MPIs.
#pragma once

#include <hone/distributed/communicator.hpp>

#include <functional>

/// hone::mpi behind functions.
class process_rank {
 public:
  explicit process_rank(void const* ranks) noexcept : ranks_(ranks) {}

  int rank() const noexcept;
  int size() const noexcept;
  void sum(std::span<std::int64_t> integers) const;
  void sum(std::span<double> numbers) const;
  void max(std::span<double> numbers) const;
  void broadcast(std::span<std::byte> bytes, int root) const;
  void barrier() const;

 private:
  void const* ranks_;
};

static_assert(hone::communicator<process_rank>);

/// Calls body on the first ranks of the world. If it throws on one, on_ranks throws on every rank of the world, so that
/// all go on with the same test case. If the world has fewer ranks, it is not called, and counted.
void on_process_ranks(int ranks, std::function<void(process_rank const&)> const& body);

template <class Body>
void on_ranks(int ranks, Body const& body) {
  on_process_ranks(ranks, [&](process_rank const& own) { body(own); });
}
