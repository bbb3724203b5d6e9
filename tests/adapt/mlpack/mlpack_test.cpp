// SPDX-License-Identifier: MIT
#include <mlpack/core.hpp>
#include <mlpack/methods/ann/ann.hpp>

#include <hone/adapt/mlpack.hpp>

#include <hone/hone.hpp>
#include "../../support/message.hpp"

#include <doctest/doctest.h>
#include <zlib.h>

#include <cmath>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

namespace {

using hone::adapt::distilled_classes;
using hone::adapt::focal_classes;
using hone::adapt::output_layer;
using hone::adapt::smoothed_classes;
using support::message;

const hone::cpu cpu{1};
constexpr std::size_t classes = 10;

struct images {
  arma::mat x;       // 784 x samples, in [0, 1]
  arma::mat labels;  // 1 x samples
};

std::vector<unsigned char> bytes_of(const std::string& name, std::size_t skip, std::size_t size) {
  std::vector<unsigned char> bytes(skip + size);
  const gzFile file = gzopen(("/usr/share/datasets/fashion-mnist/" + name).c_str(), "rb");
  REQUIRE(file != nullptr);
  REQUIRE(gzread(file, bytes.data(), unsigned(bytes.size())) == int(bytes.size()));
  gzclose(file);
  return {bytes.begin() + std::ptrdiff_t(skip), bytes.end()};
}
/// The first images of Fashion-MNIST (Debian: dataset-fashion-mnist).
images read(const std::string& which, std::size_t count) {
  const auto pixels = bytes_of(which + "-images-idx3-ubyte.gz", 16, 784 * count);
  const auto labels = bytes_of(which + "-labels-idx1-ubyte.gz", 8, count);
  images read{arma::mat(784, count), arma::mat(1, count)};
  for (std::size_t i = 0; i < pixels.size(); ++i) read.x[i] = pixels[i] / 255.0;
  for (std::size_t i = 0; i < count; ++i) read.labels[i] = labels[i];
  return read;
}

template <class Network>
void add_layers(Network& net) {
  net.template Add<mlpack::Linear>(32);
  net.template Add<mlpack::ReLU>();
  net.template Add<mlpack::Linear>(classes);
}
template <class Loss>
auto network(Loss loss, bool sum = true) {
  mlpack::FFN<output_layer<Loss>> net(output_layer<Loss>(loss, sum, cpu));
  add_layers(net);
  return net;
}
auto mlpack_network(bool sum = true) {
  mlpack::FFN<mlpack::NegativeLogLikelihood> net{mlpack::NegativeLogLikelihood(sum)};
  add_layers(net);
  net.Add<mlpack::LogSoftMax>();
  return net;
}
template <class Network>
double accuracy(Network& net, const images& test) {
  arma::mat logits;
  net.Predict(test.x, logits);
  return double(arma::accu(arma::conv_to<arma::rowvec>::from(arma::index_max(logits, 0)) == test.labels)) /
         double(test.labels.n_elem);
}

arma::mat random(std::size_t rows, std::size_t columns, int seed) {
  arma::arma_rng::set_seed(arma::uword(seed));
  return 3 * arma::randn(rows, columns);
}

}  // namespace

TEST_CASE("without smoothing, loss and gradient of a network are those of LogSoftMax and NegativeLogLikelihood") {
  const images train = read("train", 300);
  for (const bool sum : {true, false}) {
    auto theirs = mlpack_network(sum);
    auto ours = network(smoothed_classes{.epsilon = 0}, sum);
    theirs.Reset(784);
    ours.Reset(784);
    ours.Parameters() = theirs.Parameters();
    arma::mat output, expected, gradient;
    theirs.Forward(train.x, output);
    const double loss = theirs.Backward(train.x, train.labels, expected);
    ours.Forward(train.x, output);
    // mlpack's LogSoftMax computes exp by a polynomial, to some 1e-5; the gradient by the logits is exact in a case
    // below.
    CHECK(ours.Backward(train.x, train.labels, gradient) == doctest::Approx(loss).epsilon(1e-5));
    CHECK(ours.Evaluate(train.x, train.labels) == doctest::Approx(loss).epsilon(1e-5));
    CHECK(arma::abs(gradient - expected).max() <= 1e-4 * arma::abs(expected).max());
  }
}

