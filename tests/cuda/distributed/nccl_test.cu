// SPDX-License-Identifier: MIT
// hone::nccl, over the simulation of NCCL in nccl_of_threads.hpp.
#include <hone/adapt/nccl.cuh>

#include <cuda/device.cuh>
#include <cuda/distributed/nccl_of_threads.hpp>
#include <support/message.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using support::error_of;

TEST_CASE("hone::nccl sums, takes the maximum and broadcasts in the order of a stream") {
  for (const int n : {1, 2, 3, 4})
    nccl_of_threads::on_ranks(n, [n](ncclComm_t communicator) {
      const hone::nccl ranks(communicator);
      REQUIRE(ranks.size() == n);
      const device::stream stream;
      const std::int64_t big = std::int64_t(1) << 60;
      const device::buffer<std::int64_t> integers(std::vector<std::int64_t>{ranks.rank() + 1, big + 1, -big});
      const device::buffer<double> sums(std::vector<double>{0.5 * ranks.rank(), 1}), largest(sums.host());
      const device::buffer<char> bytes(std::vector<char>{'a', char('a' + ranks.rank())});
      ranks.sum(integers.data(), 2, stream);
      ranks.sum(sums.data(), 2, stream);
      ranks.max(largest.data(), 1, stream);
      ranks.broadcast(bytes.data(), 2, n - 1, stream);
      ranks.sum(integers.data(), 0, stream);
      ranks.wait(stream, std::chrono::seconds(60));
      CHECK(integers.host() == std::vector<std::int64_t>{n * (n + 1) / 2, n * (big + 1), -big});
      CHECK(sums.host() == std::vector<double>{0.25 * n * (n - 1), double(n)});
      CHECK(largest.host()[0] == 0.5 * (n - 1));
      CHECK(bytes.host()[1] == char('a' + n - 1));
      CHECK(nccl_of_threads::collectives(communicator) == 4);
    });
}

TEST_CASE("hone::nccl in a graph sums again at each replay") {
  nccl_of_threads::on_ranks(3, [](ncclComm_t communicator) {
    const hone::nccl ranks(communicator);
    const device::stream stream;
    const device::buffer<double> x(std::vector<double>{1.0 + ranks.rank()});
    const device::graph step(stream, [&] { ranks.sum(x.data(), 1, stream); });
    CHECK(nccl_of_threads::collectives(communicator) == 0);
    for (int i = 0; i < 3; ++i) step.launch();
    ranks.wait(stream, std::chrono::seconds(60));
    CHECK(x.host()[0] == 6.0 * 3 * 3);
  });
}

TEST_CASE("errors of NCCL are communicator_errors that name the rank, the call and NCCL's text") {
  nccl_of_threads::on_ranks(1, [](ncclComm_t communicator) {
    const hone::nccl ranks(communicator);
    const device::stream stream;
    const device::buffer<double> x(std::vector<double>{1});
    nccl_of_threads::fail_calls(communicator, true);
    CHECK(error_of([&] { ranks.sum(x.data(), 1, stream); }) ==
          "nccl: rank 0 of 1: ncclAllReduce: a simulated error: in the simulation of NCCL");
    CHECK(error_of([&] { ranks.broadcast(x.data(), 1, 0, stream); }) ==
          "nccl: rank 0 of 1: ncclBroadcast: a simulated error: in the simulation of NCCL");
    nccl_of_threads::fail_calls(communicator, false);
    CHECK_THROWS_AS(ranks.broadcast(x.data(), 1, 1, stream), hone::communicator_error);
  });
  CHECK(error_of([] { hone::nccl(nullptr); }) == "nccl: ranks is null, must be a communicator of NCCL");
}

TEST_CASE("a rank that ends before a collective is an error of the others, which do not wait for it") {
  int found = 0;
  CHECK_THROWS_WITH_AS(nccl_of_threads::on_ranks(3,
                                                 [&](ncclComm_t communicator) {
                                                   const hone::nccl ranks(communicator);
                                                   const device::stream stream;
                                                   const device::buffer<double> x(std::vector<double>{1});
                                                   if (ranks.rank() == 1) throw std::runtime_error("rank 1 is gone");
                                                   ranks.sum(x.data(), 1, stream);
                                                   try {
                                                     ranks.check();
                                                   } catch (hone::communicator_error const& e) {
                                                     found += std::string(e.what()).find("remote process exited") !=
                                                              std::string::npos;
                                                   }
                                                 }),
                       "rank 1 is gone", std::runtime_error);
  CHECK(found == 2);
}
