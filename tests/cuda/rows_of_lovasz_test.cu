// SPDX-License-Identifier: MIT
// Lovász-Softmax on CUDA: the conformance cases, the same bits in every run, and what is refused.
#include <hone/hone.cuh>

#include <conformance/lovasz.hpp>
#include <cuda/device.cuh>

TEST_CASE("CUDA passes the conformance cases of Lovasz-Softmax") { conformance::lovasz_losses<device::conformance>(); }

TEST_CASE("Lovasz-Softmax has the same bits in every run, in a workspace of the size that is asked for") {
  const conformance::row_batch<device::conformance, float> b({9000, 2});
  const device::stream stream;
  const device::buffer<float> gradient(b.z), value(1);
  const auto objective = 0.5 * hone::lovasz_softmax_loss(hone::classes(b.device_labels, {.ignore = -7}));
  const hone::matrix_view<const float> z{b.device_z.data(), 9000, 2};
  const hone::outputs<float> out{.gradient = {gradient.data(), 9000, 2}, .value = value.data()};
  hone::cuda own(stream);
  hone::evaluate(own, objective, z, out);
  stream.wait();
  const auto first = gradient.host();
  const float loss = value.host()[0];
  const std::size_t bytes = hone::workspace_bytes(objective, z);
  const device::buffer<char> memory(bytes);
  hone::cuda lent(stream, memory.data(), bytes), small(stream, memory.data(), bytes - 1);
  for (int i = 0; i < 2; ++i) {
    hone::evaluate(lent, objective, z, out);
    stream.wait();
    CHECK(gradient.host() == first);
    CHECK(value.host()[0] == loss);
  }
  CHECK_THROWS_AS(hone::evaluate(small, objective, z, out), hone::cuda_error);
}

TEST_CASE("Lovasz-Softmax of NaN is NaN, and its rows cannot be weighed") {
  const conformance::row_batch<device::conformance, float> b({131, 10});
  std::vector<float> z = b.z, weights(131, 1);
  z[0] = std::numeric_limits<float>::quiet_NaN();
  const device::buffer<float> bad(z), of_rows(weights), value(1);
  const device::stream stream;
  hone::cuda gpu(stream);
  const auto loss = hone::lovasz_softmax_loss(hone::classes(b.device_labels, {.ignore = -7}));
  const hone::matrix_view<const float> view{bad.data(), 131, 10};
  hone::evaluate(gpu, 0.5 * loss, view, {.value = value.data()});
  stream.wait();
  CHECK(std::isnan(value.host()[0]));
  CHECK_THROWS_AS(hone::evaluate(gpu, hone::weigh_rows(loss, of_rows), view, {.value = value.data()}),
                  hone::invalid_argument);
}
