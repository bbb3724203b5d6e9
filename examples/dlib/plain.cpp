// SPDX-License-Identifier: MIT
/// Training as dlib has it.
#include "training.hpp"

namespace example {

// [plain]
using net_type = dlib::loss_multiclass_log<lenet>;

result train_plain(plan const& plan, images const& train, images const& test) {
  net_type net;
  std::vector<dlib::sgd> solvers(net_type::num_computational_layers, dlib::sgd(5e-4f, 0.9f));
  dlib::resizable_tensor x;
  const auto step = [&](std::vector<image> const& batch, std::vector<unsigned long> const& labels, std::size_t) {
    net.to_tensor(batch.begin(), batch.end(), x);
    net.compute_parameter_gradients(x, labels.begin());
    net.update_parameters(solvers, plan.rate);
  };
  const double seconds = each_step(plan, train, step);
  return {accuracy(net, test), seconds};
}
// [/plain]

}  // namespace example
