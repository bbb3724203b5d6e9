// SPDX-License-Identifier: MIT
#include "nets.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace {

using nets::labels;
using support::message;
using net_type = nets::class_net<nets::plain>;

TEST_CASE("the lists have weights and biases apart, from the loss on") {
  net_type net;
  const auto x = nets::tensor_of(net, nets::images(6));
  CHECK(message([&] { hone::adapt::parameters(net); }) ==
        "parameters: the net has no parameters yet, dlib makes them in the first forward pass");
  net.compute_loss(x, labels.begin());
  CHECK(message([&] { hone::adapt::gradients(net); }) ==
        "gradients: computational layer 0 of the net has 423 parameters and 0 gradients, call "
        "net.compute_parameter_gradients(...) first");
  net.compute_parameter_gradients(x, labels.begin());
  const auto parameters = hone::adapt::parameters(net), gradients = hone::adapt::gradients(net);
  REQUIRE(parameters.size() == 4);
  CHECK(parameters[0].size == 140 * 3);
  CHECK(parameters[0].rows == 1);  // inputs x outputs: not rows of an output
  CHECK(parameters[1].size == 3);
  CHECK((parameters[2].rows == 4 && parameters[2].columns == 9));
  CHECK(parameters[3].size == 4);
  auto& fc = dlib::layer<1>(net).layer_details();
  CHECK(parameters[1].data == fc.get_biases().host());
  CHECK(parameters[0].data == fc.get_weights().host());
  for (std::size_t i = 0; i < 4; ++i) CHECK(gradients[i].size == parameters[i].size);
  CHECK(gradients[0].data == dlib::layer<1>(net).get_parameter_gradient().host());
  CHECK(gradients[2].data == dlib::layer<3>(net).get_parameter_gradient().host());
}

TEST_CASE("layers that do not learn are not in the lists: dlib leaves their gradients as memory was") {
  net_type net;
  const auto x = nets::tensor_of(net, nets::images(6));
  net.compute_parameter_gradients(x, labels.begin());
  auto& frozen = dlib::layer<3>(net);
  frozen.layer_details().set_learning_rate_multiplier(0);
  frozen.get_parameter_gradient() = std::numeric_limits<float>::quiet_NaN();
  net.compute_parameter_gradients(x, labels.begin());
  CHECK(std::isnan(frozen.get_parameter_gradient().host()[0]));  // not written
  CHECK(hone::adapt::parameters(net).size() == 2);
  const auto report = hone::transform(hone::cpu(), hone::clip_by_global_norm(1e-3), hone::adapt::gradients(net));
  CHECK(report.finite);
  CHECK(report.coefficient < 1);
}

TEST_CASE("gamma and beta, no bias, transposed convolutions and repeated layers") {
  using two = dlib::loss_multiclass_log<
      dlib::fc_no_bias<3, dlib::bn_fc<dlib::fc<5, dlib::cont<2, 3, 3, 2, 2, dlib::layer_norm<nets::input>>>>>>;
  two net;
  const auto x = nets::tensor_of(net, nets::images(6));
  net.compute_parameter_gradients(x, labels.begin());
  const auto parameters = hone::adapt::parameters(net);
  REQUIRE(parameters.size() == 9);
  CHECK(parameters[0].size == 15);
  CHECK((parameters[1].size == 5 && parameters[2].size == 5));
  CHECK(parameters[1].data[0] == 1);  // gamma
  CHECK(parameters[2].data[0] == 0);  // beta
  CHECK(parameters[6].size == 2);     // the bias of cont
  CHECK(parameters[7].size == parameters[8].size);
}

template <class Subnet>
using pair_of_layers = dlib::relu<dlib::fc<4, Subnet>>;

TEST_CASE("every copy of a repeated layer is in the lists") {
  using net = dlib::loss_multiclass_log<dlib::fc<3, dlib::repeat<2, pair_of_layers, dlib::fc<6, nets::input>>>>;
  net n;
  const auto x = nets::tensor_of(n, nets::images(6));
  n.compute_parameter_gradients(x, labels.begin());
  const auto gradients = hone::adapt::gradients(n);
  REQUIRE(gradients.size() == 8);
  CHECK(gradients[2].data != gradients[4].data);
  CHECK((gradients[2].size == 16 && gradients[4].size == 24 && gradients[6].size == 35 * 6));
}

TEST_CASE("tensors are rows of samples or images of channels") {
  dlib::resizable_tensor t(2, 3, 4, 5);
  const auto rows = hone::adapt::rows_of(t);
  CHECK((rows.rows == 2 && rows.columns == 60 && rows.data == t.host()));
  const auto pixels = hone::adapt::pixels_of(t);
  CHECK((pixels.images == 2 && pixels.channels == 3 && pixels.pixels == 20));
  dlib::tensor const& read = t;
  static_assert(std::is_same_v<decltype(hone::adapt::rows_of(read)), hone::matrix_view<const float>>);
  const dlib::alias_tensor second(1, 3, 4, 5);
  CHECK(hone::adapt::rows_of(second(t, 60)).data == t.host() + 60);
  const dlib::resizable_tensor none;
  CHECK(hone::adapt::rows_of(none).columns == 0);
}

TEST_CASE("mixup and cutmix blend a tensor of images in place") {
  net_type net;
  auto x = nets::tensor_of(net, nets::images(6));
  const dlib::resizable_tensor before = x;
  const auto draw = hone::mixup{.alpha = 1}.draw(3, 0, 6);
  const auto rows = hone::adapt::rows_of(x);
  hone::blend(hone::cpu(), draw, rows, rows);
  const std::size_t size = 35;
  for (std::size_t i = 0; i < 6; ++i)
    for (std::size_t k = 0; k < size; ++k) {
      const float lambda = draw.lambda[i], other = before.host()[std::size_t(draw.partner[i]) * size + k];
      CHECK(x.host()[i * size + k] ==
            doctest::Approx(double(lambda * before.host()[i * size + k] + (1 - lambda) * other)).epsilon(1e-5));
    }
}

}  // namespace
