// SPDX-License-Identifier: MIT
#include "train.hpp"

#include "averaged_descent.hpp"
#include "batches.hpp"
#include "interrupt.hpp"
#include "network.hpp"
#include "scene_batches.hpp"

#include <chrono>

namespace segmentation {
namespace {

constexpr double largest_norm = 5;  // of all gradients together

/// A network with what its steps need.
class trainer {
 public:
  trainer(const recipe& recipe, int threads, std::uint64_t seed)
      : net(seed, threads), recipe_(recipe), cpu_(threads), descent_(net.parameters, largest_norm) {}

  network net;

  double step(const matrix<float>& images, const std::vector<std::uint8_t>& labels, double rate) {
    const matrix<float>& logits = net.forward(images);
    by_logits_.resizeLike(logits);
    const auto n = static_cast<hone::index>(images.rows());
    const double value = recipe_.loss(cpu_, {{logits.data(), n, classes, canvas_side, canvas_side},
                                             labels,
                                             {by_logits_.data(), n, classes, canvas_side, canvas_side}});
    net.backward(by_logits_);
    descent_.step(cpu_, net.parameters, net.gradient, rate);
    return value;
  }

  /// Puts the averaged weights in, and out again.
  void swap() { descent_.swap(cpu_, net.parameters); }

 private:
  const recipe& recipe_;
  hone::cpu cpu_;
  demo::averaged_descent descent_;
  matrix<float> by_logits_;
};

class running_mean {
 public:
  void add(double x) { sum_ += x, count_ += 1; }
  double take() {
    const double mean = sum_ / count_;
    *this = {};
    return mean;
  }

 private:
  double sum_ = 0, count_ = 0;
};

/// The likeliest class of every pixel.
std::vector<std::uint8_t> labels_of(const float* logits) {
  std::vector<std::uint8_t> labels(canvas_pixels);
  std::vector<float> most(logits, logits + canvas_pixels);
  for (int k = 1; k < classes; ++k)
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const float logit = logits[static_cast<std::size_t>(k) * canvas_pixels + i];
      if (logit > most[i]) most[i] = logit, labels[i] = static_cast<std::uint8_t>(k);
    }
  return labels;
}

score judge(network& net, const std::vector<canvas>& canvases, const demo::scene_standardisation& standard,
            std::vector<std::vector<std::uint8_t>>& found) {
  confusion counts(classes, ignored);
  matrix<float> images;
  found.clear();
  const std::vector<std::uint32_t> order = demo::in_order(canvases.size());
  demo::each_batch(order, 32, [&](std::span<const std::uint32_t> part) {
    standard.gather(canvases, part, images);
    net.forward(images);
    for (std::size_t i = 0; i < part.size(); ++i) {
      std::vector<std::uint8_t> labels = labels_of(net.logits().row(static_cast<Eigen::Index>(i)).data());
      counts.add(canvases[part[i]].labels, labels);
      if (found.size() < most_found) found.push_back(std::move(labels));
    }
    return true;
  });
  return counts.scored();
}

}  // namespace

history train(const recipe& recipe, const canvas_set& canvases, const plan& plan, int threads, std::uint64_t seed,
              observer& progress) {
  const auto start = std::chrono::steady_clock::now();
  const auto batch = static_cast<std::size_t>(plan.batch), count = canvases.train.size();
  const auto per_epoch = static_cast<hone::index>((count + batch - 1) / batch), steps = per_epoch * plan.epochs;
  const hone::warmup_cosine schedule{.peak = plan.rate, .warmup = steps / 20, .total = steps};  // hone
  const demo::scene_standardisation standard(canvases.train);

  trainer trainer(recipe, threads, seed);
  std::mt19937_64 random(seed + 1'000'000);  // apart from the seeds of the weights
  std::vector<std::uint32_t> order = demo::in_order(count);
  history result{.recipe = recipe.name, .seed = seed};
  matrix<float> images;
  std::vector<std::uint8_t> labels;
  hone::index step = 0;
  running_mean recent;
  progress.begin(recipe.name, seed);
  for (int epoch = 1; epoch <= plan.epochs && !demo::interrupted(); ++epoch) {
    demo::shuffle(order, random);
    double sum = 0, images_done = 0;
    const bool whole = demo::each_batch(order, batch, [&](std::span<const std::uint32_t> part) {
      standard.gather(canvases.train, part, images);
      labels.clear();
      for (const std::uint32_t i : part)
        labels.insert(labels.end(), canvases.train[i].labels.begin(), canvases.train[i].labels.end());
      const double loss = trainer.step(images, labels, schedule.rate(step));
      demo::require_finite(loss, recipe.name, seed, step);
      recent.add(loss);
      ++step;
      if (step * 10 / per_epoch != (step - 1) * 10 / per_epoch)
        result.loss.push_back({static_cast<double>(step) / static_cast<double>(per_epoch), recent.take()});
      sum += loss * static_cast<double>(part.size());
      images_done += static_cast<double>(part.size());
      progress.step(epoch, static_cast<hone::index>(part.size()), sum / images_done);
      return !demo::interrupted();
    });
    if (!whole) break;

    trainer.swap();
    result.result = judge(trainer.net, canvases.test, standard, result.found);
    trainer.swap();
    result.epochs = epoch;
    result.curve.push_back({static_cast<double>(epoch), result.result.mean_iou});
    progress.epoch(epoch, sum / images_done, result.result);
  }
  result.complete = result.epochs == plan.epochs;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace segmentation
