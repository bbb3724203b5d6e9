// SPDX-License-Identifier: MIT
// A whole step of training over ranks on CUDA, over the simulation of NCCL in nccl_of_threads.hpp.
#include <hone/adapt/nccl.cuh>
#include <hone/average/ema.hpp>
#include <hone/cuda/distributed/step.cuh>
#include <hone/cuda/tensors/refresh.cuh>
#include <hone/gradient/clip_by_norm.hpp>
#include <hone/gradient/unscale.hpp>

#include <doctest/doctest.h>
#include <cuda/device.cuh>
#include <cuda/distributed/nccl_of_threads.hpp>
#include <support/message.hpp>
#include <support/numbers.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace {

using support::error_of;

struct sgd {
  double rate, momentum;
  template <hone::operand V>
  HONE_HD void operator()(V const& g, V& p, V& m) const {
    m = V(momentum) * m + g, p -= V(rate) * m;
  }
};

/// Two tensors: 5000 numbers that are cut into blocks, and 300 that every rank has.
struct model {
  static constexpr hone::index whole = 5000, replicated = 300;

  hone::shard_range at;
  device::buffer<float> gradients, parameters, momenta, shadow;

  model(int rank, int ranks) : model(hone::shard_of(whole, rank, ranks)) {}
  explicit model(hone::shard_range at_)
      : at(at_), gradients(numbers(1)), parameters(numbers(50)), momenta(numbers(90)), shadow(numbers(70)) {}

  std::vector<float> numbers(hone::index from) const {
    std::vector<float> x;
    for (const double y : support::noise(from + at.first, at.count)) x.push_back(static_cast<float>(y));
    for (const double y : support::noise(from + whole, replicated)) x.push_back(static_cast<float>(y));
    return x;
  }
  hone::sharded_list<float> sharded(device::buffer<float> const& of) const {
    hone::sharded_list<float> list;
    list.push_back({of.data(), at.count}, hone::shard{.first = at.first, .whole = whole});
    list.push_back({of.data() + at.count, replicated}, hone::replicated);
    return list;
  }
  hone::tensor_list<float> list(device::buffer<float> const& of) const {
    return {{of.data(), at.count}, {of.data() + at.count, replicated}};
  }
  /// Writes a rank's numbers to where they lie in the whole.
  void join(device::buffer<float> const& of, std::vector<float>& to) const {
    const std::vector<float> mine = of.host();
    std::copy_n(mine.begin(), at.count, to.begin() + at.first);
    std::copy_n(mine.begin() + at.count, replicated, to.begin() + whole);
  }
};

/// The joined parameters, momenta and average.
struct trained {
  std::vector<float> parameters, momenta, shadow;

  trained() : parameters(model::whole + model::replicated), momenta(parameters), shadow(parameters) {}
  bool operator==(trained const&) const = default;
};

}  // namespace

TEST_CASE("a step has the bits of a single device, with momenta, an average and the trainer's sums, in a graph") {
  trained one;
  for (const int n : {1, 2, 3, 4}) {
    trained joined;
    nccl_of_threads::on_ranks(n, [&](ncclComm_t communicator) {
      const hone::nccl ranks(communicator);
      const device::stream stream;
      hone::cuda gpu(stream);
      const model mine(ranks.rank(), n);
      const hone::device_list<float> parameters(gpu, mine.list(mine.parameters)), momenta(gpu, mine.list(mine.momenta));
      const hone::device_sharded_list gradients(gpu, mine.sharded(mine.gradients), ranks);
      hone::device_ema_state<float> average(gpu, mine.list(mine.shadow));
      hone::device_report report(gpu);
      hone::device_step_sums sums(gpu);
      sums.set({.loss = 0.5, .rows = 3});
      // [step]
      gpu.reserve(hone::workspace_bytes(gradients, ranks));
      const device::graph step(stream, [&] {
        hone::step(gpu, hone::chain(hone::unscale(2), hone::clip_by_global_norm(1)), sgd{0.125, 0.75}, report,
                   gradients, ranks, sums, parameters, momenta, hone::averaged_in(hone::ema{.decay = 0.75}, average));
      });
      // [/step]
      step.launch();
      CHECK(report.host().finite);
      CHECK(report.host().factor < 0.5);
      CHECK(sums.host().rows == 3 * n);
      CHECK(sums.host().loss == 0.5 * n);
      CHECK(average.steps() == 1);
      CHECK(nccl_of_threads::collectives(communicator) == 1);
      CHECK(mine.gradients.host() == mine.numbers(1));  // not written
      mine.join(mine.parameters, joined.parameters), mine.join(mine.momenta, joined.momenta);
      mine.join(mine.shadow, joined.shadow);
    });
    if (n == 1) one = joined;
    CHECK(joined == one);
  }

  // By hand: the norm of the whole, on one device.
  const model whole(0, 1);
  double squares = 0;
  for (const float g : whole.numbers(1)) squares += double(g) * double(g) / 4;
  const double factor = 0.5 / (std::sqrt(squares) + 1e-6);
  for (const std::size_t i : {std::size_t(0), std::size_t(4999), std::size_t(5299)}) {
    const double momentum = 0.75 * whole.numbers(90)[i] + factor * whole.numbers(1)[i];
    CHECK(one.momenta[i] == doctest::Approx(momentum).epsilon(1e-5));
    CHECK(one.parameters[i] == doctest::Approx(whole.numbers(50)[i] - 0.125 * momentum).epsilon(1e-5));
  }
}

