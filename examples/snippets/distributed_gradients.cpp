// SPDX-License-Identifier: MIT
// The example of docs/distributed.md, "Gradients": ranks are threads.
#include <hone/distributed/thread_group.hpp>
#include <hone/hone.hpp>

#include "expect.hpp"

#include <vector>

int main() {
  hone::run_ranks(2, [](auto const& ranks) {
    const hone::cpu cpu(1);
    const hone::loss_scaler scaler{.initial = 1};
    const auto [first, count] = hone::shard_of(40000, ranks);
    std::vector<float> flat(static_cast<std::size_t>(count), 1.0f), weight(6 * 8, 1.0f), bias(12, 1.0f);
    const double sum_of_losses = 3;
    // [gradients]
    hone::sharded_list<float> gradients;
    gradients.push_back(flat, hone::shard{.first = first, .whole = 40000});
    gradients.push_back({weight.data(), 6, 8}, hone::row_shard{.first = 6 * ranks.rank(), .rows = 12});
    gradients.push_back(bias, hone::replicated);

    hone::step_sums sums{.rows = 64};
    sums.loss.add(sum_of_losses);
    const auto chain = hone::chain(hone::unscale(scaler), hone::clip_by_global_norm(1));
    const auto report = hone::transform(cpu, chain, gradients, ranks, sums);
    const double mean_loss = sums.loss.value() / static_cast<double>(sums.rows);  // of all ranks
    // [/gradients]
    expect(report.finite && report.norm * report.norm > 40107.9 && report.norm * report.norm < 40108.1, "the norm");
    expect(mean_loss == 6.0 / 128, "the mean loss");
  });
}
