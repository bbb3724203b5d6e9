// SPDX-License-Identifier: MIT
#include "nets.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <sstream>

namespace {

using nets::labels;
using support::message;

struct near_box {
  static auto objective(hone::matrix_view<const float> boxes) { return hone::giou_loss(boxes, hone::centers); }
};
using box_net = dlib::add_loss_layer<hone::adapt::dlib_box_loss<near_box>, dlib::fc<4, nets::input>>;

/// The largest difference of the numbers of two tensors.
double apart(dlib::tensor const& a, dlib::tensor const& b) {
  REQUIRE(a.size() == b.size());
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, double(std::abs(a.host()[i] - b.host()[i])));
  return most;
}

std::vector<dlib::matrix<std::uint16_t>> pixel_labels(std::size_t ignored) {
  std::vector<dlib::matrix<std::uint16_t>> all;
  std::size_t k = 0;
  for (int i = 0; i < 4; ++i) {
    dlib::matrix<std::uint16_t> y(5, 7);
    for (auto& label : y) label = k++ < ignored ? std::uint16_t(65535) : std::uint16_t(k % 3);
    all.push_back(y);
  }
  return all;
}

TEST_CASE("plain cross-entropy has the value, the gradient and the labels of dlib's loss") {
  dlib::loss_multiclass_log<nets::classifier<nets::input>> theirs;
  nets::class_net<nets::plain> ours;
  const auto x = nets::tensor_of(theirs, nets::images(6));
  const double their_loss = theirs.compute_loss(x, labels.begin());
  ours.subnet() = theirs.subnet();
  const double our_loss = ours.compute_loss(x, labels.begin());
  CHECK(our_loss == doctest::Approx(their_loss).epsilon(1e-6));
  CHECK(apart(ours.subnet().get_gradient_input(), theirs.subnet().get_gradient_input()) < 1e-7);
  CHECK(ours(nets::images(6)) == theirs(nets::images(6)));
}

TEST_CASE("losses of pixels are those of dlib where no pixel is ignored, and means over the others where some are") {
  dlib::loss_multiclass_log_per_pixel<nets::segmenter<nets::input>> theirs;
  nets::pixel_net<nets::plain> ours;
  const auto x = nets::tensor_of(theirs, nets::images(4));
  theirs.forward(x);
  ours.subnet() = theirs.subnet();
  for (const std::size_t ignored : {0U, 40U}) {
    const auto y = pixel_labels(ignored);
    const double pixels = 4 * 5 * 7, counted = pixels - double(ignored);
    const double their_loss = theirs.compute_loss(x, y.begin()), our_loss = ours.compute_loss(x, y.begin());
    CHECK(our_loss == doctest::Approx(their_loss * pixels / counted).epsilon(1e-6));
    dlib::resizable_tensor scaled = theirs.subnet().get_gradient_input();
    for (auto& g : scaled) g *= float(pixels / counted);
    CHECK(apart(ours.subnet().get_gradient_input(), scaled) < 1e-7);
  }
  const auto found = ours(nets::images(2)), expected = theirs(nets::images(2));
  CHECK(found[1] == expected[1]);
  std::vector<dlib::matrix<std::uint16_t>> small(4, dlib::matrix<std::uint16_t>(5, 6));
  CHECK(message([&] { ours.compute_loss(x, small.begin()); }) ==
        "dlib_pixel_loss: the label of sample 0 is 5 x 6, the output of the net is 5 x 7");
}

