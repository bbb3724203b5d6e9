// SPDX-License-Identifier: MIT
// Gradients of a model that lies on several devices, over the simulation of NCCL in nccl_of_threads.hpp.
#include <hone/adapt/nccl.cuh>
#include <hone/cuda/distributed/transform.cuh>
#include <hone/cuda/tensors/device_loss_scaler.cuh>
#include <hone/gradient/clip_by_norm.hpp>
#include <hone/gradient/clip_by_value.hpp>
#include <hone/gradient/unscale.hpp>

#include <doctest/doctest.h>
#include <cuda/device.cuh>
#include <cuda/distributed/nccl_of_threads.hpp>
#include <support/message.hpp>
#include <support/numbers.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace {

using support::error_of;

constexpr double infinity = std::numeric_limits<double>::infinity();

bool same_bits(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0; }

/// What a rank has of a vector: in blocks, or to the number.
hone::shard_range part_of(hone::index whole, hone::index rank, hone::index ranks, bool in_blocks) {
  if (in_blocks) return hone::shard_of(whole, rank, ranks);
  const hone::index begin = whole * rank / ranks, end = whole * (rank + 1) / ranks;
  return {begin, end - begin};
}

template <class T>
std::vector<T> numbers_of(hone::index n, double size) {
  std::vector<T> v;
  for (const double x : support::noise(0, n)) v.push_back(static_cast<T>(static_cast<float>(x * size)));
  return v;
}
template <class T>
std::vector<T> part(std::vector<T> const& of, hone::shard_range at) {
  return {of.begin() + at.first, of.begin() + at.first + at.count};
}

/// Transforms a model of three tensors on n ranks; returns the report, and the gradients joined.
template <class T, class Chain>
hone::gradient_report over(int n, Chain const& chain, bool in_blocks, std::vector<T>& joined, double size = 1) {
  const hone::index sizes[] = {70000, 5000, 300};  // two are cut, the last one is on every rank
  std::vector<hone::gradient_report> reports(static_cast<std::size_t>(n));
  joined.assign(70000 + 5000 + 300, T());
  nccl_of_threads::on_ranks(n, [&](ncclComm_t communicator) {
    const hone::nccl ranks(communicator);
    const device::stream stream;
    hone::cuda gpu(stream);
    hone::sharded_list<T> list;
    std::vector<device::buffer<T>> memory;
    for (int k = 0; k < 3; ++k) {
      const std::vector<T> all = numbers_of<T>(sizes[k], size * (k + 1));
      const hone::shard_range at =
          k < 2 ? part_of(sizes[k], ranks.rank(), n, in_blocks) : hone::shard_range{0, sizes[k]};
      memory.emplace_back(part(all, at));
      if (k < 2)
        list.push_back({memory.back().data(), at.count}, hone::shard{.first = at.first, .whole = sizes[k]});
      else
        list.push_back({memory.back().data(), at.count}, hone::replicated);
    }
    const hone::device_sharded_list gradients(gpu, list, ranks);
    hone::device_report of_rank(gpu);
    hone::transform(gpu, chain, gradients, ranks, &of_rank);
    const hone::gradient_report seen = of_rank.host();
    hone::index before = 0;
    for (int k = 0; k < 3; ++k) {
      const hone::shard_range at = k < 2 ? part_of(sizes[k], ranks.rank(), n, in_blocks) : hone::shard_range{0, 300};
      const std::vector<T> mine = memory[static_cast<std::size_t>(k)].host();
      std::copy(mine.begin(), mine.end(), joined.begin() + before + at.first);
      before += sizes[k];
    }
    reports[static_cast<std::size_t>(ranks.rank())] = seen;
    CHECK(nccl_of_threads::collectives(communicator) == 1);  // one message per call
  });
  for (hone::gradient_report const& of_rank : reports) {
    CHECK(same_bits(of_rank.norm, reports[0].norm));
    CHECK(same_bits(of_rank.factor, reports[0].factor));
    CHECK(of_rank.finite == reports[0].finite);
  }
  return reports[0];
}

