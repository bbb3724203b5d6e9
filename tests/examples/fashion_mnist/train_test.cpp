// SPDX-License-Identifier: MIT
// The test results of a training against plain loops over the network's outputs.
#include "train.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace {

demo::image_set noise(std::size_t count, std::uint32_t seed) {
  demo::image_set set;
  for (std::size_t i = 0; i < count * demo::image_pixels; ++i) {
    seed = seed * 1664525 + 1013904223;
    set.pixels.push_back(static_cast<std::uint8_t>(seed >> 24));
  }
  for (std::size_t i = 0; i < count; ++i) set.labels.push_back(static_cast<int>(i % 10));
  return set;
}

struct silence : demo::observer {
  void begin(const std::string&, std::uint64_t) override {}
  void step(int, hone::index, double, double) override {}
  void epoch(int, double, double, double) override {}
};

}  // namespace

TEST_CASE("test accuracy and calibration error are over all batches of test images") {
  demo::dataset data{noise(64, 1), noise(1203, 2)};  // three batches of test images
  double mean = 0, variance = 0;
  for (const double p : data.train.pixels) mean += p / double(data.train.pixels.size());
  for (const double p : data.train.pixels) variance += (p - mean) * (p - mean) / double(data.train.pixels.size());
  demo::matrix<float> images(1203, demo::image_pixels);
  for (Eigen::Index i = 0; i < images.size(); ++i)
    images.data()[i] = static_cast<float>((data.test.pixels[std::size_t(i)] - mean) / std::sqrt(variance));
  demo::network untrained(5, 1);
  const demo::matrix<double> logits = untrained.forward(images).cast<double>();
  double hits = 0, gap[demo::calibration_bins] = {};
  for (Eigen::Index i = 0; i < logits.rows(); ++i) {
    Eigen::Index top = 0;
    const double largest = logits.row(i).maxCoeff(&top);
    const double confidence = std::exp(largest) / logits.row(i).array().exp().sum();
    const bool hit = confidence < 0.6;  // too sure above, not sure enough below: bins matter
    data.test.labels[std::size_t(i)] = static_cast<int>(hit ? top : (top + 1) % 10);
    hits += hit;
    for (int b = 0; b < demo::calibration_bins; ++b)
      if (confidence > double(b) / demo::calibration_bins && confidence <= double(b + 1) / demo::calibration_bins)
        gap[b] += hit - confidence;
  }
  double error = 0;
  for (const double g : gap) error += std::abs(g) / 1203;
  CHECK(hits > 100);
  CHECK(hits < 1100);

  silence nobody;
  const demo::history h = demo::train(
      "baseline", data, {.images = 64, .epochs = 1, .batch = 32, .large_batch = 64, .rate = 0.0}, 2, 5, nobody);
  CHECK(h.accuracy == doctest::Approx(hits / 1203).epsilon(1e-12));
  REQUIRE(h.test_error.size() == 1);
  CHECK(h.test_error[0].value == doctest::Approx(1 - hits / 1203).epsilon(1e-12));
  CHECK(h.calibration_error == doctest::Approx(error).epsilon(1e-5));
}