TEST_CASE("smoothing, focal loss, mixing and a teacher are those of a plain loop") {
  const auto x = nets::images(6);
  nets::class_net<hone::adapt::dlib_smoothed> net(hone::adapt::dlib_smoothed{.epsilon = 0.25});
  const auto t = nets::tensor_of(net, x);
  const double smoothed = net.compute_loss(t, labels.begin());
  dlib::tensor const& z = net.subnet().get_output();
  std::vector<std::vector<double>> log_p(6, std::vector<double>(3));
  for (std::size_t i = 0; i < 6; ++i) {
    double all = 0;
    for (std::size_t k = 0; k < 3; ++k) all += std::exp(double(z.host()[i * 3 + k]));
    for (std::size_t k = 0; k < 3; ++k) log_p[i][k] = double(z.host()[i * 3 + k]) - std::log(all);
  }
  const auto log_of = [&](std::size_t i, unsigned long label) { return log_p[i][label]; };
  double smooth = 0, focal = 0, mixed = 0, taught = 0;
  std::vector<hone::adapt::mixed_label> mixed_y;
  std::vector<hone::adapt::taught_label> taught_y;
  for (std::size_t i = 0; i < 6; ++i) {
    const double l = log_of(i, labels[i]), p = std::exp(l), third = (log_p[i][0] + log_p[i][1] + log_p[i][2]) / 3;
    smooth -= (0.75 * l + 0.25 * third) / 6;
    focal -= std::pow(1 - p, 1.5) * l / 6;
    mixed -= (0.25 * l + 0.75 * log_of(i, labels[5 - i])) / 6;
    mixed_y.push_back({labels[i], labels[5 - i], 0.25F});
    // Equal logits of the teacher: KL(1/3 || p) at temperature 1.
    taught += (0.5 * -l + 0.5 * (-std::log(3.0) - third)) / 6;
    taught_y.push_back({labels[i], {1, 1, 1}});
  }
  CHECK(smoothed == doctest::Approx(smooth).epsilon(1e-6));
  const auto loss_by = [&]<class Factory>(Factory factory, auto const& y) {
    nets::class_net<Factory> other(factory);
    other.subnet() = net.subnet();
    return other.compute_loss(t, y.begin());
  };
  CHECK(loss_by(hone::adapt::dlib_focal{.gamma = 1.5}, labels) == doctest::Approx(focal).epsilon(1e-6));
  CHECK(loss_by(hone::adapt::dlib_mixed{.epsilon = 0}, mixed_y) == doctest::Approx(mixed).epsilon(1e-6));
  CHECK(loss_by(hone::adapt::dlib_taught{.temperature = 1, .share = 0.5}, taught_y) ==
        doctest::Approx(taught).epsilon(1e-6));
  taught_y[4].logits.pop_back();
  CHECK(message([&] { loss_by(hone::adapt::dlib_taught{}, taught_y); }) ==
        "dlib_loss: the teacher's logits of sample 4 are 2 numbers, those of sample 0 are 3");
}

TEST_CASE("a draw of mixup gives the labels of its samples") {
  const auto draw = hone::mixup{.alpha = 0.4}.draw(1, 0, 6);
  const auto y = hone::adapt::mixed(labels, draw);
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(y[i].label == labels[i]);
    CHECK(y[i].partner == labels[std::size_t(draw.partner[i])]);
    CHECK(y[i].lambda == draw.lambda[i]);
  }
  CHECK(message([&] { hone::adapt::mixed({1, 2}, draw); }) == "mixed: 2 labels, the draw has 6 samples");
}

TEST_CASE("a label that is no class is an error, where dlib's loss is silent") {
  const std::vector<unsigned long> wrong = {2, 0, std::numeric_limits<unsigned long>::max(), 2, 1, 1};
  const std::vector<unsigned long> large = {2, 3, 0, 0, 0, 0};
  dlib::loss_multiclass_log<nets::classifier<nets::input>> theirs;
  nets::class_net<nets::plain> ours;
  const auto x = nets::tensor_of(theirs, nets::images(6));
  CHECK(theirs.compute_loss(x, wrong.begin()) > 0);  // -1 is below K
  ours.subnet() = theirs.subnet();
  CHECK(message([&] { ours.compute_loss(x, wrong.begin()); }) ==
        "evaluate: the label of row 2 is -1, must be in [0, 3)");
  CHECK(message([&] { ours.compute_loss(x, large.begin()); }) ==
        "evaluate: the label of row 1 is 3, must be in [0, 3)");
}

TEST_CASE("an output that has pixels is no row of classes") {
  using net_type = dlib::add_loss_layer<hone::adapt::dlib_loss<nets::plain>, nets::segmenter<nets::input>>;
  net_type net;
  const auto x = nets::tensor_of(net, nets::images(6));
  CHECK(message([&] { net.compute_loss(x, labels.begin()); }) ==
        "dlib_loss: the output of the net is 6 x 3 x 5 x 7, must be N x K x 1 x 1");
}

