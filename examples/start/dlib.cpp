// SPDX-License-Identifier: MIT
// What docs/dlib.md begins with.
// [program]
#include <dlib/dnn.h>
#include <hone/adapt/dlib.hpp>
#include <hone/hone.hpp>

#include <cstdio>
#include <vector>

using image = dlib::matrix<float>;
template <class Subnet>
using smoothed = dlib::add_loss_layer<hone::adapt::dlib_loss<hone::adapt::dlib_smoothed>, Subnet>;

int main() {
  std::vector<image> data;
  std::vector<unsigned long> labels;
  for (unsigned i = 0; i < 80; ++i) {  // 80 samples of 10 classes
    labels.push_back(i % 10);
    data.push_back(dlib::zeros_matrix<float>(10, 1));
    data.back()(i % 10) = 1;
  }
  using net_type = smoothed<dlib::fc<10, dlib::input<image>>>;  // smoothed in place of loss_multiclass_log
  net_type net;
  std::vector<dlib::sgd> solvers(net_type::num_computational_layers, dlib::sgd(0, 0));
  dlib::resizable_tensor x;
  net.to_tensor(data.begin(), data.end(), x);
  const hone::warmup_cosine rate{.peak = 10, .warmup = 5, .total = 50};
  double loss = 0;
  for (int step = 0; step < 50; ++step) {
    loss = net.compute_parameter_gradients(x, labels.begin());
    hone::transform(hone::cpu(1), hone::clip_by_global_norm(1), hone::adapt::gradients(net));
    net.update_parameters(solvers, rate.rate(step));
  }
  std::printf("loss after 50 steps: %.2f\n", loss);
}
// [/program]
