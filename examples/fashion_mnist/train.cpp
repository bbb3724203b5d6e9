// SPDX-License-Identifier: MIT
#include "train.hpp"

#include "interrupt.hpp"
#include "random.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace demo {
namespace {

std::size_t hits(const matrix<float>& logits, const std::vector<int>& labels) {
  std::size_t count = 0;
  for (Eigen::Index i = 0, top = 0; i < logits.rows(); ++i) {
    logits.row(i).maxCoeff(&top);
    count += top == labels[static_cast<std::size_t>(i)] ? 1 : 0;
  }
  return count;
}

class running_mean {
 public:
  void add(double value, double weight) { sum_ += value * weight, weight_ += weight; }
  double operator()() const { return weight_ > 0 ? sum_ / weight_ : 0; }
  void reset() { *this = {}; }

 private:
  double sum_ = 0, weight_ = 0;
};

recipe find_recipe(const std::string& name, const plan& plan) {
  for (recipe& r : all_recipes(plan))
    if (r.name == name) return r;
  throw std::invalid_argument("no recipe '" + name + "'");
}

}  // namespace

history train(const std::string& recipe_name, const dataset& data, const plan& plan, int threads, std::uint64_t seed,
              observer& observer) {
  const auto start = std::chrono::steady_clock::now();
  const recipe recipe = find_recipe(recipe_name, plan);
  const hone::index steps = plan.steps_per_epoch(recipe.batch_size);  // of an epoch
  const standardisation standard(data.train);
  trainer trainer{network(seed, threads), sgd{}, hone::cpu{threads}, {}};
  std::mt19937_64 random(seed + 1'000'000);  // apart from the seeds of the weights
  std::vector<std::uint32_t> order = in_order(data.train.size());
  const std::vector<std::uint32_t> test_order = in_order(data.test.size());

  history result{.recipe = recipe.name, .against = recipe.against, .seed = seed};
  batch batch;
  hone::index step = 0;
  if (recipe.begin) recipe.begin(trainer);
  observer.begin(recipe.name, seed);
  for (int epoch = 1; epoch <= plan.epochs; ++epoch) {
    shuffle(order, random);
    running_mean loss, accuracy, recent;
    const bool finished = each_batch(order, static_cast<std::size_t>(recipe.batch_size), [&](auto part) {
      standard.gather(data.train, part, batch);
      const double value = recipe.step(trainer, batch, recipe.rate(step));
      require_finite(value, recipe.name, seed, step);
      const auto n = static_cast<double>(part.size());
      loss.add(value, n);
      recent.add(value, n);
      accuracy.add(static_cast<double>(hits(trainer.net.logits(), batch.labels)) / n, n);
      ++step;
      if (step * 10 / steps != (step - 1) * 10 / steps) {
        result.train_loss.push_back({static_cast<double>(step) / static_cast<double>(steps), recent()});
        recent.reset();
      }
      observer.step(epoch, static_cast<hone::index>(part.size()), loss(), accuracy());
      return !interrupted();
    });
    if (!finished) break;

    if (recipe.swap) recipe.swap(trainer);
    hone::reliability_diagram test;
    each_batch(test_order, 500, [&](auto part) {
      standard.gather(data.test, part, batch);
      const matrix<float>& logits = trainer.net.forward(batch.images);
      test.add(hone::reliability(trainer.cpu, hone::matrix_view{logits.data(), logits.rows(), logits.cols()},
                                 batch.labels, {.bins = calibration_bins}));
      return true;
    });
    if (recipe.swap) recipe.swap(trainer);
    result.epochs = epoch;
    result.test_error.push_back({static_cast<double>(epoch), 1 - test.accuracy()});
    result.accuracy = test.accuracy();
    result.calibration_error = test.expected_calibration_error();
    observer.epoch(epoch, loss(), accuracy(), test.accuracy());
    if (interrupted()) break;
  }
  result.complete = result.epochs == plan.epochs;
  if (recipe.note) result.note = recipe.note();
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace demo