TEST_CASE("boxes: the value of giou_loss, its gradient by centres and logarithms of sides") {
  box_net net;
  const auto x = nets::tensor_of(net, nets::images(2));
  std::vector<hone::adapt::box_label> y = {{0, 0, 1, 2}, {-1, 0.5F, 2, 3}};
  const double loss = net.compute_loss(x, y.begin());
  const std::vector<float> labels_as_centers = {0.5F, 1, 1, 2, 0.5F, 1.75F, 3, 2.5F};
  const hone::matrix_view<const float> targets(labels_as_centers.data(), 2, 4);
  const dlib::resizable_tensor raw = net.subnet().get_output(), gradient = net.subnet().get_gradient_input();
  const auto loss_of = [&](std::vector<double> z) {
    std::vector<double> wide(labels_as_centers.begin(), labels_as_centers.end());
    for (const std::size_t i : {2U, 3U, 6U, 7U}) z[i] = std::exp(z[i]);
    return hone::evaluate(hone::cpu(), hone::giou_loss(hone::matrix_view(wide.data(), 2, 4), hone::centers),
                          hone::matrix_view(z.data(), 2, 4));
  };
  const std::vector<double> z(raw.begin(), raw.end());
  CHECK(loss == doctest::Approx(loss_of(z)).epsilon(1e-6));
  for (std::size_t i = 0; i < 8; ++i) {
    auto above = z, below = z;
    above[i] += 1e-6, below[i] -= 1e-6;
    CHECK(double(gradient.host()[i]) == doctest::Approx((loss_of(above) - loss_of(below)) / 2e-6).epsilon(1e-4));
  }
  const hone::adapt::box_label found = net(nets::images(1)[0]);
  float const* b = net.subnet().get_output().host();
  CHECK(found.left == b[0] - std::exp(b[2]) / 2);
  CHECK(found.bottom == b[1] + std::exp(b[3]) / 2);

  y[1] = {};
  CHECK(message([&] { net.compute_loss(x, y.begin()); }) ==
        "dlib_box_loss: the box of sample 1 has no area: left 0, top 0, right 0, bottom 0");
}

TEST_CASE("a logarithm of a side that is too large gives a finite loss and no gradient") {
  box_net net;
  const auto x = nets::tensor_of(net, nets::images(1));
  net.forward(x);
  auto biases = net.subnet().layer_details().get_biases();
  biases.host()[2] = 500;
  const std::vector<hone::adapt::box_label> y = {{0, 0, 1, 2}};
  CHECK(std::isfinite(net.compute_loss(x, y.begin())));
  CHECK(net.subnet().get_gradient_input().host()[2] == 0);
  CHECK(std::isfinite(net.subnet().get_gradient_input().host()[0]));
}

TEST_CASE("dlib's rectangles end with their last pixel, boxes where it ends") {
  const dlib::rectangle pixels(2, 3, 5, 9);
  const auto box = hone::adapt::corners_of(pixels);
  CHECK(double(box.right - box.left) == double(pixels.width()));
  CHECK(double(box.bottom - box.top) == dlib::drectangle(pixels).height());
  CHECK(hone::adapt::rectangle_of(box) == dlib::drectangle(pixels));
}

TEST_CASE("a net of boxes learns them") {
  box_net net;
  const auto x = nets::tensor_of(net, nets::images(4));
  std::vector<hone::adapt::box_label> y;
  for (int i = 0; i < 4; ++i) y.push_back({0.1F * float(i), 0.2F, 1 + 0.1F * float(i), 1.5F});
  std::vector<dlib::adam> solvers(box_net::num_computational_layers, dlib::adam(0, 0.9F, 0.999F));
  const double before = net.compute_loss(x, y.begin());
  for (int step = 0; step < 300; ++step) {
    net.compute_parameter_gradients(x, y.begin());
    net.update_parameters(solvers, 0.01);
  }
  CHECK(before > 0.5);
  CHECK(net.compute_loss(x, y.begin()) < 0.2);
}

TEST_CASE("a net is saved and loaded with the numbers of its objective, and not as another") {
  using smooth_net = nets::class_net<hone::adapt::dlib_smoothed>;
  smooth_net net(hone::adapt::dlib_smoothed{.epsilon = 0.3});
  const auto x = nets::tensor_of(net, nets::images(6));
  const double loss = net.compute_loss(x, labels.begin());
  std::stringstream stream;
  dlib::serialize(net, stream);
  smooth_net loaded;
  CHECK(loaded.loss_details().factory().epsilon == 0.1);
  dlib::deserialize(loaded, stream);
  CHECK(loaded.loss_details().factory().epsilon == 0.3);
  CHECK(loaded.compute_loss(x, labels.begin()) == loss);

  stream.clear(), stream.seekg(0);
  nets::class_net<hone::adapt::dlib_focal> other;
  CHECK_THROWS_WITH_AS(
      dlib::deserialize(other, stream),
      doctest::Contains("'hone_dlib_loss_1 smoothed' found while deserializing hone_dlib_loss_1 focal"),
      dlib::serialization_error);

  std::ostringstream text, xml;
  text << net;
  CHECK(text.str().find("dlib_loss\t(smoothed)") != std::string::npos);
  dlib::net_to_xml(net, xml);
  CHECK(xml.str().find("<dlib_loss objective='smoothed'/>") != std::string::npos);
}

}  // namespace
