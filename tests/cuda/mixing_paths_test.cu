// SPDX-License-Identifier: MIT
// Draws of drop path on the device.
#include <hone/hone.cuh>

#include <cuda/device.cuh>
#include <support/message.hpp>
#include <support/same_bytes.hpp>

#include <doctest/doctest.h>

TEST_CASE_TEMPLATE("factors of drop path have the bits of the host's draw", A, float, double) {
  const device::stream stream;
  hone::cuda gpu(stream);
  for (const std::size_t n : {0, 1, 5, 700})
    for (const bool scale : {false, true})
      for (const double rate : {0.0, 0.3, 1.0}) {
        const hone::drop_path policy{.rate = rate, .scale_by_keep = scale};
        std::vector<A> host(n, A(99));
        policy.draw(7, (hone::index(1) << 40) + 3, 5, std::span(host));
        const device::buffer<A> drawn(std::vector<A>(n + 1, A(99)));
        hone::draw(gpu, policy, 7, (hone::index(1) << 40) + 3, 5, std::span<A>(drawn.data(), n));
        stream.wait();
        const auto seen = drawn.host();
        CHECK(support::same_bytes(seen.data(), host.data(), n * sizeof(A)));
        CHECK(seen[n] == A(99));
      }
}

// More samples than a grid has threads. Only the ends are compared.
TEST_CASE("every sample of a draw larger than a grid has its factor") {
  const std::size_t n = std::size_t(hone::on_cuda::max_blocks) * hone::on_cuda::block_threads + 300;
  const hone::drop_path policy{.rate = 0.5};
  std::vector<float> host(n);
  policy.draw(1, 2, 3, std::span(host));
  const device::buffer<float> drawn(n);
  const device::stream stream;
  hone::cuda gpu(stream);
  hone::draw(gpu, policy, 1, 2, 3, std::span<float>(drawn.data(), n));
  stream.wait();
  CHECK(support::same_bytes(drawn.host().data(), host.data(), n * sizeof(float)));
}

TEST_CASE("replays of a graph draw by a step that the device counts") {
  const device::buffer<hone::index> step(std::vector<hone::index>{0});
  const device::buffer<float> factors(64);
  const device::stream stream;
  hone::cuda gpu(stream);
  const hone::drop_path policy{.rate = 0.5};
  const device::graph draw(stream, [&] {
    // [drop_path]
    hone::draw(gpu, policy, 11, hone::device_step{step.data()}, 4, std::span<float>(factors.data(), 64));
    // [/drop_path]
  });
  for (const hone::index at : {3, 4}) {
    device::bring(step.data(), &at, 1);
    draw.launch();
    stream.wait();
    std::vector<float> host(64);
    policy.draw(11, at, 4, std::span(host));
    CHECK(factors.host() == host);
  }
}

TEST_CASE("draws of drop path on CUDA: invalid arguments throw, and nothing is written") {
  const device::buffer<float> factors(std::vector<float>(3, 99));
  const device::stream stream;
  hone::cuda gpu(stream);
  const auto said = [&](double rate, hone::index branch) {
    return support::message(
        [&] { hone::draw(gpu, hone::drop_path{.rate = rate}, 1, 2, branch, std::span<float>(factors.data(), 3)); });
  };
  CHECK(said(1.5, 0) == "drop_path: rate is 1.5, must be in [0, 1]");
  CHECK(said(0.5, -1) == "drop_path: branch is -1, must be in [0, 2^24)");
  stream.wait();
  CHECK(factors.host() == std::vector<float>(3, 99));
}