template <class T, class Chain>
void check_same_bits(Chain const& chain, double p, double scale = 1) {
  std::vector<T> one, more;
  const hone::gradient_report whole = over<T>(1, chain, true, one);
  double norm = 0;
  for (int k = 0; k < 3; ++k)
    for (const T x : numbers_of<T>(k == 0 ? 70000 : k == 1 ? 5000 : 300, k + 1)) {
      const double y = std::abs(static_cast<double>(static_cast<float>(x))) * scale;
      norm = p == infinity ? std::max(norm, y) : norm + (p == 2 ? y * y : y);
    }
  CHECK(whole.norm == doctest::Approx(p == 2 ? std::sqrt(norm) : norm).epsilon(1e-6));
  CHECK(whole.finite);
  for (const int n : {2, 3, 4}) {
    const hone::gradient_report report = over<T>(n, chain, true, more);
    CHECK(same_bits(report.norm, whole.norm));
    CHECK(same_bits(report.coefficient, whole.coefficient));
    CHECK(same_bits(report.factor, whole.factor));
    CHECK(std::memcmp(more.data(), one.data(), one.size() * sizeof(T)) == 0);
    const hone::gradient_report uneven = over<T>(n, chain, false, more);
    CHECK(uneven.norm == doctest::Approx(whole.norm).epsilon(1e-6));
  }
}

}  // namespace

TEST_CASE("fault 1, fault 6: the norm, the coefficient and the gradients are those of the whole, bit by bit") {
  check_same_bits<float>(hone::clip_by_global_norm(3), 2);
  check_same_bits<float>(hone::chain(hone::unscale(4), hone::clip_by_global_norm(3)), 2, 0.25);
  check_same_bits<float>(hone::clip_by_global_norm(3, {.p = 1}), 1);
  check_same_bits<float>(hone::chain(hone::unscale(0.5), hone::clip_by_value(1),
                                     hone::clip_by_global_norm(0.5, {.p = infinity}), hone::clip_by_global_norm(1)),
                         infinity, 2);
  check_same_bits<double>(hone::clip_by_global_norm(3), 2);
  check_same_bits<__half>(hone::chain(hone::clip_by_value(0.5), hone::clip_by_global_norm(3)), 2);
}

TEST_CASE("rows and columns of matrices that begin where blocks do have the bits of the whole") {
  const hone::index rows = 6, columns = 4096;
  const std::vector<float> all = numbers_of<float>(rows * columns, 1);
  for (const bool by_column : {false, true}) {
    double whole = 0;
    for (const int n : {1, 2, 4})  // one rank first
      nccl_of_threads::on_ranks(n, [&](ncclComm_t communicator) {
        const hone::nccl ranks(communicator);
        const device::stream stream;
        hone::cuda gpu(stream);
        const hone::shard_range at =
            by_column ? hone::shard_of(columns, ranks.rank(), n) : part_of(rows, ranks.rank(), n, false);
        std::vector<float> mine;
        for (hone::index i = 0; i < rows; ++i)
          for (hone::index j = 0; j < columns; ++j)
            if (const hone::index k = by_column ? j : i; k >= at.first && k < at.first + at.count)
              mine.push_back(all[std::size_t(i * columns + j)]);
        const device::buffer<float> memory(mine);
        hone::sharded_list<float> list;
        if (by_column)
          list.push_back({memory.data(), rows, at.count}, hone::column_shard{.first = at.first, .columns = columns});
        else
          list.push_back({memory.data(), at.count, columns}, hone::row_shard{.first = at.first, .rows = rows});
        const hone::device_sharded_list gradients(gpu, list, ranks);
        hone::device_report report(gpu);
        hone::measure(gpu, hone::clip_by_global_norm(1), gradients, ranks, report);
        const double norm = report.host().norm;
        if (n == 1) whole = norm;
        CHECK(same_bits(norm, whole));
      });
  }
}

TEST_CASE("a long line that begins within a block is cut where blocks of the whole line begin") {
  const hone::index whole = 100000, first = 700;
  nccl_of_threads::on_ranks(2, [&](ncclComm_t communicator) {
    const hone::nccl ranks(communicator);
    const device::stream stream;
    hone::cuda gpu(stream);
    const hone::index begin = ranks.rank() == 0 ? 0 : first, end = ranks.rank() == 0 ? first : whole;
    const device::buffer<double> memory(std::vector<double>(std::size_t(end - begin), 2));
    hone::sharded_list<double> list;
    list.push_back({memory.data(), end - begin}, hone::shard{.first = begin, .whole = whole});
    const hone::device_sharded_list gradients(gpu, list, ranks);
    hone::device_report report(gpu);
    hone::transform(gpu, hone::clip_by_global_norm(1, {.p = 1}), gradients, ranks, &report);
    CHECK(report.host().norm == 2.0 * 100000);
  });
}

