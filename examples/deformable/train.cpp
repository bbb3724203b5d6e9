// SPDX-License-Identifier: MIT
#include "train.hpp"

#include "batches.hpp"
#include "interrupt.hpp"

#include <ctime>

namespace deformable {
namespace {

constexpr std::uint64_t test_seed = 0x7e57;  // the same test canvases for all trainings
constexpr float momentum = 0.9f, decay = 5e-4f;

/// Of this thread alone, whatever else the machine does.
double core_seconds() {
  std::timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

class trainer {
 public:
  trainer(bool with_offsets, std::uint64_t seed, const plan& plan, hone::index steps)
      : net(seed, with_offsets ? std::nullopt : std::optional(equal_width())),
        schedule_{.peak = with_offsets ? plan.deformable_rate : plan.plain_rate,
                  .warmup = steps / 20,
                  .total = steps},  // hone
        velocity_(Eigen::VectorXf::Zero(net.parameters.size())),
        share_(Eigen::VectorXf::Ones(net.parameters.size())) {
    for (const demo::named_tensor& t : net.tensors())
      if (t.name.starts_with("conv3.offset")) share_.segment(t.at, t.size()).setConstant(float(plan.offset_rate));
  }

  network<float> net;

  double step(const matrix<float>& canvases, const std::vector<int>& labels, hone::index step) {
    const matrix<float>& logits = net.forward(canvases, true);
    gradient_.resizeLike(logits);
    const double loss = hone::evaluate(cpu_, hone::cross_entropy(hone::classes(labels)),  // hone
                                       hone::matrix_view{logits.data(), logits.rows(), logits.cols()},
                                       {.gradient = {gradient_.data(), gradient_.rows(), gradient_.cols()}});
    net.backward(gradient_);
    velocity_ = momentum * velocity_ + net.gradient + decay * net.parameters;
    net.parameters -= static_cast<float>(schedule_.rate(step)) * share_.cwiseProduct(velocity_);  // hone
    return loss;
  }

 private:
  const hone::cpu cpu_{1};
  const hone::warmup_cosine schedule_;
  Eigen::VectorXf velocity_, share_;
  matrix<float> gradient_;
};

void measure(network<float>& net, const demo::image_set& items, outcome& to) {
  matrix<float> canvases;
  std::vector<int> labels;
  double wrong = 0, offsets = 0;
  const std::vector<std::uint32_t> order = demo::in_order(items.size());
  demo::each_batch(order, 250, [&](auto part) {
    draw_all(items, part, test_seed, canvases, labels);
    const matrix<float>& logits = net.forward(canvases, false);
    Eigen::Index top = 0;
    for (Eigen::Index i = 0; i < logits.rows(); ++i) {
      logits.row(i).maxCoeff(&top);
      wrong += top != labels[static_cast<std::size_t>(i)] ? 1 : 0;
    }
    offsets += net.mean_offset() * static_cast<double>(part.size());
    return true;
  });
  to.error = wrong / static_cast<double>(items.size());
  to.mean_offset = offsets / static_cast<double>(items.size());
}

}  // namespace

std::optional<outcome> train(bool with_offsets, std::uint64_t seed, const plan& plan, const demo::dataset& items,
                             const std::function<void(int, double)>& told) {
  const double start = core_seconds();
  const auto batch = static_cast<std::size_t>(plan.batch), count = items.train.size();
  const auto per_epoch = static_cast<hone::index>((count + batch - 1) / batch);
  trainer trainer(with_offsets, seed, plan, per_epoch * plan.epochs);
  outcome made{.with_offsets = with_offsets, .seed = seed};
  matrix<float> canvases;
  std::vector<int> labels;
  hone::index step = 0;
  for (int epoch = 1; epoch <= plan.epochs; ++epoch) {
    const std::uint64_t drawn = seed * 1'000'003 + static_cast<std::uint64_t>(epoch);
    std::vector<std::uint32_t> order = demo::in_order(count);
    std::mt19937_64 random(drawn);
    demo::shuffle(order, random);
    double sum = 0;
    const bool whole = demo::each_batch(order, batch, [&](auto part) {
      draw_all(items.train, part, drawn, canvases, labels);
      sum += trainer.step(canvases, labels, step++) * static_cast<double>(part.size());
      return !demo::interrupted();
    });
    if (!whole) return std::nullopt;
    made.loss.push_back(sum / static_cast<double>(count));
    told(epoch, made.loss.back());
  }
  made.seconds = core_seconds() - start;
  measure(trainer.net, items.test, made);
  return made;
}

}  // namespace deformable
