// SPDX-License-Identifier: MIT
// Region losses of sigmoids on CUDA: the conformance cases, and what only a device has: a workspace of the caller and
// numbers in device memory.
#include <hone/hone.cuh>

#include <conformance/element_regions.hpp>
#include <cuda/device.cuh>

namespace {

/// 2 images of 700 pixels with 3 masks.
struct problem {
  static constexpr hone::index images = 2, channels = 3, pixels = 700, size = images * channels * pixels;

  device::stream stream;
  device::buffer<float> x{logits()}, t{masks()}, gradient{std::size_t(size)}, value{1};

  static std::vector<float> logits() {
    std::vector<float> x;
    for (hone::index i = 0; i < size; ++i) x.push_back(3 * std::sin(1.7f * float(i)));
    return x;
  }
  static std::vector<float> masks() {
    std::vector<float> t;
    for (hone::index i = 0; i < size; ++i) t.push_back(i % 7 < 3 ? 1.0f : 0.0f);
    return t;
  }
  hone::image_view<const float> targets() const { return {t.data(), images, channels, pixels}; }
  hone::image_view<const float> view() const { return {x.data(), images, channels, pixels}; }
  auto loss() const {
    return hone::binary_cross_entropy(targets()) + hone::sigmoid_dice_loss(targets(), {.per_image = true});
  }
  hone::outputs<float, hone::image_view> out() const {
    return {.gradient = {gradient.data(), images, channels, pixels}, .value = value.data()};
  }
  float answer() const {
    stream.wait();
    return value.host()[0];
  }
};

}  // namespace

TEST_CASE("CUDA passes the conformance cases of sigmoid region losses") {
  conformance::sigmoid_region_losses<device::conformance>();
}

TEST_CASE("sigmoid region losses have the same bits in every run, in a workspace of the size that is asked for") {
  const problem p;
  hone::cuda own(p.stream);
  hone::evaluate(own, p.loss(), p.view(), p.out());
  const float first = p.answer();
  const auto gradient = p.gradient.host();
  const std::size_t bytes = hone::workspace_bytes(p.loss(), p.view());
  const device::buffer<char> memory(bytes);
  hone::cuda lent(p.stream, memory.data(), bytes), small(p.stream, memory.data(), bytes - 1);
  for (int i = 0; i < 2; ++i) {
    hone::evaluate(lent, p.loss(), p.view(), p.out());
    CHECK(p.answer() == first);
    CHECK(p.gradient.host() == gradient);
  }
  CHECK_THROWS_AS(hone::evaluate(small, p.loss(), p.view(), p.out()), hone::cuda_error);
}

TEST_CASE("a factor in device memory multiplies a sigmoid region loss, and does not weigh its pixels") {
  const problem p;
  hone::cuda gpu(p.stream);
  const device::buffer<float> factor(std::vector<float>{0.25f});
  hone::evaluate(gpu, 0.25 * p.loss(), p.view(), p.out());
  const float value = p.answer();
  const auto gradient = p.gradient.host();
  hone::evaluate(gpu, hone::device_scalar(factor.data()) * p.loss(), p.view(), p.out());
  CHECK(p.answer() == value);
  CHECK(p.gradient.host() == gradient);
}

TEST_CASE("CUDA refuses what the host can see of a sigmoid region loss") {
  const problem p;
  hone::cuda gpu(p.stream);
  const device::buffer<float> losses(std::size_t(p.size)), two(std::vector<float>(2, 1));
  CHECK_THROWS_AS(hone::evaluate(gpu, p.loss(), p.view(), {.unreduced = losses.data()}), hone::invalid_argument);
  CHECK_THROWS_AS(
      hone::evaluate(gpu, hone::sigmoid_dice_loss(p.targets(), {.weights = {two.data(), 2}}), p.view(), p.out()),
      hone::invalid_argument);
  const hone::matrix_view<const float> rows{p.x.data(), p.size, 1}, masks{p.t.data(), p.size, 1};
  CHECK_THROWS_AS(hone::evaluate(gpu, hone::sigmoid_dice_loss(masks, {.per_image = true}), rows, {}),
                  hone::invalid_argument);
}