TEST_CASE("fault 2: replicated parameters are counted once (28, not 48)") {
  nccl_of_threads::on_ranks(2, [&](ncclComm_t communicator) {
    const hone::nccl ranks(communicator);
    const device::stream stream;
    hone::cuda gpu(stream);
    const device::buffer<float> shard(std::vector<float>(4, 1)), everywhere(std::vector<float>(20, 1));
    hone::sharded_list<float> list;
    list.push_back({shard.data(), 4}, hone::shard{.first = 4 * ranks.rank(), .whole = 8});
    list.push_back({everywhere.data(), 20}, hone::replicated);
    const hone::device_sharded_list gradients(gpu, list, ranks);
    hone::device_report report(gpu);
    hone::transform(gpu, hone::clip_by_global_norm(1), gradients, ranks, &report);
    CHECK(report.host().norm == std::sqrt(28.0));
    CHECK(everywhere.host()[19] == static_cast<float>(1 / std::sqrt(28.0)));  // all copies are clipped
    const hone::device_list<float> alike(gpu, {{everywhere.data(), 20}});
    hone::transform(gpu, hone::clip_by_global_norm(100), alike, ranks, &report);
    CHECK(report.host().norm == doctest::Approx(std::sqrt(20 / 28.0)));
  });
}

TEST_CASE("fault 4: tied weights are counted once (28.28, not 40)") {
  nccl_of_threads::on_ranks(2, [&](ncclComm_t communicator) {
    const hone::nccl ranks(communicator);
    const device::stream stream;
    hone::cuda gpu(stream);
    const device::buffer<float> shard(std::vector<float>(400, 1));
    hone::sharded_list<float> list;
    list.push_back({shard.data(), 400}, hone::shard{.first = 400 * ranks.rank(), .whole = 800});
    list.push_back({shard.data(), 400}, hone::tied);
    const hone::device_sharded_list gradients(gpu, list, ranks);
    hone::device_report report(gpu);
    hone::transform(gpu, hone::clip_by_global_norm(1), gradients, ranks, &report);
    CHECK(report.host().norm == std::sqrt(800.0));
    CHECK(shard.host()[0] == static_cast<float>(1 / std::sqrt(800.0)));  // multiplied once
  });
}

TEST_CASE("fault 7: infinity on rank 0 makes every rank back off, and nobody steps, in a graph too") {
  nccl_of_threads::on_ranks(3, [&](ncclComm_t communicator) {
    const hone::nccl ranks(communicator);
    const device::stream stream;
    hone::cuda gpu(stream);
    std::vector<float> values(2000, 1);
    if (ranks.rank() == 0) values[1500] = std::numeric_limits<float>::infinity();
    const device::buffer<float> memory(values);
    hone::sharded_list<float> list;
    list.push_back({memory.data(), 2000}, hone::shard{.first = 2000 * ranks.rank(), .whole = 6000});
    // [step]
    const hone::device_sharded_list gradients(gpu, list, ranks);
    hone::device_report report(gpu);
    const hone::device_loss_scaler scaler(gpu, {.initial = 2});
    gpu.reserve(hone::workspace_bytes(gradients, ranks));
    const device::graph step(stream, [&] {
      hone::transform(gpu, hone::chain(hone::unscale(scaler.scale()), hone::clip_by_global_norm(1)), gradients, ranks,
                      &report);
      scaler.update(gpu, report);
    });
    // [/step]
    step.launch();
    CHECK_FALSE(report.host().finite);
    CHECK(scaler.host().scale() == 1);
    CHECK(memory.host() == values);
    if (ranks.rank() == 0) device::bring(memory.data(), std::vector<float>(2000, 1).data(), 2000);
    step.launch();
    CHECK(report.host().finite);
    CHECK(report.host().norm == std::sqrt(6000.0));  // fault 9: by the scale that is 1 now, not by 2
    CHECK(scaler.host().scale() == 1);
  });
}

TEST_CASE("fault 7: a number that is not finite is found in a copy that another rank counts") {
  nccl_of_threads::on_ranks(2, [&](ncclComm_t communicator) {
    const hone::nccl ranks(communicator);
    const device::stream stream;
    hone::cuda gpu(stream);
    const device::buffer<float> memory(
        std::vector<float>(40, ranks.rank() == 1 ? std::numeric_limits<float>::quiet_NaN() : 1));
    const hone::device_list<float> gradients(gpu, {{memory.data(), 40}});
    hone::device_report report(gpu);
    hone::measure(gpu, hone::clip_by_global_norm(1), gradients, ranks, report);
    CHECK_FALSE(report.host().finite);
  });
}

TEST_CASE("fault 8: a rank without any tensor takes part") {
  nccl_of_threads::on_ranks(3, [&](ncclComm_t communicator) {
    const hone::nccl ranks(communicator);
    const device::stream stream;
    hone::cuda gpu(stream);
    const device::buffer<float> memory(std::vector<float>{3, 4});
    hone::sharded_list<float> list;
    if (ranks.rank() == 2) list.push_back({memory.data(), 2}, hone::replica{0});
    const hone::device_sharded_list gradients(gpu, list, ranks);
    hone::device_report report(gpu);
    hone::transform(gpu, hone::clip_by_global_norm(1), gradients, ranks, &report);
    CHECK(report.host().norm == 5);
    CHECK(report.host().factor == 0.2);
  });
}

