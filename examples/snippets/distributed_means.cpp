// SPDX-License-Identifier: MIT
// The examples of docs/distributed.md, "Means over ranks", "Averages" and "Statistics": ranks are threads.
#include <hone/distributed/thread_group.hpp>
#include <hone/hone.hpp>

#include "expect.hpp"

#include <array>
#include <cstdio>
#include <string>
#include <vector>

int main() {
  const std::string file = "distributed_means.ema";
  hone::run_ranks(2, [&](auto const& ranks) {
    const hone::cpu cpu(1);
    const hone::index r = ranks.rank();

    // Rank 0 has three rows, of which one does not count, and rank 1 has one.
    const hone::index rows = r == 0 ? 3 : 1;
    const std::vector<int> labels = r == 0 ? std::vector{0, -100, 1} : std::vector{1};
    std::vector<float> z(std::size_t(2 * rows)), g(std::size_t(2 * rows));
    const hone::matrix_view logits{z.data(), rows, 2}, gradient{g.data(), rows, 2};
    // [mean]
    const auto over_all = hone::over_ranks(ranks, hone::mean, hone::rank_gradients::averaged);
    const auto objective = hone::cross_entropy(hone::classes(labels, {.ignore = -100}));
    const double loss = hone::evaluate(cpu, objective, logits, {.gradient = gradient}, over_all);
    // [/mean]
    expect(loss, 0.6931471805599453, "the mean of three rows");
    expect(g[0], float(r == 0 ? -1 : 1) / 3, "the gradient, times two ranks");

    const std::vector<float> targets(std::size_t(2 * rows), 1.0f);
    const hone::index positives = r == 0 ? 0 : 2;
    // [positives]
    const auto over_positives =
        hone::over_ranks(ranks, hone::mean_over(positives), hone::rank_gradients::averaged).at_least(1);
    const auto focal = hone::sigmoid_focal_loss(hone::matrix_view{targets.data(), rows, 2});
    const double by_positives = hone::evaluate(cpu, focal, logits, {.gradient = gradient}, over_positives);
    // [/positives]
    expect(by_positives * 2, 8 * 0.25 * 0.25 * 0.6931471805599453, "focal loss by the positives of all ranks");

    // [accumulation]
    hone::rank_accumulation counted;
    for (int micro_batch = 0; micro_batch <= r; ++micro_batch) {  // ranks may have different numbers of them
      hone::evaluate(cpu, objective, logits, {.gradient = gradient}, hone::sum);
      counted.add(hone::count_rows(labels, -100));
    }
    const double scale = counted.factor(ranks, hone::rank_gradients::averaged);  // of the summed gradients
    // [/accumulation]
    expect(scale, 2.0 / (2 + 1 + 1), "ranks over rows");

    std::vector<float> weight(4 * 3, float(r)), bias(5, 1.0f);
    // [averages]
    hone::sharded_list<float> parameters;
    parameters.push_back({weight.data(), 4, 3}, hone::row_shard{.first = 4 * r, .rows = 8});
    parameters.push_back(bias, hone::replicated);
    hone::ema_state<float> shadow(parameters.tensors());
    hone::update(cpu, hone::ema{.decay = 0.999}, shadow, parameters.tensors());
    hone::save_file(ranks, shadow, parameters, file);  // one file of the whole model
    hone::load_file(ranks, shadow, parameters, file);
    hone::require_equal_replicas(cpu, ranks, hone::tensor_list<float>{bias});
    // [/averages]
    expect(shadow.steps() == 1, "the average");

    // Rank 0 has two images of 2 x 3 pixels, rank 1 none.
    const hone::index images = r == 0 ? 2 : 0;
    const std::vector<float> x(std::size_t(images * 2 * 6), 0.5f);
    std::vector<float> normal(x.size());
    const std::vector<float> gamma{1, 1}, beta{0, 3};
    std::vector<float> running_mean{0, 0}, running_variance{1, 1};
    const hone::image_view<const float> batch{x.data(), images, 2, 2, 3};
    const hone::image_view<float> y{normal.data(), images, 2, 2, 3};
    // [statistics]
    std::array<hone::channel_statistics, 2> of_batch;
    hone::batch_norm(cpu, ranks, batch, {.scale = gamma, .shift = beta}, of_batch, y);
    hone::update_running<float>(of_batch, running_mean, running_variance, 0.1);  // the same on every rank
    // [/statistics]
    expect(of_batch[0].count == 12 && of_batch[0].mean == 0.5, "the statistics of two images");
    expect(running_mean[0], 0.05f, "the running mean");
    if (images > 0) expect(normal[6], 3, "a constant channel is its shift");

    const std::vector<int> answers(std::size_t(rows), 1);
    // [reliability]
    const hone::reliability_diagram diagram = hone::reliability(cpu, ranks, logits, answers, {.bins = 15});
    // [/reliability]
    expect(diagram.count() == 4, "the rows of both ranks");
  });
  std::remove(file.c_str());
  return failures;
}
