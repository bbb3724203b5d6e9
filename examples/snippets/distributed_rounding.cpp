// SPDX-License-Identifier: MIT
// The examples of docs/distributed.md, "Stochastic rounding and draws": ranks are threads.
#include <hone/distributed/thread_group.hpp>
#include <hone/hone.hpp>

#include "expect.hpp"

#include <vector>

int main() {
  hone::run_ranks(2, [](auto const& ranks) {
    const hone::cpu cpu(1);
    const auto sgd = []<hone::operand V>(V const& g, V& p) { p -= V(0.001) * g; };
    const auto [first, count] = hone::shard_of(40000, ranks);
    std::vector<Eigen::bfloat16> flat(static_cast<std::size_t>(count), Eigen::bfloat16(1.0f)),
        bias(12, Eigen::bfloat16(1.0f));
    std::vector<float> flat_gradient(flat.size(), 0.25f), bias_gradient(12, 0.25f);
    hone::sharded_list<float> gradients;
    gradients.push_back(flat_gradient, hone::shard{.first = first, .whole = 40000});
    gradients.push_back(bias_gradient, hone::replicated);
    const int step = 3, rows = 16;
    const std::int64_t seed = 5;
    // [step]
    hone::sharded_list<Eigen::bfloat16> parameters;  // in the order of the gradients
    parameters.push_back(flat, hone::shard{.first = first, .whole = 40000});
    parameters.push_back(bias, hone::replicated);

    const hone::stochastic_rounding rounding{.seed = 1, .step = step};  // the same on every rank
    hone::step(cpu, hone::clip_by_global_norm(1000), sgd, gradients, ranks, hone::rounded_by(rounding, parameters));
    // [/step]
    hone::require_equal_replicas(cpu, ranks, hone::tensor_list<Eigen::bfloat16>{bias});
    // [draw]
    const auto draw = hone::mixup{.alpha = 0.2}.draw(hone::seed_of_rank(seed, ranks.rank()), step, rows);
    // [/draw]
    expect(draw.lambda.size() == 16, "a draw of the rank");
  });
  return failures;
}