TEST_CASE("fault 9: gradients are unscaled by the scale that multiplied them") {
  nccl_of_threads::on_ranks(2, [&](ncclComm_t communicator) {
    const hone::nccl ranks(communicator);
    const device::stream stream;
    hone::cuda gpu(stream);
    const device::buffer<float> memory(std::vector<float>{float(3 + ranks.rank()) * 8});
    hone::sharded_list<float> list;
    list.push_back({memory.data(), 1}, hone::shard{.first = ranks.rank(), .whole = 2});
    const hone::device_sharded_list gradients(gpu, list, ranks);
    hone::device_report report(gpu);
    const hone::device_loss_scaler scaler(gpu, {.initial = 8, .growth = 4, .interval = 1});
    hone::transform(gpu, hone::chain(hone::unscale(scaler.scale()), hone::clip_by_global_norm(100)), gradients, ranks,
                    &report);
    scaler.update(gpu, report);
    CHECK(scaler.host().scale() == 32);
    CHECK(report.host().norm == 5);
    CHECK(memory.host()[0] == float(3 + ranks.rank()));
  });
}

TEST_CASE("the sums of the trainer travel with the norm; fault 16: a rank without positives takes part") {
  nccl_of_threads::on_ranks(3, [&](ncclComm_t communicator) {
    const hone::nccl ranks(communicator);
    const device::stream stream;
    hone::cuda gpu(stream);
    const device::buffer<float> memory(std::vector<float>{1});
    const hone::device_list<float> gradients(gpu, {{memory.data(), 1}});
    hone::device_report report(gpu);
    hone::device_step_sums sums(gpu);
    const int r = ranks.rank();
    sums.set({.loss = r == 0   ? 1e16
                      : r == 1 ? 1.5
                               : -1e16,
              .others = {0.25, -0.0},
              .rows = 10 + r,
              .positives = r == 1 ? 0 : 3,
              .counts = {1, 0, -1, std::int64_t(1) << 40}});
    gpu.reserve(hone::workspace_bytes(gradients, ranks));
    const device::graph step(
        stream, [&] { hone::measure(gpu, hone::clip_by_global_norm(1), gradients, ranks, report, &sums); });
    step.launch();
    const hone::step_totals all = sums.host();
    CHECK(all.loss == 1.5);  // exactly, in any order
    CHECK(all.others[0] == 0.75);
    CHECK(all.rows == 33);
    CHECK(all.positives == 6);
    CHECK(all.counts[2] == -3);
    CHECK(all.counts[3] == std::int64_t(3) << 40);
    CHECK(nccl_of_threads::collectives(communicator) == 1);
  });
}

TEST_CASE("a rank with a bad argument throws, and the others do not step, and do not wait") {
  nccl_of_threads::on_ranks(3, [&](ncclComm_t communicator) {
    const hone::nccl ranks(communicator);
    const device::stream stream;
    hone::cuda gpu(stream);
    const device::buffer<float> memory(std::vector<float>(8, 1));
    const hone::tensor_list<float> right{{memory.data(), 4}, {memory.data() + 4, 4}};
    const hone::tensor_list<float> wrong{{memory.data(), 4}, {memory.data() + 2, 4}};
    const bool mine = ranks.rank() == 1;
    const hone::device_list<float> gradients(gpu, mine ? wrong : right);
    hone::device_report report(gpu);
    hone::device_step_sums sums(gpu);
    sums.set({.rows = 5});
    const std::string error =
        error_of([&] { hone::transform(gpu, hone::clip_by_global_norm(1), gradients, ranks, &report, &sums); });
    CHECK(error == (mine ? "transform: tensors 0 and 1 of gradients share memory: list tied weights once" : ""));
    ranks.wait(stream, std::chrono::seconds(60));
    CHECK_FALSE(report.host().finite);
    CHECK(sums.host().rows == 5);
    CHECK(memory.host()[0] == 1);
    CHECK(nccl_of_threads::collectives(communicator) == 1);
  });
}

TEST_CASE("a single device needs no transport") {
  const device::stream stream;
  hone::cuda gpu(stream);
  const device::buffer<float> memory(std::vector<float>{3, 4});
  const hone::device_list<float> gradients(gpu, {{memory.data(), 2}});
  hone::device_report report(gpu);
  hone::transform(gpu, hone::clip_by_global_norm(1), gradients, hone::device_self(), &report);
  CHECK(report.host().norm == 5);
  CHECK(memory.host() == std::vector<float>{0.6f, 0.8f});
}
