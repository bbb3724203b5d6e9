// SPDX-License-Identifier: MIT
#include "train.hpp"

#include "averaged_descent.hpp"
#include "batches.hpp"
#include "interrupt.hpp"
#include "predict.hpp"
#include "scene_batches.hpp"

#include <chrono>

namespace detection {
namespace {

constexpr double largest_norm = 10;  // of all gradients together

struct losses {
  double classes = 0, boxes = 0;
  double total() const { return classes + boxes; }
};

/// A network with what its steps need.
class trainer {
 public:
  trainer(const recipe& recipe, int classes, int threads, std::uint64_t seed)
      : net(seed, threads, classes), cpu(threads), recipe_(recipe), descent_(net.parameters, largest_norm) {}

  network net;
  hone::cpu cpu;
  double positives = 0, negatives = 0;  // so far

  losses step(const matrix<float>& images, std::span<const assignment* const> wanted, double rate) {
    net.forward(images);
    const losses value = differentiate(wanted);
    net.backward(by_logits_, by_boxes_);
    descent_.step(cpu, net.parameters, net.gradient, rate);
    return value;
  }

  /// Puts the averaged weights in, and out again.
  void swap() { descent_.swap(cpu, net.parameters); }

 private:
  losses differentiate(std::span<const assignment* const> wanted) {
    by_logits_.resizeLike(net.logits());
    by_boxes_.setZero(net.boxes().rows(), net.boxes().cols());
    labels_.clear();
    boxes_ = {};
    std::vector<Eigen::Index> at;  // of each positive's first number
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      labels_.insert(labels_.end(), wanted[i]->labels.begin(), wanted[i]->labels.end());
      for (const assignment::positive& p : wanted[i]->positives) {
        at.push_back(static_cast<Eigen::Index>(i) * 4 * cells + p.cell);
        const float* first = net.boxes().data() + at.back();
        boxes_.cells.push_back(p.cell);
        boxes_.codes.push_back({first[0], first[cells], first[2 * cells], first[3 * cells]});
        boxes_.targets.push_back(p.box);
      }
    }
    const auto count = static_cast<double>(at.size());
    const hone::image_view<const float> logits{net.logits().data(), wanted.size(), net.classes(), cells};
    const hone::image_view<float> gradient{by_logits_.data(), wanted.size(), net.classes(), cells};
    const losses value{recipe_.classes(cpu, {logits, labels_, gradient, std::max(count, 1.0)}),
                       recipe_.boxes(cpu, boxes_)};
    for (std::size_t i = 0; i < at.size(); ++i) {
      float* first = by_boxes_.data() + at[i];
      const cell_code<float>& g = boxes_.gradient[i];
      first[0] = g.x, first[cells] = g.y, first[2 * cells] = g.w, first[3 * cells] = g.h;
    }
    const auto learnt = static_cast<double>(labels_.size()) -
                        static_cast<double>(std::count(labels_.begin(), labels_.end(), assignment::ignored));
    positives += count;
    negatives += learnt * net.classes() - count;
    return value;
  }

  const recipe& recipe_;
  demo::averaged_descent descent_;
  matrix<float> by_logits_, by_boxes_;
  std::vector<int> labels_;
  box_batch boxes_;
};

class running_mean {
 public:
  void add(const losses& l) { sum_.classes += l.classes, sum_.boxes += l.boxes, ++count_; }
  losses take() {
    const losses mean{sum_.classes / count_, sum_.boxes / count_};
    *this = {};
    return mean;
  }

 private:
  losses sum_;
  int count_ = 0;
};

std::vector<std::vector<detected>> detect(trainer& t, const std::vector<scene>& scenes,
                                          const demo::scene_standardisation& standard) {
  std::vector<std::vector<detected>> all;
  matrix<float> images;
  const std::vector<std::uint32_t> order = demo::in_order(scenes.size());
  for (std::size_t begin = 0; begin < order.size(); begin += 64) {
    standard.gather(scenes, std::span(order).subspan(begin, std::min<std::size_t>(64, order.size() - begin)), images);
    t.net.forward(images);
    for (Eigen::Index i = 0; i < images.rows(); ++i) all.push_back(predictions(t.cpu, t.net, i));
  }
  return all;
}

average_precision judge(const std::vector<scene>& scenes, const std::vector<std::vector<detected>>& found,
                        int classes) {
  std::vector<evaluated_image> images;
  for (std::size_t i = 0; i < scenes.size(); ++i) images.push_back({scenes[i].truths, found[i]});
  return evaluate(images, classes);
}

}  // namespace

history train(const recipe& recipe, const scene_set& scenes, const plan& plan, int threads, std::uint64_t seed,
              observer& progress) {
  const auto start = std::chrono::steady_clock::now();
  const auto classes = static_cast<int>(scenes.classes.size());
  const auto batch = static_cast<std::size_t>(plan.batch), count = scenes.train.size();
  const auto per_epoch = static_cast<hone::index>((count + batch - 1) / batch), steps = per_epoch * plan.epochs;
  const hone::warmup_cosine schedule{.peak = plan.rate, .warmup = steps / 20, .total = steps};  // hone
  const demo::scene_standardisation standard(scenes.train);
  std::vector<assignment> assignments;
  for (const scene& s : scenes.train) assignments.push_back(assign(s.truths));

  trainer trainer(recipe, classes, threads, seed);
  std::mt19937_64 random(seed + 1'000'000);  // apart from the seeds of the weights
  std::vector<std::uint32_t> order = demo::in_order(count);
  history result{.recipe = recipe.name, .seed = seed};
  matrix<float> images;
  hone::index step = 0;
  running_mean recent;
  progress.begin(recipe.name, seed);
  for (int epoch = 1; epoch <= plan.epochs && !demo::interrupted(); ++epoch) {
    demo::shuffle(order, random);
    double sum = 0, images_done = 0;
    for (std::size_t begin = 0; begin < count && !demo::interrupted(); begin += batch) {
      const auto part = std::span(order).subspan(begin, std::min(batch, count - begin));
      standard.gather(scenes.train, part, images);
      std::vector<const assignment*> wanted;
      for (const std::uint32_t i : part) wanted.push_back(&assignments[i]);
      const losses value = trainer.step(images, wanted, schedule.rate(step));
      demo::require_finite(value.total(), recipe.name, seed, step);
      recent.add(value);
      ++step;
      if (step * 10 / per_epoch != (step - 1) * 10 / per_epoch) {
        const double at = static_cast<double>(step) / static_cast<double>(per_epoch);
        const losses mean = recent.take();
        result.class_loss.push_back({at, mean.classes});
        result.box_loss.push_back({at, mean.boxes});
      }
      sum += value.total() * static_cast<double>(part.size());
      images_done += static_cast<double>(part.size());
      progress.step(epoch, static_cast<hone::index>(part.size()), sum / images_done);
    }
    if (demo::interrupted()) break;

    trainer.swap();
    result.found = detect(trainer, scenes.test, standard);
    trainer.swap();
    result.result = judge(scenes.test, result.found, classes);
    result.epochs = epoch;
    result.precision.push_back({static_cast<double>(epoch), result.result.mean});
    progress.epoch(epoch, sum / images_done, result.result);
  }
  result.complete = result.epochs == plan.epochs;
  result.negatives_per_positive = trainer.negatives / std::max(trainer.positives, 1.0);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace detection
