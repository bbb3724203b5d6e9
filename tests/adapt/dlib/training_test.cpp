// SPDX-License-Identifier: MIT
#include "nets.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <limits>
#include <thread>

namespace {

using nets::labels;
using nets::numbers_of;
using support::message;
using net_type = nets::class_net<nets::plain>;
using solver = hone::adapt::clipped<dlib::sgd>;
const hone::cpu cpu;

/// A net whose parameters are there.
net_type new_net() {
  net_type net;
  net.forward(nets::tensor_of(net, nets::images(6)));
  return net;
}

/// dlib's thread stops the trainer before it notes its error, so that a call of get_net in between returns without it.
template <class Trainer>
void wait_for_error(Trainer& trainer) {
  for (int tries = 0; tries < 10000; ++tries) {
    trainer.get_net(dlib::force_flush_to_disk::no);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST_CASE("clipping inside dnn_trainer is that of a loop of one's own, bit by bit") {
  const auto images = nets::images(6);
  net_type by_hand = new_net(), trained = by_hand, unclipped = by_hand;
  const auto x = nets::tensor_of(by_hand, images);
  const auto clip = hone::clip_by_global_norm(0.05);

  std::vector<dlib::sgd> solvers(net_type::num_computational_layers, dlib::sgd(5e-4F, 0.9F));
  for (int step = 0; step < 5; ++step) {
    by_hand.compute_parameter_gradients(x, labels.begin());
    CHECK(hone::transform(cpu, clip, hone::adapt::gradients(by_hand)).coefficient < 1);
    by_hand.update_parameters(solvers, 0.1);
  }
  {
    dlib::dnn_trainer<net_type, solver> trainer(trained, solver(trained, clip, dlib::sgd(5e-4F, 0.9F)));
    trainer.set_learning_rate(0.1);
    for (int step = 0; step < 5; ++step) trainer.train_one_step(images, labels);
    trainer.get_net(dlib::force_flush_to_disk::no);
  }
  {
    dlib::dnn_trainer<net_type> trainer(unclipped, dlib::sgd(5e-4F, 0.9F));
    trainer.set_learning_rate(0.1);
    for (int step = 0; step < 5; ++step) trainer.train_one_step(images, labels);
    trainer.get_net(dlib::force_flush_to_disk::no);
  }
  const auto expected = numbers_of(hone::adapt::parameters(by_hand));
  CHECK(numbers_of(hone::adapt::parameters(trained)) == expected);
  CHECK(numbers_of(hone::adapt::parameters(unclipped)) != expected);
}

TEST_CASE("a clipping solver works where only one layer learns") {
  net_type net = new_net();
  dlib::layer<3>(net).layer_details().set_learning_rate_multiplier(0);
  int calls = 0;
  dlib::dnn_trainer<net_type, solver> trainer(net, solver(net, [&calls](net_type&) { ++calls; }));
  for (int step = 0; step < 4; ++step) trainer.train_one_step(nets::images(6), labels);
  trainer.get_net(dlib::force_flush_to_disk::no);
  CHECK(calls == 4);
}

TEST_CASE("a solver without its net is an error of the trainer, not a silent step without clipping") {
  net_type net = new_net(), other = net;
  const auto error_in_training = [&](solver const& s) {
    return message([&] {
      dlib::dnn_trainer<net_type, solver> trainer(net, s);
      trainer.train_one_step(nets::images(6), labels);
      wait_for_error(trainer);
    });
  };
  CHECK(error_in_training(solver()) == "clipped: the solver has no net, construct it with one and a step");
  CHECK(error_in_training(solver(other, hone::clip_by_global_norm(1))) ==
        "clipped: the gradient is not of the solver's net: the trainer has several devices");
}

TEST_CASE("a label that is no class leaves a later call of the trainer") {
  net_type net = new_net();
  CHECK(message([&] {
          dlib::dnn_trainer<net_type> trainer(net);
          trainer.train_one_step(nets::images(2), std::vector<unsigned long>{0, 7});
          wait_for_error(trainer);
        }) == "evaluate: the label of row 1 is 7, must be in [0, 3)");
}

TEST_CASE("a trainer with a clipping solver goes on from its file, and still clips") {
  const std::string file = (std::filesystem::temp_directory_path() / "hone_dlib_sync").string();
  const auto remove = [&] { std::filesystem::remove(file), std::filesystem::remove(file + "_"); };
  remove();
  net_type net = new_net();
  const net_type start = net;
  int calls = 0;
  const auto count = [&calls](net_type&) { ++calls; };
  const auto train = [&](net_type& n, int steps) {
    dlib::dnn_trainer<net_type, solver> trainer(n, solver(n, count, dlib::sgd(0, 0.5F)));
    trainer.set_learning_rate(0.1);
    trainer.set_synchronization_file(file);
    for (int step = 0; step < steps; ++step) trainer.train_one_step(nets::images(6), labels);
    trainer.get_net();  // writes the file
  };
  train(net, 3);
  net_type again = start;
  train(again, 2);  // reads it: 3 steps with their momentum, and 2 more
  CHECK(calls == 5);
  remove();
  net_type whole = start;
  train(whole, 5);
  CHECK(numbers_of(hone::adapt::parameters(again)) == numbers_of(hone::adapt::parameters(whole)));
  remove();
}

TEST_CASE("adaptive clipping has the units of dlib's layers") {
  net_type net = new_net();
  const auto x = nets::tensor_of(net, nets::images(6));
  net.compute_parameter_gradients(x, labels.begin());
  const auto parameters = hone::adapt::parameters(net), gradients = hone::adapt::gradients(net);
  const auto before = numbers_of(gradients);
  const double limit = 0.02, least = 1e-3;
  auto expected = before;
  const auto clip = [&](std::size_t first, float const* w, std::size_t count, std::size_t stride) {
    double ww = 0, gg = 0;
    for (std::size_t i = 0; i < count; ++i) {
      ww += double(w[i * stride]) * double(w[i * stride]);
      gg += double(before[first + i * stride]) * double(before[first + i * stride]);
    }
    const double factor = std::min(1.0, limit * std::max(std::sqrt(ww), least) / std::sqrt(gg));
    for (std::size_t i = 0; i < count; ++i)
      expected[first + i * stride] = float(double(before[first + i * stride]) * factor);
  };
  for (std::size_t output = 0; output < 3; ++output) clip(output, parameters[0].data + output, 140, 3);
  clip(420, parameters[1].data, 3, 1);
  for (std::size_t filter = 0; filter < 4; ++filter) clip(423 + filter * 9, parameters[2].data + filter * 9, 9, 1);
  clip(459, parameters[3].data, 4, 1);
  auto kept = net;  // for the exclusion below
  const auto report = hone::adapt::adaptive_clip(cpu, net, {.clipping = limit, .epsilon = least});
  CHECK(report.finite);
  const auto found = numbers_of(hone::adapt::gradients(net));
  double most = 0;
  for (std::size_t i = 0; i < found.size(); ++i)
    most = std::max(most, std::abs(double(found[i]) - double(expected[i])) / (1e-12 + std::abs(double(expected[i]))));
  CHECK(most < 1e-5);
  CHECK(found != before);

  hone::adapt::adaptive_clip(cpu, kept, {.clipping = limit, .epsilon = least, .excluded = {0, 1}});
  const auto partly = numbers_of(hone::adapt::gradients(kept));
  CHECK(std::equal(before.begin(), before.begin() + 423, partly.begin()));
  CHECK(std::equal(found.begin() + 423, found.end(), partly.begin() + 423));

  dlib::layer<1>(net).get_parameter_gradient().host()[7] = std::numeric_limits<float>::infinity();
  const auto stuck = numbers_of(hone::adapt::gradients(net));
  CHECK_FALSE(hone::adapt::adaptive_clip(cpu, net, {.clipping = limit}).finite);
  CHECK(numbers_of(hone::adapt::gradients(net)) == stuck);
}

TEST_CASE("an average of a net is swapped in for evaluation and out again") {
  net_type net = new_net();
  const auto x = nets::tensor_of(net, nets::images(6));
  hone::ema_state<float> shadow(hone::adapt::parameters(net));
  const hone::ema average{.decay = 0.5};
  const auto first = numbers_of(hone::adapt::parameters(net));
  std::vector<dlib::sgd> solvers(net_type::num_computational_layers, dlib::sgd(0, 0));
  net.compute_parameter_gradients(x, labels.begin());
  net.update_parameters(solvers, 1);
  hone::update(cpu, average, shadow, hone::adapt::parameters(net));
  const auto second = numbers_of(hone::adapt::parameters(net));
  const double live = net.compute_loss(x, labels.begin());
  hone::swap(cpu, shadow, hone::adapt::parameters(net));
  const auto averaged = numbers_of(hone::adapt::parameters(net));
  for (std::size_t i = 0; i < first.size(); ++i)
    CHECK(averaged[i] == doctest::Approx(0.5 * double(first[i]) + 0.5 * double(second[i])).epsilon(1e-5));
  CHECK(net.compute_loss(x, labels.begin()) != live);
  hone::swap(cpu, shadow, hone::adapt::parameters(net));
  CHECK(net.compute_loss(x, labels.begin()) == live);
}

/// A solver that notes the rates of its steps of the last layer.
struct recorder {
  std::vector<float>* used = nullptr;
  dlib::sgd inner = dlib::sgd(0, 0);

  template <class Layer>
  dlib::tensor const& operator()(float rate, Layer const& layer, dlib::tensor const& gradient) {
    if (gradient.size() > 400) used->push_back(rate);
    return inner(rate, layer, gradient);
  }
  friend void serialize(recorder const&, std::ostream&) {}
  friend void deserialize(recorder&, std::istream&) {}
};

TEST_CASE("rates: set_rate is exact, where dlib's own schedule is a step late") {
  const std::vector<float> rates = {0.5F, 0.25F, 0.125F, 0.0625F};
  std::vector<float> used;
  net_type net = new_net();
  {
    dlib::dnn_trainer<net_type, recorder> trainer(net, recorder{&used});
    for (const float rate : rates) {
      hone::adapt::set_rate(trainer, double(rate));
      trainer.train_one_step(nets::images(6), labels);
    }
    trainer.get_net(dlib::force_flush_to_disk::no);
    CHECK(message([&] { hone::adapt::set_rate(trainer, 0); }) == "set_rate: rate is 0, must be finite and positive");
  }
  CHECK(used == rates);
  used.clear();
  {
    dlib::dnn_trainer<net_type, recorder> trainer(net, recorder{&used});
    dlib::matrix<double, 0, 1> schedule(4);
    schedule = 0.5, 0.25, 0.125, 0.0625;
    trainer.set_learning_rate_schedule(schedule);
    for (int step = 0; step < 4; ++step) trainer.train_one_step(nets::images(6), labels);
    trainer.get_net(dlib::force_flush_to_disk::no);
  }
  CHECK(used == std::vector<float>{0.5F, 0.5F, 0.25F, 0.125F});
}

}  // namespace
