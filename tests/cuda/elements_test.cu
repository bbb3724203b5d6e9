// SPDX-License-Identifier: MIT
// The CUDA backend against the conformance cases that every backend must pass.
#include <hone/hone.cuh>

#include <conformance/elements.hpp>
#include <cuda/device.cuh>

#include <span>

TEST_CASE("CUDA passes the conformance cases of element-wise losses") {
  conformance::element_losses<device::conformance>();
}

TEST_CASE("every element-wise loss takes a divisor in device memory, with probabilities and with labels") {
  const conformance::element_batch<device::conformance, float> b({9, 13});
  const auto targets = b.view(b.device_t);
  const auto labels = hone::classes(std::span<const int>(b.device_labels.data(), 9), {.ignore = -7});
  const device::stream stream;
  hone::cuda gpu(stream);
  const device::buffer<float> gradient(b.x), value(1);
  const hone::outputs<float> out{.gradient = {gradient.data(), 9, 13}, .value = value.data()};
  const auto compare = [&](auto const& objective) {
    for (const double count : {0.0, 0.5, 7.0}) {
      CAPTURE(count);
      const device::buffer<double> positives(std::vector<double>{count});
      hone::evaluate(gpu, objective, b.view(b.device_x), out, hone::mean_over(count));
      stream.wait();
      const auto expected = gradient.host();
      const float answer = value.host()[0];
      hone::evaluate(gpu, objective, b.view(b.device_x), out, hone::mean_over(hone::device_scalar(positives.data())));
      stream.wait();
      CHECK(gradient.host() == expected);
      CHECK(value.host()[0] == answer);
      CHECK((answer > 0) == (count > 0));
      CHECK((expected[1] != 0) == (count > 0));
    }
  };
  conformance::each_element_loss(1.5, [&](auto const& loss, auto const&) {
    compare(loss(targets));
    compare(loss(labels));
  });
}
