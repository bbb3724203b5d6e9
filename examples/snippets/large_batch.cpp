// SPDX-License-Identifier: MIT
// What docs/large_batch.md shows.
#include <hone/hone.hpp>

#include "expect.hpp"

#include <string>
#include <vector>

int main() {
  {
    // [recipe]
    const hone::index batch = 8192, steps_per_epoch = 156;
    const double peak = hone::linear_scaled_rate(0.1, batch);  // 3.2
    const hone::milestones<3> stairs{.peak = peak,
                                     .at = {25 * steps_per_epoch, 55 * steps_per_epoch,
                                            75 * steps_per_epoch}};  // epochs 30, 60, 80, less the warm-up
    const auto schedule = hone::warmup(stairs, {.start = 0.1, .steps = 5 * steps_per_epoch});
    double first = schedule.rate(0), highest = schedule.rate(5 * steps_per_epoch);  // 0.1 and 3.2
    // [/recipe]
    expect(first, 0.1, "the first rate");
    expect(highest, 3.2, "the highest rate");
    expect(schedule.rate(30 * steps_per_epoch), 0.32, "the rate of epoch 30");
  }
  {
    // [decay_groups]
    const std::vector<hone::named_parameter> parameters = {{"conv1.weight", 4}, {"bn1.weight", 1}, {"bn1.bias", 1},
                                                           {"pos_embed", 3},    {"fc.weight", 2},  {"fc.bias", 1}};
    const hone::decay_rule rules[] = {{"pos_embed", false}};
    const hone::decay_groups groups = hone::group_by_decay(parameters, rules);  // decay: 0, 4; no_decay: 1, 2, 3, 5
    // [/decay_groups]
    if (groups.decay != std::vector<hone::index>{0, 4} || groups.no_decay != std::vector<hone::index>{1, 2, 3, 5})
      ++failures;
    // [question]
    const hone::decay_groups own = hone::group_by_decay(parameters, [](hone::named_parameter const& p) {
      return hone::decays(p) && p.dimensions != 3;  // hone's own rule and one more
    });
    // [/question]
    if (own.decay != groups.decay) ++failures;
  }
  {
    std::vector<float> first(64, 1), last(64, 1);
    // [zero_fill]
    const hone::tensor_list<float> weights{{first.data(), first.size()}, {last.data(), last.size()}};
    const std::vector<std::string> names = {"layer1.0.bn1.weight", "layer1.0.bn2.weight"};
    hone::zero_fill(weights, names, {"layer?.*.bn2.weight"});  // 1: what it filled
    // [/zero_fill]
    expect(first[63], 1, "another norm");
    expect(last[63], 0, "the last norm");
  }
  {
    const std::vector<float> logits = {1, 2, 3, 0, 1, 0, 2, 2, 1, 0, 0, 1};
    const std::vector<int> labels = {2, -100, 0, 1};
    const std::vector<int> micro_labels[] = {{2, -100}, {0, 1}};
    std::vector<float> g(6), sum(12);
    hone::cpu cpu;
    double value = 0;
    // [known]
    const hone::index total = hone::count_rows(labels, -100);  // of all micro-batches together: 3
    for (int i = 0; i < 2; ++i) {
      const auto objective = hone::cross_entropy(hone::classes(micro_labels[i], {.ignore = -100}));
      value += hone::evaluate(cpu, objective, hone::matrix_view{logits.data() + 6 * i, 2, 3},
                              {.gradient = {g.data(), 2, 3}}, hone::mean_over(total));
      // … back through the network; gradients of parameters add up
    }
    // [/known]
    const double whole = hone::evaluate(cpu, hone::cross_entropy(hone::classes(labels, {.ignore = -100})),
                                        hone::matrix_view{logits.data(), 4, 3});
    expect(value, whole, "micro-batches of a known total");
    value = 0;
    // [unknown]
    hone::accumulation rows;
    for (int i = 0; i < 2; ++i) {
      const auto objective = hone::cross_entropy(hone::classes(micro_labels[i], {.ignore = -100}));
      value += hone::evaluate(cpu, objective, hone::matrix_view{logits.data() + 6 * i, 2, 3},
                              {.gradient = {g.data(), 2, 3}}, hone::sum);
      rows.add(hone::count_rows(micro_labels[i], -100));
    }
    const double scale = rows.factor();  // 1/3: multiply the summed gradients by it, before clipping
    // [/unknown]
    expect(value * scale, whole, "micro-batches of an unknown total");
  }
  return failures;
}