TEST_CASE("a network trains with a smoothed loss, clipped gradients and an average") {
  const images train = read("train", 600), test = read("t10k", 500);
  mlpack::RandomSeed(7);
  // [network]
  using loss = hone::adapt::smoothed_classes;
  mlpack::FFN<hone::adapt::output_layer<loss>> net(hone::adapt::output_layer(loss{.epsilon = 0.1}));
  net.Add<mlpack::Linear>(32);
  net.Add<mlpack::ReLU>();
  net.Add<mlpack::Linear>(10);  // logits: no LogSoftMax behind it
  // [/network]
  net.Reset(784);
  const double before = net.Evaluate(train.x, train.labels);
  const int steps = 30 * 19;  // 30 epochs of 600 samples
  ens::Adam optimizer(1e-3, 32, 0.9, 0.999, 1e-8, 30 * train.x.n_cols);
  // [train]
  hone::ema_state<double> shadow(hone::adapt::parameters(net));  // after net.Reset(inputs)
  const hone::warmup_cosine rate{.peak = 2e-3, .warmup = steps / 10, .total = steps};
  net.Train(train.x, train.labels, optimizer, hone::adapt::on_gradient(cpu, hone::clip_by_global_norm(20)),
            hone::adapt::scheduled_rate(rate), hone::adapt::on_step(cpu, hone::ema{.decay = 0.95}, shadow));
  hone::swap(cpu, shadow, hone::adapt::parameters(net));  // to test with the averages; swap again to train on
  // [/train]
  CHECK(net.Evaluate(train.x, train.labels) < before / 2);
  CHECK(accuracy(net, test) > 0.4);  // chance is 0.1
  const double average = accuracy(net, test);
  hone::swap(cpu, shadow, hone::adapt::parameters(net));
  CHECK(net.Evaluate(train.x, train.labels) < before / 2);
  CHECK(accuracy(net, test) > 0.4);
  MESSAGE("accuracy ", accuracy(net, test), ", of the average ", average);
}

TEST_CASE("a callback clips what the optimiser sees") {
  const images train = read("train", 64);
  auto net = network(smoothed_classes{.epsilon = 0});
  net.Reset(784);
  const arma::mat before = net.Parameters();
  ens::StandardSGD plain(1, 64, 64);
  net.Train(train.x, train.labels, plain, hone::adapt::on_gradient(cpu, hone::clip_by_global_norm(0.25)));
  CHECK(arma::norm(arma::vectorise(net.Parameters() - before)) == doctest::Approx(0.25).epsilon(1e-6));
}

TEST_CASE("a callback sets the rate of every step") {
  const images train = read("train", 80);
  const hone::warmup_cosine policy{.peak = 0.5, .warmup = 3, .total = 9};
  auto net = network(smoothed_classes{.epsilon = 0}, false), expected = network(smoothed_classes{.epsilon = 0}, false);
  net.Reset(784);
  expected.Reset(784);
  expected.Parameters() = net.Parameters();
  ens::StandardSGD optimizer(0.125, 16, 80, 0, false);
  hone::adapt::scheduled_rate rate(policy);
  net.Train(train.x, train.labels, optimizer, rate);  // 5 steps
  CHECK(rate.steps() == 5);
  CHECK(optimizer.StepSize() == 0.125);
  net.Train(train.x, train.labels, optimizer, rate);  // 4 steps before the floor, and one at it
  CHECK(rate.steps() == 10);
  for (int step = 0; step < 10; ++step) {
    const arma::uword first = arma::uword(step % 5) * 16;
    ens::StandardSGD one(policy.rate(step), 16, 16, 0, false);
    expected.Train(train.x.cols(first, first + 15), train.labels.cols(first, first + 15), one);
  }
  CHECK(arma::approx_equal(net.Parameters(), expected.Parameters(), "absdiff", 0.0));
}

TEST_CASE("a rate is set inside ensmallen's other optimisers, from any step on") {
  const images train = read("train", 16);
  auto net = network(smoothed_classes{});
  net.Reset(784);
  const arma::mat before = net.Parameters();
  ens::Adam adam(1, 16, 0.9, 0.999, 1e-8, 16);
  hone::adapt::scheduled_rate rate(hone::step_decay{.peak = 1, .factor = 0.5, .period = 10}, 30);
  net.Train(train.x, train.labels, adam, rate);
  CHECK(rate.steps() == 31);
  CHECK(arma::abs(net.Parameters() - before).max() == doctest::Approx(0.125).epsilon(1e-3));  // Adam's first step
  CHECK(adam.StepSize() == 1);
  CHECK(message([] { hone::adapt::scheduled_rate(hone::warmup_cosine{.peak = 1}); }) ==
        "warmup_cosine: total is 0, must be at least 1");
  CHECK(message([] { hone::adapt::scheduled_rate(hone::constant{.value = 1}, -1); }) != "");
}

