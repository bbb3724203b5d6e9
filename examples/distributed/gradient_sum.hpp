// SPDX-License-Identifier: MIT
/// How the gradients of micro-batches become that of the global batch. It is the trainer's own part: hone sums only
/// scalars over ranks.
#pragma once

#include <hone/adapt/mpi.hpp>

#include <Eigen/Core>

#include <stdexcept>
#include <vector>

namespace demo {

/// A global batch is always cut into this many micro-batches, whatever the number of ranks.
inline constexpr int micro_batches = 8;

class gradient_sum {
 public:
  gradient_sum(const hone::mpi& ranks, std::chrono::milliseconds limit, bool allreduce)
      : ranks_(ranks), limit_(limit), allreduce_(allreduce) {
    if (ranks.size() > micro_batches || micro_batches % ranks.size() != 0)
      throw std::invalid_argument("the number of ranks is " + std::to_string(ranks.size()) + ", must be 1, 2, 4 or 8");
  }

  /// Micro-batches of this rank: [first(), first() + count()).
  int count() const { return micro_batches / ranks_.size(); }
  int first() const { return ranks_.rank() * count(); }

  /// Adds up the gradients of this rank's micro-batches and those of all other ranks, into gradients[0].
  ///
  /// The sums are a binary tree over the micro-batches: (0 + 1) + (2 + 3), and so on. Its lower levels lie within a
  /// rank, the upper ones between two. So every rank has the same bits, and they do not depend on the number of ranks.
  void operator()(std::vector<Eigen::VectorXf*> const& gradients) {
    const std::size_t n = gradients.size();
    for (std::size_t width = 1; width < n; width *= 2)
      for (std::size_t i = 0; i + width < n; i += 2 * width) *gradients[i] += *gradients[i + width];
    Eigen::VectorXf& sum = *gradients[0];
    if (allreduce_) {
      ranks_.barrier();  // with a time limit, which the next call has not
      if (MPI_Allreduce(MPI_IN_PLACE, sum.data(), static_cast<int>(sum.size()), MPI_FLOAT, MPI_SUM, ranks_.comm()) !=
          MPI_SUCCESS)
        throw hone::communicator_error("gradients: MPI_Allreduce reports an error");
      return;
    }
    memory_.sent.resize(sum.size()), memory_.received.resize(sum.size());
    for (int width = 1; width < ranks_.size(); width *= 2) {
      const int peer = ranks_.rank() ^ width;
      exchange(sum, peer);
      if (ranks_.rank() < peer)
        sum += memory_.received;
      else
        sum = memory_.received + sum;
    }
  }

 private:
  /// What MPI reads and writes: never freed, because it may still do so after a rank has been given up.
  struct memory {
    Eigen::VectorXf sent, received;
  };

  void exchange(const Eigen::VectorXf& mine, int peer) {
    memory_.sent = mine;
    const int n = static_cast<int>(mine.size());
    MPI_Request requests[] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL};
    int status = MPI_Irecv(memory_.received.data(), n, MPI_FLOAT, peer, 0, ranks_.comm(), &requests[0]);
    if (status == MPI_SUCCESS)
      status = MPI_Isend(memory_.sent.data(), n, MPI_FLOAT, peer, 0, ranks_.comm(), &requests[1]);
    wait(status, requests);
  }

  void wait(int status, std::span<MPI_Request> requests) const {
    const auto start = std::chrono::steady_clock::now();
    const auto fail = [&](const char* why) {
      throw hone::communicator_error("gradients: exchange on rank " + std::to_string(ranks_.rank()) + " of " +
                                     std::to_string(ranks_.size()) + ": " + why);
    };
    for (int done = 0; done == 0;) {
      if (status == MPI_SUCCESS)
        status = MPI_Testall(static_cast<int>(requests.size()), requests.data(), &done, MPI_STATUSES_IGNORE);
      if (status != MPI_SUCCESS) fail("MPI reports an error");
      if (done == 0) std::this_thread::yield();
      if (std::chrono::steady_clock::now() - start > limit_) fail("a rank did not take part within the time limit");
    }
  }

  hone::mpi ranks_;
  std::chrono::milliseconds limit_;
  bool allreduce_;
  memory& memory_ = *new memory;
};

}  // namespace demo
