// SPDX-License-Identifier: MIT
// The CUDA backend against the conformance cases that every backend must pass.
#include <hone/hone.cuh>

#include <conformance/confidence.hpp>
#include <conformance/decoding.hpp>
#include <cuda/device.cuh>

namespace {

struct confidence_device : device::conformance {
  template <class T>
  static void fused_confidence(hone::matrix_view<T> objectness, std::type_identity_t<hone::matrix_view<const T>> iou,
                               std::type_identity_t<hone::matrix_view<T>> out, hone::fused_confidence_options options) {
    const device::stream stream;
    hone::cuda gpu(stream);
    hone::fused_confidence(gpu, objectness, iou, out, options);
    stream.wait();
  }
};

}  // namespace

TEST_CASE("CUDA passes the conformance cases of confidences") { conformance::confidences<confidence_device>(); }

TEST_CASE("CUDA passes the conformance cases of decoded boxes") { conformance::decoded_boxes<device::conformance>(); }

TEST_CASE("fused_confidence gives the same numbers for misaligned memory") {
  const std::vector<float> x{1, 2, 3, 4, 5, 6, 7, 8};
  const device::buffer<float> a(x), whole(x), part(x);
  confidence_device::fused_confidence<float>({a.data(), 1, 8}, {a.data(), 1, 8}, {whole.data(), 1, 8}, {});
  confidence_device::fused_confidence<float>({a.data() + 1, 1, 7}, {a.data() + 1, 1, 7}, {part.data() + 1, 1, 7}, {});
  const auto all = whole.host(), seven = part.host();
  CHECK(seven[0] == 1);
  CHECK(std::equal(seven.begin() + 1, seven.end(), all.begin() + 1));
}

TEST_CASE("fused_confidence: matrices of different shapes throw") {
  const device::buffer<float> a(std::vector<float>(8));
  CHECK_THROWS_AS(confidence_device::fused_confidence<float>({a.data(), 1, 8}, {a.data(), 2, 4}, {a.data(), 1, 8}, {}),
                  hone::invalid_argument);
}
