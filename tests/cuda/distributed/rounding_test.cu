// SPDX-License-Identifier: MIT
// Stochastic rounding of a model that lies on several devices: each rank has the bits of the whole model.
#include <hone/adapt/nccl.cuh>
#include <hone/cuda/distributed/refresh.cuh>
#include <hone/cuda/distributed/step.cuh>
#include <hone/gradient/unscale.hpp>

#include <doctest/doctest.h>
#include <cuda/device.cuh>
#include <cuda/distributed/nccl_of_threads.hpp>
#include <support/numbers.hpp>

#include <cstdint>
#include <cstring>
#include <vector>

namespace {

using hone::index;

/// A flat tensor, two matrices, of which one is cut by rows and one by columns, and one that is whole.
constexpr index flat = 5003, rows = 3, columns = 37, tensors = 4;
constexpr index sizes[tensors] = {flat, rows* columns, rows* columns, 10};

using model = std::vector<std::vector<float>>;

model numbers(index seed) {
  model all(tensors);
  for (index t = 0; t < tensors; ++t)
    for (const double x : support::noise(seed + 10000 * t, sizes[t])) all[std::size_t(t)].push_back(float(x));
  return all;
}

/// What a rank has, cut to the number, the row and the column.
struct cut {
  index rank, ranks;

  hone::shard_range of(index whole) const {
    const index first = whole * rank / ranks;
    return {first, whole * (rank + 1) / ranks - first};
  }
  template <class T>
  std::vector<std::vector<T>> parts(std::vector<std::vector<T>> const& whole) const {
    const auto f = of(flat), r = of(rows), c = of(columns);
    std::vector<std::vector<T>> own(tensors);
    own[0].assign(whole[0].begin() + f.first, whole[0].begin() + f.first + f.count);
    own[1].assign(whole[1].begin() + r.first * columns, whole[1].begin() + (r.first + r.count) * columns);
    for (index k = 0; k < rows; ++k) {
      const auto begin = whole[2].begin() + k * columns + c.first;
      own[2].insert(own[2].end(), begin, begin + c.count);
    }
    own[3] = whole[3];
    return own;
  }
};

/// The same on the device.
template <class T>
struct on_device {
  std::vector<device::buffer<T>> memory;
  hone::sharded_list<T> list;

  on_device(cut const& at, model const& own) {
    for (auto const& t : own) memory.emplace_back(std::vector<T>(t.begin(), t.end()));
    const auto f = at.of(flat), r = at.of(rows), c = at.of(columns);
    list.push_back({memory[0].data(), f.count}, hone::shard{.first = f.first, .whole = flat});
    list.push_back({memory[1].data(), r.count, columns}, hone::row_shard{.first = r.first, .rows = rows});
    list.push_back({memory[2].data(), rows, c.count}, hone::column_shard{.first = c.first, .columns = columns});
    list.push_back({memory[3].data(), sizes[3]}, hone::replicated);
    list.push_back({memory[3].data(), sizes[3]}, hone::tied);
  }
};

/// The bits of the whole model, each number rounded alone on the host.
std::vector<std::vector<std::uint16_t>> rounded(hone::stochastic_rounding rounding, model const& wide) {
  std::vector<std::vector<std::uint16_t>> bits(tensors);
  for (std::size_t t = 0; t < tensors; ++t)
    for (std::size_t k = 0; k < wide[t].size(); ++k)
      bits[t].push_back(hone::detail::rounded_stochastically<hone::detail::bfloat16_format>(
          wide[t][k], hone::detail::bits_of(rounding, t)(k / 4).at[k % 4]));
  return bits;
}
bool same(std::vector<__nv_bfloat16> const& a, std::vector<std::uint16_t> const& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof a[0]) == 0);
}

struct sgd {
  HONE_HD void operator()(float const& g, float& p) const { p = p - 0.125f * g; }
};
struct sgd_of_parameters {
  HONE_HD void operator()(float& p, float& g) const { sgd()(g, p); }
};

}  // namespace

TEST_CASE("fault 25: refresh and step of shards give the bits of the whole model, for every cut") {
  const hone::stochastic_rounding rounding{.seed = 3, .step = 77, .first_tensor = 1}, of_step{.seed = 3, .step = 78};
  const model wide = numbers(5), gradient = numbers(6);
  const auto refreshed = rounded(rounding, wide);
  model computed = numbers(0);
  for (std::size_t t = 0; t < tensors; ++t)
    for (std::size_t k = 0; k < computed[t].size(); ++k) {
      float p = static_cast<float>(__nv_bfloat16(computed[t][k]));
      sgd()(gradient[t][k], p);
      computed[t][k] = p;
    }
  const auto stepped = rounded(of_step, computed);
  for (const int n : {1, 2, 3, 4, 8})
    nccl_of_threads::on_ranks(n, [&](ncclComm_t communicator) {
      const hone::nccl ranks(communicator);
      const device::stream stream;
      hone::cuda gpu(stream);
      const cut mine{ranks.rank(), n};
      const on_device<__nv_bfloat16> p(mine, mine.parts(numbers(0))), q(mine, mine.parts(numbers(0))),
          r(mine, mine.parts(numbers(0))), s(mine, mine.parts(numbers(0)));
      const on_device<float> w(mine, mine.parts(wide)), g(mine, mine.parts(gradient));
      const hone::device_sharded_list parameters(gpu, p.list, ranks), others(gpu, q.list, ranks),
          last(gpu, r.list, ranks), over_ranks(gpu, s.list, ranks);
      const hone::device_sharded_list gradients_over_ranks(gpu, g.list, ranks);
      const hone::device_list<float> gradients(gpu, g.list.tensors());
      const hone::device_master_weights<float> masters(gpu, parameters.tensors());
      hone::device_report report(gpu);
      hone::copy(gpu, w.list.tensors(), masters.tensors());
      hone::refresh(gpu, masters, parameters, rounding);
      hone::step(gpu, hone::unscale(1), sgd(), report, gradients, hone::rounded_by(of_step, others));
      hone::step(gpu, hone::unscale(1), sgd(), report, gradients_over_ranks, ranks,
                 hone::rounded_by(of_step, over_ranks));
      hone::for_each_number(gpu, sgd_of_parameters(), hone::rounded_by(of_step, last), gradients);
      stream.wait();
      const auto own_refreshed = mine.parts(refreshed), own_stepped = mine.parts(stepped);
      for (std::size_t t = 0; t < tensors; ++t) {
        CHECK(same(p.memory[t].host(), own_refreshed[t]));
        CHECK(same(q.memory[t].host(), own_stepped[t]));
        CHECK(same(r.memory[t].host(), own_stepped[t]));
        CHECK(same(s.memory[t].host(), own_stepped[t]));
      }
    });
}
