// SPDX-License-Identifier: MIT
/// The same training with smoothed labels, clipped gradients, a schedule and an average of the weights.
#include "training.hpp"

#include <hone/adapt/dlib.hpp>
#include <hone/hone.hpp>

#include <optional>

namespace example {

// [refined]
using net_type = dlib::add_loss_layer<hone::adapt::dlib_loss<hone::adapt::dlib_smoothed>, lenet>;

result train_refined(plan const& plan, images const& train, images const& test) {
  net_type net;
  std::vector<dlib::sgd> solvers(net_type::num_computational_layers, dlib::sgd(5e-4f, 0.9f));
  dlib::resizable_tensor x;
  const hone::cpu cpu(1);
  const hone::warmup_cosine schedule{.peak = plan.rate, .warmup = plan.steps(train) / 20, .total = plan.steps(train)};
  const hone::ema average{.decay = 0.99};
  std::optional<hone::ema_state<float>> shadow;
  const auto step = [&](std::vector<image> const& batch, std::vector<unsigned long> const& labels, std::size_t number) {
    net.to_tensor(batch.begin(), batch.end(), x);
    net.compute_parameter_gradients(x, labels.begin());
    if (!shadow) shadow.emplace(hone::adapt::parameters(net));  // there are none before the first forward pass
    hone::transform(cpu, hone::clip_by_global_norm(5), hone::adapt::gradients(net));
    net.update_parameters(solvers, schedule.rate(number));
    hone::update(cpu, average, *shadow, hone::adapt::parameters(net));
  };
  const double seconds = each_step(plan, train, step);
  hone::swap(cpu, *shadow, hone::adapt::parameters(net));  // swap again to train on
  return {accuracy(net, test), seconds};
}
// [/refined]

}  // namespace example