TEST_CASE("the losses are those of hone on columns") {
  const arma::mat z = random(classes, 7, 1), teacher = random(classes, 7, 2);
  const arma::mat y = {{0, 3, 9, -1, 2, 2, 5}};
  const std::vector<hone::index> labels = {0, 3, 9, -1, 2, 2, 5};
  const auto ignoring = hone::classes(labels, {.ignore = -1});
  const auto check = [&](auto layer, const arma::mat& responses, auto const& objective) {
    arma::mat gradient, expected(z.n_rows, z.n_cols);
    const double value = hone::evaluate(cpu, objective, hone::adapt::columns_of(z),
                                        {.gradient = hone::adapt::columns_of(expected)}, hone::sum);
    CHECK(layer.Forward(z, responses) == value);
    layer.Backward(z, responses, gradient);
    CHECK(arma::approx_equal(gradient, expected, "absdiff", 0.0));
  };
  check(output_layer(smoothed_classes{.epsilon = 0.2}), y, hone::cross_entropy(hone::smooth(ignoring, 0.2)));
  check(output_layer(focal_classes{.gamma = 1.5}), y, hone::softmax_focal_loss(ignoring, {.gamma = 1.5}));
  check(output_layer(distilled_classes{.temperature = 3, .weight = 0.25}), arma::join_cols(y, teacher),
        0.75 * hone::cross_entropy(ignoring) + 0.25 * hone::distillation(hone::adapt::columns_of(teacher), 3));
}

TEST_CASE("the gradient of cross entropy is softmax minus one-hot") {
  const arma::mat z = random(classes, 5, 3), y = {{0, 3, 9, 2, 2}};
  arma::mat expected = arma::exp(z), gradient;
  expected.each_row() /= arma::sum(expected, 0).eval();
  for (arma::uword i = 0; i < z.n_cols; ++i) expected(arma::uword(y(i)), i) -= 1;
  output_layer<smoothed_classes>(smoothed_classes{.epsilon = 0}).Backward(z, y, gradient);
  CHECK(arma::abs(gradient - expected).max() < 1e-13);
}

TEST_CASE("responses that do not fit are refused") {
  const arma::mat z = random(classes, 4, 1);
  output_layer<smoothed_classes> layer;
  arma::mat gradient(2, 2, arma::fill::ones);
  const auto refused = [&](const arma::mat& y) {
    const std::string text = message([&] { layer.Backward(z, y, gradient); });
    CHECK(gradient.n_rows == 2);
    CHECK(message([&] { layer.Forward(z, y); }) == text);
    return text;
  };
  CHECK(refused(arma::mat(1, 3, arma::fill::zeros)) == "output_layer: responses are 1 x 3, must be 1 x 4");
  CHECK(refused(arma::mat(10, 4, arma::fill::zeros)) == "output_layer: responses are 10 x 4, must be 1 x 4");
  CHECK(refused({{0, 1, 1.5, 2}}) == "output_layer: the label of sample 2 is 1.5, must be an integer");
  CHECK(refused({{0, 1, NAN, 2}}).starts_with("output_layer: the label of sample 2 is"));
  CHECK(message([&] { layer.Forward(z, {{0, 1, 10, 2}}); }) ==
        "evaluate: the label of row 2 is 10, must be in [0, 10)");
  output_layer<distilled_classes> distilled;
  CHECK(message([&] { distilled.Forward(z, {{0, 1, 2, 3}}); }) == "output_layer: responses are 1 x 4, must be 11 x 4");
  output_layer<smoothed_classes> empty;
  CHECK(empty.Forward(arma::mat(classes, 0), arma::mat(1, 0)) == 0);
}

TEST_CASE("an output layer is saved and loaded") {
  output_layer<smoothed_classes> saved(smoothed_classes{.epsilon = 0.25, .ignore = -7}, false), loaded;
  std::stringstream file;
  {
    cereal::BinaryOutputArchive archive(file);
    archive(saved);
  }
  {
    cereal::BinaryInputArchive archive(file);
    archive(loaded);
  }
  CHECK(loaded.loss().epsilon == 0.25);
  CHECK(loaded.loss().ignore == -7);
  const arma::mat z = random(classes, 3, 1), y = {{1, 2, -7}};
  CHECK(loaded.Forward(z, y) == saved.Forward(z, y));
}
