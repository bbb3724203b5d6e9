// SPDX-License-Identifier: MIT
// What docs/dlib.md shows.
#include "nets.hpp"

#include <doctest/doctest.h>

#include <cstdint>

namespace {

using nets::images;
using nets::labels;

template <class Subnet>
using body = nets::classifier<Subnet>;
using input_layer = nets::input;

// [loss]
struct smoothed {
  auto objective(std::vector<unsigned long> const& y) const {
    return hone::cross_entropy(hone::smooth(hone::classes(y), 0.1)) + hone::z_loss(1e-4);
  }
};
template <class Subnet>
using loss_smoothed = dlib::add_loss_layer<hone::adapt::dlib_loss<smoothed>, Subnet>;

using net_type = loss_smoothed<body<input_layer>>;
// [/loss]

// [boxes]
struct overlap {
  auto objective(hone::matrix_view<const float> boxes) const { return hone::ciou_loss(boxes, hone::centers); }
};
using box_net = dlib::add_loss_layer<hone::adapt::dlib_box_loss<overlap>, dlib::fc<4, input_layer>>;
// [/boxes]

// [pixels]
struct pixels {
  auto objective(std::vector<std::uint16_t> const& y) const {
    const auto target = hone::classes(y, {.ignore = 65535});
    return hone::cross_entropy(target) + hone::dice_loss(target);
  }
};
// [/pixels]

const std::vector<nets::image> data = images(6);
const hone::cpu cpu;

TEST_CASE("the page: dnn_trainer") {
  const int epochs = 3;
  net_type net;
  net(data[0]);
  {
    // [trainer]
    using solver = hone::adapt::clipped<dlib::sgd>;
    dlib::dnn_trainer<net_type, solver> trainer(net, solver(net, hone::clip_by_global_norm(5), dlib::sgd(5e-4f, 0.9f)));
    const hone::cosine schedule{.peak = 0.1, .floor = 1e-4, .total = epochs};
    for (int step = 0; step < epochs; ++step) {
      hone::adapt::set_rate(trainer, schedule.rate(step));
      trainer.train_one_step(data, labels);
    }
    trainer.get_net();  // waits for the trainer's thread
    // [/trainer]
  }
  hone::ema_state<float> shadow(hone::adapt::parameters(net));
  dlib::dnn_trainer<net_type> trainer(net);
  const hone::ema average{.decay = 0.9};
  // [average]
  trainer.train_one_step(data, labels);
  hone::update(cpu, average, shadow, hone::adapt::parameters(trainer.get_net(dlib::force_flush_to_disk::no)));
  // [/average]
  CHECK(shadow.steps() == 1);
}

TEST_CASE("the page: mixing") {
  using mixed_net = dlib::add_loss_layer<hone::adapt::dlib_loss<hone::adapt::dlib_mixed>, body<input_layer>>;
  mixed_net net;
  std::vector<dlib::sgd> solvers(mixed_net::num_computational_layers);
  dlib::resizable_tensor x;
  const hone::integer seed = 1, step = 0;
  // [mixing]
  net.to_tensor(data.begin(), data.end(), x);
  const auto draw = hone::mixup{.alpha = 0.2}.draw(seed, step, x.num_samples());
  hone::blend(cpu, draw, hone::adapt::rows_of(x), hone::adapt::rows_of(x));
  double loss = net.compute_parameter_gradients(x, hone::adapt::mixed(labels, draw).begin());
  // [/mixing]
  CHECK(loss > 0);
}

TEST_CASE("the page: a teacher") {
  dlib::loss_multiclass_log<body<input_layer>> teacher;
  dlib::resizable_tensor x;
  teacher.to_tensor(data.begin(), data.end(), x);
  // [teacher]
  const auto logits = hone::adapt::rows_of(teacher.forward(x));
  std::vector<hone::adapt::taught_label> y;
  for (hone::index i = 0; i < logits.rows; ++i)
    y.push_back({labels[std::size_t(i)], {logits.row(i), logits.row(i) + logits.columns}});
  // [/teacher]
  dlib::add_loss_layer<hone::adapt::dlib_loss<hone::adapt::dlib_taught>, body<input_layer>> net;
  net.to_tensor(data.begin(), data.end(), x);
  CHECK(net.compute_parameter_gradients(x, y.begin()) > 0);
}

TEST_CASE("the page: adaptive clipping, boxes and pixels") {
  net_type net;
  dlib::resizable_tensor x;
  net.to_tensor(data.begin(), data.end(), x);
  net.compute_parameter_gradients(x, labels.begin());
  // [adaptive]
  hone::adapt::adaptive_clip(cpu, net, {.clipping = 0.01, .excluded = {0, 1}});  // not the last fc
  // [/adaptive]
  CHECK(hone::adapt::gradients(net).size() == 4);

  box_net boxes;
  const std::vector<hone::adapt::box_label> y(6, {0, 0, 1, 2});
  boxes.to_tensor(data.begin(), data.end(), x);
  CHECK(boxes.compute_loss(x, y.begin()) > 0);

  nets::pixel_net<pixels> segmenter;
  const std::vector<dlib::matrix<std::uint16_t>> maps(
      6, dlib::matrix<std::uint16_t>(dlib::zeros_matrix<std::uint16_t>(5, 7)));
  segmenter.to_tensor(data.begin(), data.end(), x);
  CHECK(segmenter.compute_loss(x, maps.begin()) > 0);
}

}  // namespace
