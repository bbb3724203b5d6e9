// SPDX-License-Identifier: MIT
/// What both recipes of the example share: the network, the images and the batches.
#pragma once

#include <dlib/dnn.h>

#include <cstddef>
#include <functional>
#include <vector>

namespace example {

using image = dlib::matrix<unsigned char>;

template <long Filters, class Subnet>
using convolved = dlib::max_pool<2, 2, 2, 2, dlib::relu<dlib::con<Filters, 5, 5, 1, 1, Subnet>>>;
template <unsigned long Outputs, class Subnet>
using connected = dlib::relu<dlib::fc<Outputs, Subnet>>;
/// LeNet without its loss.
using lenet = dlib::fc<10, connected<84, connected<120, convolved<16, convolved<6, dlib::input<image>>>>>>;

struct images {
  std::vector<image> pixels;
  std::vector<unsigned long> labels;
};

struct plan {
  int epochs = 4;
  std::size_t batch = 128;
  double rate = 0.05;
  unsigned seed = 1;

  std::size_t steps_per_epoch(images const& train) const { return train.labels.size() / batch; }
  std::size_t steps(images const& train) const { return static_cast<std::size_t>(epochs) * steps_per_epoch(train); }
};

struct result {
  double accuracy = 0, seconds_per_step = 0;
};

/// Images, labels and the number of a step.
using training_step = std::function<void(std::vector<image> const&, std::vector<unsigned long> const&, std::size_t)>;

/// Calls step for shuffled batches, and returns the seconds per step.
double each_step(plan const& plan, images const& train, training_step const& step);

/// The share of images whose class a net finds.
template <class Net>
double accuracy(Net& net, images const& test) {
  const std::vector<unsigned long> found = net(test.pixels, 256);
  std::size_t right = 0;
  for (std::size_t i = 0; i < found.size(); ++i) right += found[i] == test.labels[i];
  return static_cast<double>(right) / static_cast<double>(found.size());
}

result train_plain(plan const& plan, images const& train, images const& test);
result train_refined(plan const& plan, images const& train, images const& test);

}  // namespace example