TEST_CASE("fault 7: infinity on rank 0: no rank writes anything, and no average counts") {
  nccl_of_threads::on_ranks(3, [](ncclComm_t communicator) {
    const hone::nccl ranks(communicator);
    const device::stream stream;
    hone::cuda gpu(stream);
    const model mine(ranks.rank(), 3);
    const float infinite = std::numeric_limits<float>::infinity();
    if (ranks.rank() == 0) device::bring(mine.gradients.data() + 9, &infinite, 1);
    const hone::device_list<float> parameters(gpu, mine.list(mine.parameters)), momenta(gpu, mine.list(mine.momenta));
    const hone::device_sharded_list gradients(gpu, mine.sharded(mine.gradients), ranks);
    hone::device_ema_state<float> average(gpu, mine.list(mine.shadow));
    hone::device_report report(gpu);
    const auto step = [&] {
      hone::step(gpu, hone::clip_by_global_norm(1), sgd{0.125, 0.75}, report, gradients, ranks, parameters, momenta,
                 hone::averaged_in(hone::ema{.decay = 0.75}, average));
      ranks.wait(stream, std::chrono::seconds(60));
    };
    step();
    CHECK_FALSE(report.host().finite);
    CHECK(mine.parameters.host() == mine.numbers(50));
    CHECK(mine.momenta.host() == mine.numbers(90));
    CHECK(mine.shadow.host() == mine.numbers(70));
    CHECK(average.steps() == 0);
    if (ranks.rank() == 0) device::bring(mine.gradients.data(), mine.numbers(1).data(), mine.gradients.size());
    step();
    CHECK(report.host().finite);
    CHECK(mine.parameters.host() != mine.numbers(50));
    CHECK(average.steps() == 1);
  });
}

TEST_CASE("a rank with a bad argument throws, and the others take no step, and do not wait") {
  nccl_of_threads::on_ranks(2, [](ncclComm_t communicator) {
    const hone::nccl ranks(communicator);
    const device::stream stream;
    hone::cuda gpu(stream);
    const model mine(ranks.rank(), 2);
    const hone::device_list<float> parameters(gpu, mine.list(mine.parameters)), momenta(gpu, mine.list(mine.momenta)),
        short_ones(gpu, {{mine.momenta.data(), 4}, {mine.momenta.data() + 4, 4}});
    const hone::device_sharded_list gradients(gpu, mine.sharded(mine.gradients), ranks);
    hone::device_report report(gpu);
    const bool wrong = ranks.rank() == 1;
    const std::string error = error_of([&] {
      hone::step(gpu, hone::clip_by_global_norm(1), sgd{0.125, 0.75}, report, gradients, ranks, parameters,
                 wrong ? short_ones : momenta);
    });
    CHECK(error.starts_with(wrong ? "step: " : ""));
    CHECK(error.empty() == !wrong);
    ranks.wait(stream, std::chrono::seconds(60));
    CHECK_FALSE(report.host().finite);
    CHECK(mine.parameters.host() == mine.numbers(50));
    CHECK(nccl_of_threads::collectives(communicator) == 1);
  });
}

TEST_CASE("a list that is the same on every rank, and a tied tensor that is empty in the others") {
  std::vector<float> of_one;
  for (const int n : {1, 3})
    nccl_of_threads::on_ranks(n, [&](ncclComm_t communicator) {
      const hone::nccl ranks(communicator);
      const device::stream stream;
      hone::cuda gpu(stream);
      const device::buffer<float> g(std::vector<float>(400, 1)), p(std::vector<float>(400, 2)),
          m(std::vector<float>(400, 0)), other(std::vector<float>(400, 2)), more(std::vector<float>(400, 0));
      hone::device_report report(gpu);
      const hone::device_list<float> alike(gpu, {{g.data(), 400}}), parameters(gpu, {{p.data(), 400}}),
          momenta(gpu, {{m.data(), 400}});
      hone::step(gpu, hone::clip_by_global_norm(1), sgd{1, 0}, report, alike, ranks, parameters, momenta);
      CHECK(report.host().norm == 20);  // not sqrt(n) times that
      CHECK(p.host()[399] == doctest::Approx(2 - 0.05));

      hone::sharded_list<float> list;
      list.push_back({g.data(), 400}, hone::replicated);
      list.push_back({g.data(), 400}, hone::tied);
      const hone::device_sharded_list tied(gpu, list, ranks);
      const hone::device_list<float> others(gpu, {{other.data(), 400}, {nullptr, 0}}),
          states(gpu, {{more.data(), 400}, {nullptr, 0}});
      hone::step(gpu, hone::clip_by_global_norm(1), sgd{1, 0}, report, tied, ranks, others, states);
      CHECK(report.host().norm == 20);
      CHECK(other.host() == p.host());
    });
}
